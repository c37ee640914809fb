"""Why a request failed, in words that are the same for the same cause, so that failures can be counted by it."""

from __future__ import annotations

import json
import re
from typing import Any, Final

MAX_REASON: Final = 160
SAID_BY_USER: Final = "CatchResponseError"
_NUMBER: Final = re.compile(r"\d+")
_ID: Final = re.compile(
    r"\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|(?=[0-9a-f]*\d)[0-9a-f]{8,}(?:-[0-9a-f]{4,})*)\b",
    re.IGNORECASE,
)


def reason(exception: BaseException, response: Any) -> str:  # noqa: ANN401 - any of Locust's responses
    """Say why a request failed, in words that are the same for the same cause: numbers and ids become `#`.

    What the user's own code says with `response.failure("…")` goes before what the target said.
    """
    if type(exception).__name__ == SAID_BY_USER:  # by name, since Locust may not be imported here
        return _plain("", str(exception)) or SAID_BY_USER
    status = getattr(response, "status_code", 0) or 0
    if status:
        return _plain(f"HTTP {status}: ", _message(response))
    text = str(exception)
    kind = type(exception).__name__
    return _plain("", kind if not text else f"{kind}: {text}")


def _message(response: Any) -> str:  # noqa: ANN401 - any of Locust's responses
    try:
        text = getattr(response, "text", "") or ""
    except Exception:  # noqa: BLE001 - a body that was spoilt on its way cannot be unpacked, in one way or another
        return "an answer that cannot be read"
    try:
        message = json.loads(text)["message"]
    except (ValueError, KeyError, TypeError, RecursionError):
        message = text
    return str(message)


def _plain(head: str, text: str) -> str:
    body = _NUMBER.sub("#", _ID.sub("#", " ".join(text[: MAX_REASON * 4].split())))
    # Half a surrogate pair, which JSON can carry, is no text that can be written down.
    return (head + body)[:MAX_REASON].strip(": ").encode("utf-8", "replace").decode("utf-8")
