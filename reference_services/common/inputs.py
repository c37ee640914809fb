"""Reading a request's body, query and path into checked values; what is wrong becomes a 400 that names it."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import RequestEntityTooLarge

from reference_services.common.errors import Refusal, unknown
from reference_services.common.fields import ID_DIGITS, INT_MAX

Model = TypeVar("Model", bound=BaseModel)


def read_body(model: type[Model]) -> Model:
    """Read the JSON body.

    Raises:
        Refusal: 415 for another content type, 413 for a body that is too large, 400 for one that is not JSON
            or breaks a rule.
    """
    if request.mimetype != "application/json":
        sent = request.mimetype or "none"
        raise Refusal(415, f"Send JSON with Content-Type: application/json (sent: {sent}).", {"Content-Type": sent})
    try:
        return model.model_validate_json(raw_body())
    except ValidationError as error:
        raise broken_rules(error) from None


def raw_body() -> bytes:
    """Read the body as it was sent.

    It is read past Flask, whose stream cuts a chunked body silently at the limit.

    Raises:
        RequestEntityTooLarge: it is larger than this service takes; answered with 413.
    """
    length, limit = request.content_length, request.max_content_length or 0
    if length is not None and length > limit:
        raise RequestEntityTooLarge
    body: bytes = request.environ["wsgi.input"].read(limit + 1 if length is None else length)
    if len(body) > limit:
        raise RequestEntityTooLarge
    return body


def read_query(model: type[Model]) -> Model:
    """Read the query string; of a name that is given twice the first counts.

    Raises:
        Refusal: 400 for a value that breaks a rule.
    """
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise broken_rules(error) from None


def read_id(kind: str, text: str) -> int:
    """Read the id in a path.

    Raises:
        Refusal: 404 for what cannot be the id of anything.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= ID_DIGITS and 0 < int(text) <= INT_MAX):
        raise unknown(kind, text[:40])
    return int(text)


def broken_rules(error: ValidationError) -> Refusal:
    """Turn pydantic's list of problems into one 400 whose sentence names the first field and how many more."""
    problems: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_input=False, include_context=False):
        field = ".".join(str(part) for part in problem["loc"]) or "body"
        problems.setdefault(field, _plain(problem["msg"]))
    field, what = next(iter(problems.items()))
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Refusal(400, f"{field}: {what}{more}.", problems)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").replace("Input should be", "should be")
