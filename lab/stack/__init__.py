"""Start, wait for, look at and stop the platform."""
