"""The kinds of fields that bodies and queries are made of, with the bounds that every database keeps."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

INT_MAX = 2**31 - 1
ID_DIGITS = 10
DELETE = "\x7f"
FIRST_YEAR, LAST_YEAR = 1970, 2200
EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}")


class Body(BaseModel):
    """A JSON body: no type is coerced ("5" is no number, true is no 1), keys are camelCase, others are ignored."""

    model_config = ConfigDict(
        strict=True, frozen=True, alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )


class Query(BaseModel):
    """A query string: its values are text, so whole numbers are read from digits."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True)


def printable(text: str) -> str:
    """Refuse control characters other than line breaks and tabs."""
    if any(ord(character) < ord(" ") and character not in "\n\t" for character in text):
        raise ValueError("must not hold control characters")
    return text


def one_line(text: str) -> str:
    """Refuse control characters and every kind of line break, also at the end."""
    if text.splitlines() not in ([], [text]) or any(c < " " or c == DELETE for c in text):
        raise ValueError("must be one line without control characters")
    return text


def email_address(text: str) -> str:
    """Give an e-mail address in lower case.

    Raises:
        ValueError: the text is none.
    """
    if not EMAIL.fullmatch(text):
        raise ValueError("is no e-mail address")
    return text.lower()


def _moment(value: object) -> datetime:
    """Read an ISO 8601 moment; one without a zone is UTC. Numbers are refused: nobody agrees on their unit."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be an ISO 8601 date and time, in quotation marks")  # noqa: TRY004 - pydantic reads ValueError
    try:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        raise ValueError("is no ISO 8601 date and time such as 2026-01-31T08:05:00Z") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise ValueError(f"must lie in the years {FIRST_YEAR} to {LAST_YEAR}")
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _digits(value: object) -> object:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{1,12}", value):
        raise ValueError("must be a whole number")
    return value


Id = Annotated[int, Field(ge=1, le=INT_MAX)]
Count = Annotated[int, Field(ge=0, le=INT_MAX)]
Seats = Annotated[int, Field(ge=1, le=1_000_000)]
Price = Annotated[int, Field(ge=1, le=1_000_000_000)]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=191), AfterValidator(one_line)]
LongText = Annotated[str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(printable)]
Email = Annotated[str, StringConstraints(max_length=191), AfterValidator(email_address)]
Moment = Annotated[datetime, BeforeValidator(_moment, json_schema_input_type=str)]

QueryId = Annotated[int, BeforeValidator(_digits), Field(ge=1, le=INT_MAX)]
QueryCount = Annotated[int, BeforeValidator(_digits), Field(ge=0, le=INT_MAX)]


class Page(Query):
    """The part of a list that is asked for."""

    limit: Annotated[int, BeforeValidator(_digits), Field(ge=1, le=1000)] = 100
    offset: QueryCount = 0
