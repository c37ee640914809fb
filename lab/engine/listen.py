"""From Locust's events to the recorder: what a request was called, and why it failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lab.engine.client import UNTAGGED
from lab.engine.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.recorder import Recorder

US_PER_MS: Final = 1000


def request_listener(recorder: Recorder, *, counts_sent: bool) -> Callable[..., None]:
    """Give a listener for Locust's `request` event that records each one.

    Args:
        recorder: where to.
        counts_sent: whether the client counts what it sends by itself, as that of a `LabUser` does. That of a plain
            Locust user does not: what it was answered counts as sent, and what it lost cannot be known.
    """

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
        if not counts_sent:
            recorder.sent()
            recorder.done(finished=True)
        recorder.request(
            f"{request_type} {name}",
            str(context.get("operation", UNTAGGED)),
            round(response_time * US_PER_MS),
            None if exception is None else reason(exception, response),
            int(response_length or 0),
        )

    return on_request
