"""From Locust's events to the recorder: what a request was called, and why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lab.engine.reasons import reason
from lab.engine.tags import LATE, UNCOUNTED, tags_of
from lab.model.server_timing import timing_of

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from lab.engine.line import Line
    from lab.engine.recorder import Recorder

US_PER_MS: Final = 1000
MAX_KNOWN: Final = 4_000
RECORDED: Final = "lab_recorded"
"""The attribute of a response that is recorded already."""


def request_listener(recorder: Recorder, *, counts_sent: bool) -> Callable[..., None]:
    """Give a listener for Locust's `request` event that records each one.

    A request's tags are what stands in its context: each text key that does not begin with "_". Under "_late" stand
    the µs by which its iteration began late, where the load is an open one.

    Args:
        recorder: where to.
        counts_sent: whether the client counts what it sends by itself, as that of a `LabUser` does. That of a plain
            Locust user does not: what it was answered counts as sent, and what it lost cannot be known. Where both
            work side by side, its context says so of each request.
    """
    known = KnownLines(recorder)

    def on_request(  # noqa: PLR0913 - the event's own arguments
        *,
        request_type: str,
        name: str,
        response_time: float,
        response_length: int,
        exception: BaseException | None,
        context: Mapping[str, Any],
        response: Any = None,  # noqa: ANN401 - any of Locust's responses
        **_: object,
    ) -> None:
        if getattr(response, RECORDED, False):
            return  # by its client, the lean one, which fires the event for others
        if not counts_sent or UNCOUNTED in context:
            recorder.sent()
            recorder.done(finished=True)
        line = known.line(request_type, name, context)
        us = round(response_time * US_PER_MS)
        if exception is None:
            line.ok(us, int(response_length or 0), context.get(LATE))
            if told := timing_of(getattr(response, "headers", None)):
                line.timed(us, told)
        else:
            line.fail(us, int(response_length or 0), context.get(LATE), reason(exception, response))

    return on_request


class KnownLines:
    """Finds a request's line by what it was called with, so that its tags are not sorted out again every time."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self._lines: dict[Hashable, Line] = {}

    def line(self, request_type: str, name: str, context: Mapping[str, Any]) -> Line:
        """Give the line of a request: its method, its name, and its context with its tags."""
        if LATE in context:
            key = (request_type, name, tuple([item for item in context.items() if item[0] != LATE]))
        else:
            key = (request_type, name, tuple(context.items()))
        try:
            found = self._lines.get(key)
        except TypeError:  # a value that cannot be looked up, such as a list
            return self._recorder.line(f"{request_type} {name}", tags_of(context))
        if found is None:
            found = self._recorder.line(f"{request_type} {name}", tags_of(context))
            # 1, 1.0 and True are the same key and not the same tag; and a new one every time is not worth keeping.
            if len(self._lines) < MAX_KNOWN and all(type(value) is str for _, value in key[2]):
                self._lines[key] = found
        return found
