"""The fields of bodies and queries."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from reference_services.booking.models import NewBooking
from reference_services.common.fields import Email, Moment, Page

MOMENT = TypeAdapter[datetime](Moment)
EMAIL = TypeAdapter[str](Email)


@pytest.mark.parametrize("seats", ['"5"', "true", "1.5", "0", "-1", "2147483648", "1e400", "NaN", "null", "[]"])
def test_a_number_of_seats_is_a_positive_whole_number_and_nothing_else(seats: str) -> None:
    """No other type is taken for a number, and the problem names the field."""
    body = f'{{"flightId": 1, "userId": 1, "NoOfSeats": {seats}}}'
    with pytest.raises(ValidationError) as problem:
        NewBooking.model_validate_json(body)
    # NaN is no JSON to a strict parser, so that the field may be the body.
    assert problem.value.errors()[0]["loc"] in {("NoOfSeats",), ()}


@pytest.mark.parametrize(
    ("text", "hour"),
    [("2026-01-31T08:05:00Z", 8), ("2026-01-31T08:05:00+02:00", 6), ("2026-01-31 08:05:00", 8)],
)
def test_a_moment_is_read_as_utc(text: str, hour: int) -> None:
    """A zone is converted, and a moment without one is UTC."""
    assert MOMENT.validate_python(text) == datetime(2026, 1, 31, hour, 5)  # noqa: DTZ001 - databases keep no zone


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none(), st.booleans()))
def test_whatever_is_no_moment_is_a_validation_error(value: object) -> None:
    """No value makes the reader of moments fail in another way."""
    try:
        moment = MOMENT.validate_python(value)
    except ValidationError:
        return
    assert 1970 <= moment.year <= 2200


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1700000000", "2026-13-01"])
def test_moments_off_the_calendar_are_refused(text: str) -> None:
    """A moment that overflows, a bare number and a month 13 are no moments."""
    with pytest.raises(ValidationError):
        MOMENT.validate_python(text)


@pytest.mark.parametrize("text", ["a@b", "a b@c.de", "a@b.de\n", "a@b..de", "", "é@b.de", "@b.de"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """An address that no mail could be sent to, or that breaks a mail's header, is refused."""
    with pytest.raises(ValidationError):
        EMAIL.validate_python(text)


def test_an_address_is_kept_in_lower_case() -> None:
    """Two spellings of one address are one account."""
    assert EMAIL.validate_python("Ann@Example.TEST") == "ann@example.test"


@pytest.mark.parametrize("limit", ["0", "1001", "-1", "1e3", "", "٣", "1_0", " 5"])
def test_a_page_is_limited_by_plain_digits_within_bounds(limit: str) -> None:
    """A limit is 1 to 1000 in ASCII digits."""
    with pytest.raises(ValidationError):
        Page.model_validate({"limit": limit})
