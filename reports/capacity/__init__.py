"""Capacity: how far a platform scales, by the steps of one run, and what stops it."""
