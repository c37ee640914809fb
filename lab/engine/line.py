"""What is prepared once, so that counting an answer is a few additions: a line for each kind of request."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from lab.model.histogram import bin_of
from lab.model.sample import FAIL, OK, RESPONSE, SERVICE, SeriesKey, Tags, TrendKey

if TYPE_CHECKING:
    from collections.abc import Callable

    from lab.engine.parts import Block, Book

REQUESTS: Final = "http_req_duration"

Bins = defaultdict[int, int]


def _bins() -> Bins:
    return defaultdict(int)


class Second:
    """What has been counted in one second so far. No two of a process have the same `serial`."""

    __slots__ = ("block", "counters", "gauges", "hits", "received", "sent", "serial", "totals", "trends")

    def __init__(self, serial: int, block: Block) -> None:
        self.serial = serial
        self.block = block
        self.sent = 0
        self.received = 0
        self.trends: defaultdict[TrendKey, Bins] = defaultdict(_bins)
        self.hits: defaultdict[SeriesKey, int] = defaultdict(int)
        self.totals: defaultdict[SeriesKey, int] = defaultdict(int)
        self.counters: defaultdict[SeriesKey, int] = defaultdict(int)
        self.gauges: dict[SeriesKey, float] = {}


class Line:
    """Requests of one name and one set of tags; `Recorder.line` makes it and gives the same one again.

    It keeps the histograms of the second that it counted in last, so that nothing is looked up within a second.
    """

    __slots__ = (
        "_fail",
        "_fail_late",
        "_keys",
        "_now",
        "_ok",
        "_ok_late",
        "_reason",
        "_reasons",
        "_serial",
        "_told",
        "timed",
    )

    def __init__(
        self, name: str, tags: Tags, now: Callable[[], Second], reason: Callable[[str], str], parts: Book
    ) -> None:
        """Prepare the keys.

        Args:
            name: method and path.
            tags: sorted, with `operation` among them.
            now: gives the present second.
            reason: gives the words that a failure is counted under.
            parts: keeps where the requests' time goes.
        """
        self.timed = parts.of(dict(tags)["operation"]).told
        """Takes in what a success took, in µs, and what its `Server-Timing` says of that."""
        self._now = now
        self._reason = reason
        self._keys = tuple(
            TrendKey(REQUESTS, name, tags, outcome, clock) for clock in (SERVICE, RESPONSE) for outcome in (OK, FAIL)
        )
        self._told = (("name", name), ("operation", dict(tags)["operation"]))
        self._reasons: dict[str, SeriesKey] = {}
        self._serial = -1
        self._ok = self._fail = self._ok_late = self._fail_late = _bins()

    def ok(self, us: int, received: int, late: int | None = None) -> None:
        """Count an answer.

        Args:
            us: from sending to the last byte of the answer.
            received: bytes of the answer's body.
            late: µs from the request's intended start to its real one in an open model; None in a closed one.
        """
        second = self._now()
        if second.serial != self._serial:
            self._enter(second)
        self._ok[us if 0 <= us < 2048 else bin_of(us)] += 1  # noqa: PLR2004 - below it each value is its own bin
        second.received += received
        if late is not None:
            self._ok_late[bin_of(us + late)] += 1

    def fail(self, us: int, received: int, late: int | None, reason: str) -> None:
        """Count a failure, with why it is one; the rest is as for `ok`."""
        second = self._now()
        if second.serial != self._serial:
            self._enter(second)
        self._fail[bin_of(us)] += 1
        second.received += received
        if late is not None:
            self._fail_late[bin_of(us + late)] += 1
        second.counters[self._failure(self._reason(reason))] += 1

    def _enter(self, second: Second) -> None:
        self._serial = second.serial
        self._ok, self._fail, self._ok_late, self._fail_late = (second.trends[key] for key in self._keys)

    def _failure(self, reason: str) -> SeriesKey:
        found = self._reasons.get(reason)
        if found is None:
            found = self._reasons[reason] = SeriesKey("failures", (*self._told, ("reason", reason)))
        return found


class IterationKeys:
    """The keys that an iteration is counted under."""

    __slots__ = ("count", "errors", "response", "service")

    def __init__(self, name: str, tags: Tags, outcome: str) -> None:
        self.service = TrendKey("iteration_duration", name, tags, outcome)
        self.response = self.service._replace(clock=RESPONSE)
        self.count = SeriesKey("iterations", tags)
        self.errors = SeriesKey("iteration_errors", tags)
