"""Runs of other tools, read from the files that they leave behind: k6, Locust, JMeter."""
