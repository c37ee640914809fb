"""Locust's web page with the lab's own page beside it: `python -m lab.engine.webui`.

It runs no load. What it shows it reads from a run's folder, and what is asked for on it goes to its parent.
"""
