"""The user of benchmarks/stall.py: asks one thing an iteration, and thinks as its load's env says."""

from __future__ import annotations

from locust import task

from lab.engine.lean import LeanUser


class Asker(LeanUser):
    """Sends one request an iteration."""

    def wait_time(self) -> float:
        """Think for so many seconds."""
        return float(self.env.get("think", "0"))

    @task
    def ask(self) -> None:
        """Ask once."""
        self.client.get("/", name="/")
