"""What is read from a `Server-Timing` header, whoever wrote it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.server_timing import LONGEST, MOST_ENTRIES, MOST_US, Odd, Reader, timing_of

TREE = (
    "gateway;dur=4.233, gateway.own;dur=0.290, auth.net;desc=gateway;dur=0.298, auth;dur=0.588, "
    "auth.own;dur=0.410, auth.db;dur=0.178, flights.net;desc=booking;dur=3.057"
)
PARTS = {"gateway.own": 290, "auth.net": 298, "auth.own": 410, "auth.db": 178, "flights.net": 3057}


def test_the_parts_of_every_hop_are_read_and_their_wholes_are_not() -> None:
    """A header of the bundled services gives its parts in µs, the first time and when its names are known."""
    reader = Reader()
    for _ in range(2):
        told = reader.read(TREE)
        assert told.parts == PARTS
        assert told.odd == []
    assert sum(PARTS.values()) == 4233


def test_a_hop_that_was_called_twice_is_added_up() -> None:
    """Parts of the same name are one part."""
    assert Reader().read("flights.db;dur=1.5, flights.db;dur=2.25").parts == {"flights.db": 3750}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("db;dur=53, app;dur=47.2", {"server.db": 53_000, "server.app": 47_200}),
        ("total;dur=100, db;dur=53", {"server.db": 53_000}),
        ('cache;desc="Cache, read; dur=7";dur=23.2', {"server.cache": 23_200}),
        ('miss, db ; DUR = "53" ', {"server.db": 53_000}),
        ("a.b.c.db;dur=1", {"c.db": 1000}),
        ("miss", {}),
        ("", {}),
    ],
)
def test_headers_of_others_are_read_by_the_standard(text: str, parts: dict[str, int]) -> None:
    """Without hops each name is a kind of work of one server; what has no duration is no part, and no fault."""
    told = Reader().read(text)
    assert told.parts == parts
    assert told.odd == []


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        ("db;dur=fast, app.own;dur=1", Odd.DURATION),
        ("db;dur=-1, app.own;dur=1", Odd.DURATION),
        ("db;dur=nan, app.own;dur=1", Odd.DURATION),
        ("db;dur=1e999, app.own;dur=1", Odd.DURATION),
        (f"db;dur={MOST_US}, app.own;dur=1", Odd.DURATION),
        ("d\x00b;dur=1, app.own;dur=1", Odd.NAME),
        ("<script>;dur=1, app.own;dur=1", Odd.NAME),
        ("x" * 33 + ";dur=1, app.own;dur=1", Odd.NAME),
    ],
)
def test_what_cannot_be_understood_is_left_out_and_said(text: str, odd: Odd) -> None:
    """A bad entry costs itself alone, every time that it comes."""
    reader = Reader()
    for _ in range(2):
        told = reader.read(text)
        assert told.parts == {"app.own": 1000}
        assert told.odd == [odd]


@pytest.mark.parametrize(("text", "odd"), [("a.b;dur=1," * MOST_ENTRIES, Odd.MANY), ("x" * (LONGEST + 1), Odd.LONG)])
def test_a_header_beyond_the_bounds_is_not_read(text: str, odd: Odd) -> None:
    """What is too long or has too many parts is left out whole."""
    told = Reader().read(text)
    assert (told.parts, told.odd) == ({}, [odd])


@given(st.lists(st.one_of(st.text(), st.sampled_from([TREE, '"', "\\", ";dur=", ",", "a.b;dur=1", ";dur=nan"]))))
def test_nothing_in_a_header_is_raised(pieces: list[str]) -> None:
    """Whatever is in it, a header is read, with durations that are some and names that can be written anywhere."""
    reader = Reader()
    for text in ("".join(pieces), *pieces):
        told = reader.read(text)
        assert all(0 <= us <= MOST_US * MOST_ENTRIES for us in told.parts.values())
        assert all(name.isascii() and name.isprintable() and len(name) < 70 for name in told.parts)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({"Server-Timing": "a;dur=1"}, "a;dur=1"),
        ({"Server-Timing": ["a;dur=1", "b;dur=2"]}, "a;dur=1,b;dur=2"),
        ({}, ""),
        (None, ""),
        (7, ""),
    ],
)
def test_any_clients_headers_are_looked_at(headers: object, text: str) -> None:
    """One header, several of them, or none, of whatever kind the client's headers are."""
    assert timing_of(headers) == text
