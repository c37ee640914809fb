"""Frozen values and pure functions: no input or output, no Locust, no pandas."""
