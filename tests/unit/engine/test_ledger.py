"""The ledger: what was tried, and what it was answered."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from lab import facts
from lab.engine import ledger
from lab.engine.ledger import Ledger

if TYPE_CHECKING:
    from pathlib import Path

BOOKING: dict[str, Any] = {"id": 5, "status": "Booked", "totalCost": 25.0}


def settled(tmp_path: Path, status: int, booking: dict[str, Any] | None) -> tuple[bool, facts.Row]:
    """Try to book, settle with an answer, and read the ledger as the audit does."""
    file = tmp_path / "ledger.jsonl"
    with file.open("w", encoding="utf-8") as stream, Ledger(stream).attempt(7, 3, "u@x.test", 2) as attempt:
        accepted = attempt.settle(status, booking)
    (row,) = facts.read_ledger(file)
    return accepted, row


def test_an_accepted_booking_is_written_down(tmp_path: Path) -> None:
    """Flight, user, seats, booking, cost and a key of its own."""
    accepted, row = settled(tmp_path, 200, BOOKING)

    assert accepted
    assert row._replace(key="") == facts.Row(facts.ACCEPTED, 7, 3, "u@x.test", 2, 5, 25.0, "")
    assert len(row.key) == 32


@pytest.mark.parametrize(
    ("status", "booking", "outcome"),
    [
        (201, BOOKING, facts.ACCEPTED),
        (200, {**BOOKING, "status": "InProcess"}, facts.UNKNOWN),
        (200, {}, facts.UNKNOWN),
        (200, None, facts.UNKNOWN),
        (0, None, facts.UNKNOWN),
        (500, BOOKING, facts.UNKNOWN),
        (503, None, facts.UNKNOWN),
        (302, BOOKING, facts.UNKNOWN),
        (400, None, facts.REFUSED),
        (409, {}, facts.REFUSED),
        (429, None, facts.REFUSED),
        (499, BOOKING, facts.REFUSED),
    ],
)
def test_an_answer_is_accepted_refused_or_unknown(
    tmp_path: Path, status: int, booking: dict[str, Any] | None, outcome: str
) -> None:
    """Only 2xx with a booked one is accepted, only 4xx is refused; a 5xx may have booked."""
    accepted, row = settled(tmp_path, status, booking)

    assert row.outcome == outcome
    assert accepted == (outcome == facts.ACCEPTED)
    assert (row.booking is None) == (outcome != facts.ACCEPTED)


def test_what_was_interrupted_is_unknown() -> None:
    """An attempt that ends by an error, or that nobody settled, may have booked."""
    stream = io.StringIO()
    book = Ledger(stream)
    with pytest.raises(KeyError), book.attempt(7, 3, "u", 2):
        raise KeyError
    with book.attempt(7, 3, "u", 2):
        pass

    assert stream.getvalue().count('["unknown",7,3,"u",2,null,null,') == 2


def test_every_attempt_has_a_key_of_its_own() -> None:
    """Keys never repeat."""
    book = Ledger(io.StringIO())

    assert len({book.attempt(7, 3, "u", 2).key for _ in range(100)}) == 100


def test_hostile_words_stay_on_their_line() -> None:
    """A line break in a name does not end a row: one for the attempt, one for its end."""
    stream = io.StringIO()
    with Ledger(stream).attempt("a\nb", "\u2028", "\ud800", 1):
        pass

    assert len(stream.getvalue().splitlines()) == 2


def test_an_attempt_whose_end_was_never_written_is_unknown(tmp_path: Path) -> None:
    """A load process that is killed in mid-request leaves the attempt on disk; its booking may exist or not."""
    file = tmp_path / "ledger.jsonl"
    with file.open("w", encoding="utf-8") as stream:
        book = Ledger(stream)
        with book.attempt(7, 3, "u@x.test", 2) as first:
            first.settle(200, BOOKING)
        with book.attempt(8, 3, "u@x.test", 1) as second:
            found = {row.key: row.outcome for row in facts.read_ledger(file)}
            key = second.key
    assert found == {first.key: facts.ACCEPTED, key: facts.UNKNOWN}


@pytest.mark.parametrize(
    ("status", "booking", "outcome"),
    [
        (200, {"id": 5, "status": "Cancelled"}, facts.WITHDRAWN),
        (200, {"id": 5, "status": "Booked"}, facts.UNSURE),
        (200, None, facts.UNSURE),
        (0, None, facts.UNSURE),
        (503, {"id": 5, "status": "Cancelled"}, facts.UNSURE),
        (409, None, facts.KEPT),
        (404, None, facts.KEPT),
    ],
)
def test_a_cancellation_is_withdrawn_kept_or_unsure(
    tmp_path: Path, status: int, booking: dict[str, Any] | None, outcome: str
) -> None:
    """Only 2xx with a cancelled booking is withdrawn, only 4xx keeps it; a lost answer may have cancelled."""
    file = tmp_path / "ledger.jsonl"
    with (
        file.open("w", encoding="utf-8") as stream,
        Ledger(stream).withdraw(7, 3, "u@x.test", 2, booking=5) as withdrawal,
    ):
        assert [row.outcome for row in facts.read_ledger(file)] == [facts.UNSURE], "on disk before it is sent"
        withdrawn = withdrawal.settle(status, booking)
    (row,) = facts.read_ledger(file)

    assert withdrawn == (outcome == facts.WITHDRAWN)
    assert row._replace(key="") == facts.Row(outcome, 7, 3, "u@x.test", 2, 5, None, "")


def test_a_cancellation_that_was_interrupted_is_unsure() -> None:
    """A user that is stopped in mid-request may have cancelled."""
    stream = io.StringIO()
    with pytest.raises(KeyError), Ledger(stream).withdraw(7, 3, "u", 2, booking=5):
        raise KeyError

    assert '["unsure",7,3,"u",2,5,null,' in stream.getvalue()


def test_the_audit_reads_what_the_load_writes() -> None:
    """The words for an attempt and its outcomes are the same on both sides."""
    words = (facts.TRIED, facts.ACCEPTED, facts.REFUSED, facts.UNKNOWN)
    assert words == (ledger.TRIED, ledger.ACCEPTED, ledger.REFUSED, ledger.UNKNOWN)
    words = (facts.WITHDRAWING, facts.WITHDRAWN, facts.KEPT, facts.UNSURE)
    assert words == (ledger.WITHDRAWING, ledger.WITHDRAWN, ledger.KEPT, ledger.UNSURE)
