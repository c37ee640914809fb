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
Figures = Callable[[], Mapping[str, int]]
"""Gives figures that are asked for together."""

KEEP_S = 0.25


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that a service tells of its own work, such as how much waits.

    Attributes:
        ask: gives the number, or None when it is not known.
        needs: one of the service's checks; while it fails nobody asks, for what is away makes askers wait. None where
            nothing can be away.
    """

    ask: Callable[[], int | None]
    needs: Check | None = None


class Health:
    """Runs checks and keeps their results for a moment, so that many askers cost one check.

    `more` gives figures that come together, beside those that are asked for one by one.

    Services ask each other in one direction only (gateway → all, booking → flights): no cycle.
    """

    def __init__(self, checks: Sequence[Check], figures: Mapping[str, Figure], more: Figures = dict) -> None:
        self._checks = tuple(checks)
        self._figures = dict(figures)
        self._more = more
        self._lock = threading.Lock()
        self._found: dict[Check, tuple[float, str | None]] = {}

    def reasons(self) -> tuple[str, ...]:
        """Give why the service is not ready; nothing when it is."""
        with self._lock:
            return tuple(reason for check in self._checks if (reason := self._reason(check)) is not None)

    def figures(self) -> Mapping[str, int]:
        """Give the figures as far as they are known."""
        with self._lock:
            able = ((n, f.ask()) for n, f in self._figures.items() if f.needs is None or self._reason(f.needs) is None)
            return {**{name: number for name, number in able if number is not None}, **self._more()}

    def _reason(self, check: Check) -> str | None:
        until, reason = self._found.get(check, (0.0, None))
        if time.monotonic() >= until:
            reason = check()
            self._found[check] = time.monotonic() + KEEP_S, reason
        return reason


def health_routes(health: Health) -> Blueprint:
    """Give the blueprint that answers `/health`, and `/figures`, whether the service is ready or not."""
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show() -> Response:
        reasons = "; ".join(health.reasons())
        if reasons:
            return answer({}, f"Not ready: {reasons}.", 503, err={"health": reasons})
        return answer({"status": "ready"}, "Ready.")

    @blueprint.get("/figures")
    def tell() -> Response:
        return answer(dict(health.figures()), "What is known of this service's work.")

    return blueprint
