"""Health: 200 when a service and what it depends on are ready, 503 with the reasons when not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, Response

from reference_services.common.answers import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

Check = Callable[[], str | None]
Figure = Callable[[], int | None]

KEEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Condition:
    """How a service is.

    Attributes:
        reasons: why it is not ready; none when it is.
        figures: what it knows of its own work, such as how much waits; none when it is not ready.
    """

    reasons: tuple[str, ...]
    figures: Mapping[str, int]


class Health:
    """Runs checks and keeps their result for a moment, so that many askers cost one check.

    Services ask each other in one direction only (gateway → all, booking → flights): no cycle.
    """

    def __init__(self, checks: Sequence[Check], figures: Mapping[str, Figure]) -> None:
        self._checks = tuple(checks)
        self._figures = dict(figures)
        self._lock = threading.Lock()
        self._until = 0.0
        self._condition = Condition((), {})

    def condition(self) -> Condition:
        """Give whether the service is ready, and its figures as far as they are known."""
        with self._lock:
            if time.monotonic() >= self._until:
                reasons = tuple(reason for check in self._checks if (reason := check()) is not None)
                # What is away makes a figure of it wait; whoever waits for health waits a second and no longer.
                asked = {} if reasons else self._figures
                known = {name: number for name, ask in asked.items() if (number := ask()) is not None}
                self._condition = Condition(reasons, known)
                self._until = time.monotonic() + KEEP_S
            return self._condition


def health_routes(health: Health) -> Blueprint:
    """Give the blueprint that answers `/health`; the figures stand in `data` when it is ready."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show() -> Response:
        condition = health.condition()
        if condition.reasons:
            reasons = "; ".join(condition.reasons)
            return answer({}, f"Not ready: {reasons}.", 503, err={"health": reasons})
        return answer({"status": "ready", **condition.figures}, "Ready.")

    return blueprint
