"""The audit's eyes: when a target counts as settled."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest

from lab import audit
from lab.audit import Auditor, Snapshot
from lab.facts import ACCEPTED, TRIED
from lab.model.dataset import Flight
from lab.platform import Answer

if TYPE_CHECKING:
    from pathlib import Path

    from lab.platform import Client

FLIGHT = Flight(1, "AB1", 10, 5.0)
LATE = {"id": 7, "userId": 3, "NoOfSeats": 2, "status": "Booked", "totalCost": 10.0}


class Platform:
    """A target on which a booking whose answer was lost comes in between the first list and the first counter."""

    def __init__(self) -> None:
        self.bookings: list[dict[str, Any]] = []
        self.readings = 0

    def get(self, _service: str, _path: str) -> Answer:
        """Count what is left; the late booking is there from now on."""
        self.readings += 1
        self.bookings = [LATE]
        return Answer(200, {"totalSeats": 8})

    def listing(self, service: str, _path: str, **_: object) -> list[dict[str, Any]]:
        """List bookings; no ticket was ever made."""
        return list(self.bookings) if service == "booking" else []


@pytest.mark.parametrize(("outcome", "readings", "lost"), [(TRIED, 3, 0), (ACCEPTED, 1, 2)])
def test_a_lost_answer_is_read_until_two_readings_agree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, outcome: str, readings: int, lost: int
) -> None:
    """A booking still at work when the audit begins is no leak; without a lost answer one reading is enough."""
    monkeypatch.setattr(audit, "POLL_S", 0.0)
    monkeypatch.setattr(audit, "STALL_LIMIT_S", 0.0)
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(f'["{outcome}",1,3,"u@x.test",2,7,10.0,"key"]\n', encoding="utf-8")
    platform = Platform()
    auditor = Auditor(cast("Client", platform), [FLIGHT], Event())
    found = auditor.after(Snapshot({1: 10}, {1: ()}, 0, 0), ledger)
    assert (platform.readings, found.seats_lost) == (readings, lost)
