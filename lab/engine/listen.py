"""From Locust's events to the recorder: what a request was called, and why it failed."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from lab.engine.client import UNTAGGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.recorder import Recorder

US_PER_MS: Final = 1000
MAX_REASON: Final = 160
_NUMBER: Final = re.compile(r"\d+")
_HEX: Final = re.compile(r"\b(?=[0-9a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*\b", re.IGNORECASE)


def request_listener(recorder: Recorder) -> Callable[..., None]:
    """Give a listener for Locust's `request` event that records each one."""

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
        recorder.request(
            f"{request_type} {name}",
            str(context.get("operation", UNTAGGED)),
            round(response_time * US_PER_MS),
            None if exception is None else reason(exception, response),
            int(response_length or 0),
        )

    return on_request


def reason(exception: BaseException, response: Any) -> str:  # noqa: ANN401 - any of Locust's responses
    """Say why a request failed, in words that are the same for the same cause: numbers and ids become `#`."""
    status = getattr(response, "status_code", 0) or 0
    if status:
        return _plain(f"HTTP {status}: ", _message(response))
    text = str(exception)
    kind = type(exception).__name__
    return _plain("", kind if not text else f"{kind}: {text}")


def _message(response: Any) -> str:  # noqa: ANN401 - any of Locust's responses
    text = getattr(response, "text", "") or ""
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError):
        message = text
    return str(message)


def _plain(head: str, text: str) -> str:
    body = _NUMBER.sub("#", _HEX.sub("#", " ".join(text[: MAX_REASON * 4].split())))
    return (head + body)[:MAX_REASON].strip(": ")
