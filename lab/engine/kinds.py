"""What user code may name its own metrics, and what it may put into them."""

from __future__ import annotations

from enum import StrEnum
from math import isfinite
from typing import Final

from lab.errors import ScriptError
from lab.model.metrics import OWN

MAX_METRICS: Final = 200


class Kind(StrEnum):
    """What a metric of user code can be: k6's four kinds, and a trend is of times or it is not."""

    COUNTER = "counter"
    GAUGE = "gauge"
    RATE = "rate"
    TREND = "trend"
    TIME = "trend of times"


class Kinds:
    """The metrics that user code made so far in this process, each of one kind."""

    def __init__(self) -> None:
        self._known: dict[str, Kind] = {}

    def expect(self, metric: str, kind: Kind) -> None:
        """Take a metric's use in, or refuse it.

        Raises:
            ScriptError: the name is no identifier, is one of the lab's own, or was used for another kind; or there are
                too many names, as when an id is put into them.
        """
        known = self._known.get(metric)
        if known is kind:
            return
        if known is not None:
            raise ScriptError(f'"{metric}" is a {known} already and cannot be a {kind}; give one of them another name')
        if not (isinstance(metric, str) and metric.isascii() and metric.isidentifier()):
            raise ScriptError(f"{metric!r} is no name for a metric; write letters, digits and _, like seats_sold")
        if metric in OWN:
            raise ScriptError(f'"{metric}" is a metric of the lab\'s own; give yours another name')
        if len(self._known) >= MAX_METRICS:
            raise ScriptError(
                f'"{metric}" is one metric too many: {MAX_METRICS} have a name; put what varies into a tag: tier="gold"'
            )
        self._known[metric] = kind


def finite(metric: str, value: float, *, least: float | None = None) -> float:
    """Give a metric's value.

    Raises:
        ScriptError: it is no finite number, or below the least one.
    """
    if not isinstance(value, (int, float)) or not isfinite(value):
        raise ScriptError(f'"{metric}" cannot be {value!r}: it takes finite numbers')
    if least is not None and value < least:
        raise ScriptError(f'"{metric}" cannot be {value!r}: it takes {least:g} and more')
    return value


def whole(metric: str, value: float) -> int:
    """Give by how much a counter goes up.

    Raises:
        ScriptError: it is no whole number, or a negative one.
    """
    if finite(metric, value, least=0) != int(value):
        raise ScriptError(
            f'"{metric}" cannot go up by {value!r}: a counter counts whole things; a trend takes the rest'
        )
    return int(value)
