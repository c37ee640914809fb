"""The one door: checks tokens, limits rates, and forwards."""
