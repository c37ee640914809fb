"""Health: 200 when a service and what it depends on are ready, 503 with the reasons when not; and figures beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flask import Blueprint, Response, request

from reference_services.common.answers import answer

if TYPE_CHECKING:
    from collections.abc import Sequence

Check = Callable[[], str | None]
Figures = Callable[[], Mapping[str, int]]
"""Gives figures that are asked for together."""

FIGURES: Final = "/figures"
MORE: Final = "server=on"
TOLD: Final = "What is known of this service's work."
KEEP_S = 0.25
LATELY_S = 5.0


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

    `more` gives figures that come together, and that are told only to who wants more.

    Services ask each other in one direction only (gateway → all, booking → flights): no cycle.
    """

    def __init__(self, checks: Sequence[Check], figures: Mapping[str, Figure], more: Figures = dict) -> None:
        self._checks = tuple(checks)
        self._figures = dict(figures)
        self._more = more
        self._lock = threading.Lock()
        self._telling = threading.Lock()
        self._found: dict[Check, tuple[float, str | None]] = {}

    def reasons(self) -> tuple[str, ...]:
        """Give why the service is not ready; nothing when it is."""
        with self._lock:
            return tuple(reason for check in self._checks if (reason := self._reason(check)) is not None)

    def figures(self, *, more: bool = False) -> Mapping[str, int]:
        """Give the figures as far as they are known."""
        with self._telling:
            able = ((n, f.ask()) for n, f in self._figures.items() if f.needs is None or self._lately(f.needs))
            return {**{name: number for name, number in able if number is not None}, **(self._more() if more else {})}

    def _reason(self, check: Check) -> str | None:
        at, reason = self._found.get(check, (-KEEP_S, None))
        if time.monotonic() >= at + KEEP_S:
            reason = check()
            self._found[check] = time.monotonic(), reason
        return reason

    def _lately(self, check: Check) -> bool:
        """Tell whether a check held a little while ago: to look at a database each time costs more than to ask it."""
        at, reason = self._found.get(check, (-LATELY_S, None))
        if reason is None and time.monotonic() < at + LATELY_S:
            return True
        with self._lock:
            return self._reason(check) is None


def health_routes(health: Health) -> Blueprint:
    """Give the blueprint that answers `/health`, and `/figures`, whether the service is ready or not.

    `/figures?server=on` tells of the database server, too: of services that share one, one need be asked.
    """
    blueprint = Blueprint("health", __name__)

    @blueprint.get("/health")
    def show() -> Response:
        reasons = "; ".join(health.reasons())
        if reasons:
            return answer({}, f"Not ready: {reasons}.", 503, err={"health": reasons})
        return answer({"status": "ready"}, "Ready.")

    @blueprint.get(FIGURES)
    def tell() -> Response:
        wanted = request.args.get("server") == "on"
        return answer(dict(health.figures(more=wanted)), TOLD)

    return blueprint
