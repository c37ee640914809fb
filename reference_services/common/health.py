"""Health: 200 when a service and what it depends on are ready, 503 with the reasons when not; and figures beside it."""

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

KEEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a service tells of its own work, such as how much waits.

    Attributes:
        ask: gives the number, or None when it is not known.
        needs: one of the service's checks; while it fails nobody asks, for what is away makes askers wait.
    """

    ask: Callable[[], int | None]
    needs: Check


@dataclass(frozen=True, slots=True)
class Condition:
    """How a service is.

    Attributes:
        reasons: why it is not ready; none when it is.
        figures: what is known of its work.
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
                failed = {check: reason for check in self._checks if (reason := check()) is not None}
                asked = ((name, figure.ask()) for name, figure in self._figures.items() if figure.needs not in failed)
                known = {name: number for name, number in asked if number is not None}
                self._condition = Condition(tuple(failed.values()), known)
                self._until = time.monotonic() + KEEP_S
            return self._condition


def health_routes(health: Health) -> Blueprint:
    """Give the blueprint that answers `/health`, and `/figures` with the same look, whether it is ready or not."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show() -> Response:
        reasons = "; ".join(health.condition().reasons)
        if reasons:
            return answer({}, f"Not ready: {reasons}.", 503, err={"health": reasons})
        return answer({"status": "ready"}, "Ready.")

    @blueprint.get("/figures")
    def tell() -> Response:
        return answer(dict(health.condition().figures), "What is known of this service's work.")

    return blueprint
