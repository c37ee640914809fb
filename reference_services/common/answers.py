"""The one shape of every answer: `{"data", "success", "message", "err"}`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response
from pydantic_core import to_json

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_ERROR_STATUS = 400


def answer(data: object, message: str, status: int = 200, *, err: Mapping[str, str] | None = None) -> Response:
    """Make an answer; `success` follows from the status.

    pydantic's serializer writes the JSON: it takes a fifth of the time of Flask's `jsonify`, which sorts
    keys and asks Python about every value.
    """
    body = {"data": data, "success": status < FIRST_ERROR_STATUS, "message": message, "err": err or {}}
    return Response(to_json(body), status, content_type="application/json")
