"""The one shape of every answer: `{"data", "success", "message", "err"}`; and who writes its JSON, one per profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Response, current_app
from flask.json.provider import DefaultJSONProvider
from pydantic_core import from_json, to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from reference_services.common.profile import Profile

FIRST_ERROR_STATUS = 400
JSON = "application/json"


def answer(data: object, message: str, status: int = 200, *, err: Mapping[str, str] | None = None) -> Response:
    """Make an answer; `success` follows from the status."""
    body = current_app.json.dumps(envelope(data, message, status, err))
    return Response(body, status, content_type=JSON)


def envelope(data: object, message: str, status: int, err: Mapping[str, str] | None = None) -> dict[str, object]:
    """Give the one shape."""
    return {"data": data, "success": status < FIRST_ERROR_STATUS, "message": message, "err": err or {}}


class FastJson(DefaultJSONProvider):
    """pydantic's serializer, which asks Python about no value that it knows."""

    def dumps(self, obj: object, **_: Any) -> str:
        """Write JSON."""
        return to_json(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:  # noqa: ANN401 - as the base class has it
        """Read JSON."""
        return from_json(s)


class StandardJson(DefaultJSONProvider):
    """The standard library's, on one line, with keys in the order in which they were said."""

    sort_keys = False
    ensure_ascii = False


def write_json_as(app: Flask, profile: Profile) -> None:
    """Choose who writes an app's JSON."""
    app.json = (FastJson if profile.json == "fast" else StandardJson)(app)
