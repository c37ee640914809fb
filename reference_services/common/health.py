"""Health: 200 when a service and what it depends on are ready, 503 with the reasons when not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from reference_services.common.answers import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

Check = Callable[[], str | None]

KEEP_S = 0.25


class Health:
    """Runs checks and keeps their result for a moment, so that many askers cost one check.

    Services ask each other in one direction only (gateway → all, booking → flights): no cycle.
    """

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)
        self._lock = threading.Lock()
        self._until = 0.0
        self._reasons: list[str] = []

    def reasons(self) -> list[str]:
        """Give the reasons why the service is not ready; none when it is."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._reasons = [reason for check in self._checks if (reason := check()) is not None]
                self._until = time.monotonic() + KEEP_S
            return self._reasons


def health_routes(health: Health) -> Blueprint:
    """Give the blueprint that answers `/health`."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show() -> Response:
        reasons = health.reasons()
        if reasons:
            return answer({}, f"Not ready: {'; '.join(reasons)}.", 503, err={"health": "; ".join(reasons)})
        return answer({"status": "ready"}, "Ready.")

    return blueprint
