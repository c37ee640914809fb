"""Bodies that nobody should be able to do harm with, as JSON text, since half of them are no Python value."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from tests.integration.services.platform import API

LONG: Final = '"' + "x" * 10_000 + '"'
NUL: Final = '"a\\u0000b"'
HALF: Final = '"\\ud800"'
NO_TEXT: Final = ("null", "true", "5", "1.5", "[]", "{}", '["a"]', '""', NUL, HALF)
WHOLE: Final = (
    *("null", "true", "false", '"5"', '""', "1.5", "-1", "9223372036854775808", "1" + "0" * 400, "1" + "0" * 5000),
    *("NaN", "Infinity", "-Infinity", "1e400", "-9223372036854775809", "[]", "{}", "[1]", "01", "+1", "0x1"),
)

INT: Final = (*WHOLE, "0")
LEFT: Final = WHOLE
SEATS: Final = (*INT, "1000001", "2147483647")
TEXT: Final = (*NO_TEXT, '"   "', LONG, '"a\\nb"')
GATE: Final = tuple(value for value in TEXT if value != "null")
PROSE: Final = (*NO_TEXT, '"' + "x" * 100_000 + '"')
KEY: Final = (*NO_TEXT, LONG, '"' + "k" * 101 + '"', '"a\\nb"')
PASSWORD: Final = (*NO_TEXT, LONG, '"abc"', '"' + "x" * 51 + '"')
GUESS: Final = ("null", "true", "5", "[]", "{}", '""', HALF, '"' + "x" * 10_000 + '"')
EMAIL: Final = (
    *(*NO_TEXT, LONG, '"a"', '"a@"', '"@b.co"', '"a b@c.co"', '"a@b"', '"a@b.co\\n"', '"a@b..co"', '"a@.co"'),
    *('"a@b.co,c@d.co"', '"A <a@b.co>"', '"a@b.co>"', '"a@b.co\\r\\nBcc: c@d.co"', '"a@b@c.co"', '"é@b.co"'),
    '"' + "a" * 200 + '@b.co"',
)
MOMENT: Final = (
    *(*NO_TEXT, LONG, '"5"', '"yesterday"', '"2026-13-01T00:00:00Z"', '"2026-02-30T00:00:00Z"', "1767225600"),
    *(
        '"2026-01-01T25:00:00Z"',
        '"0001-01-01T00:00:00+23:59"',
        '"9999-12-31T23:59:59-23:59"',
        '"-2026-01-01T00:00:00Z"',
    ),
)
STATUS: Final = (*NO_TEXT, LONG, '"Booked"', '"InProcess"', '"cancelled"', '"Cancelled "')

WITHOUT_A_FIELD: Final = {"1" + "0" * 5000, HALF, "01", "+1", "0x1"}
"""What is no JSON at all, so that no field can be named."""


@dataclass(frozen=True, slots=True)
class Target:
    """A call that takes a body.

    Attributes:
        service: who takes it.
        method: in capitals.
        path: with `{flight}` and `{booking}` where the ids of valid ones go.
        fields: the bad values of each field.
        optional: fields that may be missing.
        through: the gateway's prefix.
    """

    service: str
    method: str
    path: str
    fields: dict[str, tuple[str, ...]]
    optional: tuple[str, ...] = ()
    through: str = ""


_PLANE = {"modelNumber": TEXT, "capacity": SEATS[:-2]}
_PORT = {"name": TEXT, "address": TEXT, "cityId": INT}
_FLIGHT = {
    "flightNumber": TEXT,
    "airplaneId": INT,
    "departureAirportID": INT,
    "arrivalAirportId": INT,
    "departureTime": MOMENT,
    "arrivalTime": MOMENT,
    "price": INT,
    "boardingGate": GATE,
}
_TICKET = {"subject": TEXT, "content": PROSE, "recepientEmail": EMAIL, "notificationTime": MOMENT}

TARGETS: Final = {
    "signup": Target("auth", "POST", f"{API}/signup", {"email": EMAIL, "password": PASSWORD}, through="auth"),
    "signin": Target("auth", "POST", f"{API}/signin", {"email": EMAIL, "password": GUESS}, through="auth"),
    "new city": Target("flights", "POST", f"{API}/city", {"name": TEXT}, through="flights"),
    "city": Target("flights", "PATCH", f"{API}/city/{{city}}", {"name": TEXT}, ("name",), "flights"),
    "new airport": Target("flights", "POST", f"{API}/airports", _PORT, through="flights"),
    "airport": Target("flights", "PATCH", f"{API}/airports/{{airport}}", _PORT, tuple(_PORT), "flights"),
    "new airplane": Target("flights", "POST", f"{API}/airplane", _PLANE, ("capacity",), "flights"),
    "airplane": Target("flights", "PATCH", f"{API}/airplane/{{airplane}}", _PLANE, tuple(_PLANE), "flights"),
    "new flight": Target("flights", "POST", f"{API}/flights", _FLIGHT, ("boardingGate",), "flights"),
    "flight": Target(
        "flights",
        "PATCH",
        f"{API}/flights/{{flight}}",
        {**_FLIGHT, "totalSeats": LEFT},
        (*_FLIGHT, "totalSeats"),
        "flights",
    ),
    "reservation": Target(
        "flights", "POST", f"{API}/flights/{{flight}}/reservations", {"seats": SEATS, "key": KEY}, through="flights"
    ),
    "new booking": Target(
        "booking",
        "POST",
        f"{API}/bookings",
        {"flightId": INT, "userId": INT, "NoOfSeats": SEATS},
        through="bookingservice",
    ),
    "booking": Target("booking", "PATCH", f"{API}/bookings/{{booking}}", {"status": STATUS}, through="bookingservice"),
    "ticket": Target("reminder", "POST", f"{API}/tickets", _TICKET, ("notificationTime",), "reminder"),
}

NO_OBJECT: Final = {
    "nothing": b"",
    "spaces": b"   ",
    "null": b"null",
    "true": b"true",
    "a number": b"5",
    "a text": b'"text"',
    "an empty list": b"[]",
    "a list": b'[{"name": "x"}]',
    "broken": b'{"name": ',
    "two": b"{}{}",
    "single quotes": b"{'name': 'x'}",
    "a comma too many": b'{"name": "x",}',
    "a comment": b'{/* */"name": "x"}',
    "a form": b"name=x&seats=1",
    "markup": b"<name>x</name>",
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NUL": b"\0",
    "deep lists": b"[" * 100_000,
    "deep lists, closed": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep in a field": b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep in an unknown field": b'{"unknown":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "many keys": json.dumps({str(number): number for number in range(5000)}).encode(),
}
"""Bodies that are no object, or hold none of the fields."""

OTHER_TYPES: Final = (
    "",
    "text/plain",
    "text/html",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/xml",
    "application/octet-stream",
    "application/jsonp",
    "json",
    ";",
    "text/plain; application/json",
)

IDS: Final = (
    *("-1", "0", "2147483648", "9223372036854775808", "18446744073709551616", "9" * 1000, "abc", "%00", "%20", "%201"),
    *("1%20", "+1", "1.5", "1e0", "0x1", "null", "%D9%A1", "%FF", "1;", "1%27--", "..%2F1", "%E2%80%A8", "{}"),
)

WHOLE_QUERY: Final = (
    *("", "abc", "-1", "1.5", "1e3", "99999999999999999999", "2147483648", "%00", "%ff", "true", "null", "%20", "1%20"),
    *("0x10", "NaN", "[]", "%D9%A1", "1" * 5000),
)
QUERIES: Final = {
    "flights": (
        "flights",
        {
            "limit": (*WHOLE_QUERY, "0"),
            "offset": WHOLE_QUERY,
            "departureAirportID": (*WHOLE_QUERY, "0"),
            "arrivalAirportId": (*WHOLE_QUERY, "0"),
            "minPrice": WHOLE_QUERY,
            "maxPrice": WHOLE_QUERY,
        },
    ),
    "city": ("flights", {"limit": (*WHOLE_QUERY, "0"), "offset": WHOLE_QUERY}),
    "bookings": (
        "booking",
        {
            "limit": (*WHOLE_QUERY, "0"),
            "offset": WHOLE_QUERY,
            "flightId": (*WHOLE_QUERY, "0"),
            "userId": (*WHOLE_QUERY, "0"),
        },
    ),
    "tickets": (
        "reminder",
        {"limit": (*WHOLE_QUERY, "0"), "offset": WHOLE_QUERY, "status": ("", "pending", "5", "%00", "PENDING%20")},
    ),
}
