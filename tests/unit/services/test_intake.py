"""What becomes of messages that cannot be handled, and of those beside them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest

from reference_services.common.bus import Delivery
from reference_services.common.errors import DatabaseAwayError
from reference_services.reminder.consumer import TRIES, Intake, acknowledge_after, acknowledge_before

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reference_services.common.bus import Consumer
    from reference_services.reminder.consumer import Acknowledging
    from reference_services.reminder.models import Message
    from reference_services.reminder.store import TicketStore


@dataclass(slots=True)
class FakeBus:
    """A queue in memory that notes what is said of its messages."""

    waiting: list[Delivery]
    acknowledged: list[int] = field(default_factory=list)
    requeued: list[int] = field(default_factory=list)
    buried: dict[int, str] = field(default_factory=dict)

    def take(self, most: int, _wait_s: float) -> list[Delivery]:
        """Give all."""
        taken, self.waiting = self.waiting[:most], self.waiting[most:]
        return taken

    def acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        """Note it."""
        self.acknowledged += [one.tag for one in deliveries]

    def requeue(self, deliveries: Sequence[Delivery]) -> None:
        """Put back what is not settled yet."""
        settled = {*self.acknowledged, *self.buried}
        back = [one for one in deliveries if one.tag not in settled]
        self.requeued += [one.tag for one in back]
        self.waiting = [*back, *self.waiting]

    def bury(self, delivery: Delivery, reason: str) -> None:
        """Note it."""
        self.buried[delivery.tag] = reason


class FakeStore:
    """Raises what is planned for the subjects that it is given."""

    def __init__(self, **faults: list[Exception]) -> None:
        self.calls: list[list[str]] = []
        self.stored: list[str] = []
        self._faults = faults

    def add_from_messages(self, messages: Sequence[Message]) -> int:
        """Store all, or raise the next fault of one of them."""
        subjects = [message.data.subject for message in messages]
        self.calls.append(subjects)
        for subject in subjects:
            if self._faults.get(subject):
                raise self._faults[subject].pop(0)
        self.stored += subjects
        return len(subjects)


def bus_with(*subjects: str) -> FakeBus:
    """Give a bus with a message of each subject, tagged from 1 on."""
    data = {"content": "c", "recepientEmail": "a@example.com"}
    bodies = [json.dumps({"service": "CREATE_TICKET", "data": {**data, "subject": subject}}) for subject in subjects]
    return FakeBus([Delivery(tag, body) for tag, body in enumerate(bodies, 1)])


def intake(bus: FakeBus, store: FakeStore, acknowledging: Acknowledging = acknowledge_after) -> Intake:
    """Give an intake between the two."""
    return Intake(cast("Consumer", bus), cast("TicketStore", store), acknowledging, lambda: None)


def fault() -> Exception:
    """Give a failure that is a message's own."""
    return ValueError("no room\nfor it")


def away() -> Exception:
    """Give a failure that is no message's own."""
    return DatabaseAwayError("away")


def test_a_message_that_never_can_be_handled_takes_no_other_along() -> None:
    """It is tried alone as often as is allowed, then buried with the reason on one line; the others are stored."""
    bus, store = bus_with("a", "bad", "b"), FakeStore(bad=[fault() for _ in range(9)])
    intake(bus, store).step()
    assert store.calls == [["a", "bad", "b"], ["a"], *[["bad"]] * TRIES, ["b"]]
    assert (store.stored, bus.acknowledged, bus.requeued) == (["a", "b"], [1, 3], [])
    assert bus.buried == {2: f"could not be handled in {TRIES} tries: ValueError: no room for it"}


def test_a_fault_that_passes_costs_no_message() -> None:
    """A message that succeeds at its last try is acknowledged like any other."""
    bus, store = bus_with("a", "slow"), FakeStore(slow=[fault() for _ in range(TRIES)])
    intake(bus, store).step()
    assert (store.stored, bus.acknowledged, bus.buried) == (["a", "slow"], [1, 2], {})


def test_a_database_that_is_away_is_nobodys_fault() -> None:
    """The whole batch comes again, however often, and then is stored at once."""
    bus, store = bus_with("a", "b"), FakeStore(a=[away() for _ in range(2 * TRIES)])
    for _ in range(2 * TRIES):
        with pytest.raises(DatabaseAwayError):
            intake(bus, store).step()
    intake(bus, store).step()
    assert (store.stored, bus.acknowledged, bus.buried) == (["a", "b"], [1, 2], {})


def test_a_database_that_goes_away_between_the_tries_takes_the_tries_back() -> None:
    """What was stored alone is acknowledged, the rest comes again, and the bad message has all its tries once more."""
    bus, store = bus_with("a", "bad", "b"), FakeStore(bad=[fault(), fault(), fault(), away(), *[fault()] * TRIES])
    with pytest.raises(DatabaseAwayError):
        intake(bus, store).step()
    assert (bus.acknowledged, bus.requeued, bus.buried) == ([1], [2, 3], {})
    intake(bus, store).step()
    assert (store.stored, bus.buried) == (["a", "bad", "b"], {}), "the fault was over at the last try"


def test_a_message_that_is_not_understood_does_not_spoil_its_batch() -> None:
    """It is buried with what is wrong, and the others are stored in one go."""
    bus, store = bus_with("a", "b"), FakeStore()
    bus.waiting.insert(1, Delivery(9, "no JSON"))
    intake(bus, store).step()
    assert (store.calls, bus.acknowledged, list(bus.buried)) == ([["a", "b"]], [1, 2], [9])
    assert "JSON" in bus.buried[9]


def test_the_first_version_acknowledges_what_it_then_loses() -> None:
    """Acknowledging before handling loses the batch when the handling fails: nothing comes again."""
    bus, store = bus_with("a", "bad"), FakeStore(bad=[fault()])
    with pytest.raises(ValueError, match="no room"):
        intake(bus, store, acknowledge_before).step()
    assert (bus.acknowledged, bus.requeued, bus.waiting, store.stored) == ([1, 2], [], [], [])
