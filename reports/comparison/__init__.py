"""Runs side by side: what a run brings to a comparison, whether runs may be compared, and how the answer is written."""
