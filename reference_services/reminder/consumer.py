"""Taking messages from the bus: each becomes a ticket, or a dead letter when it cannot be understood or handled."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from reference_services.common.bus import Delivery
from reference_services.common.database import is_database_away
from reference_services.common.inputs import broken_rules
from reference_services.reminder.models import Message

if TYPE_CHECKING:
    from reference_services.common.bus import Consumer
    from reference_services.common.profile import Profile
    from reference_services.reminder.store import TicketStore

log = logging.getLogger(__name__)

BATCH = 200
WAIT_S = 0.5
# How often a message whose handling fails is tried, alone, before it is a dead letter.
TRIES = 3


@dataclass(frozen=True, slots=True)
class Understood:
    """A delivery and what it says."""

    delivery: Delivery
    message: Message


Handle = Callable[[Sequence[Message]], None]


class Acknowledging(Protocol):
    """When a batch is acknowledged, and what becomes of a message that cannot be handled."""

    def __call__(self, bus: Consumer, batch: Sequence[Understood], handle: Handle) -> None:
        """Handle a batch and acknowledge it."""


def acknowledge_after(bus: Consumer, batch: Sequence[Understood], handle: Handle) -> None:
    """Handle, then acknowledge: after a crash between, the messages come again, and are recognised.

    When the batch cannot be handled, each of its messages is tried alone, so that one that never can takes no
    other along; it becomes a dead letter after its last try.

    Raises:
        Exception: the database is away; that is no message's fault, and counts as nobody's try.
    """
    try:
        handle([one.message for one in batch])
    except Exception as error:
        if is_database_away(error):
            raise
        log.warning(
            "a batch of messages failed, and each is tried alone: %s", _told(error), extra={"count": len(batch)}
        )
    else:
        bus.acknowledge([one.delivery for one in batch])
        return
    for one in batch:
        failure = _tried(one.message, handle)
        if failure is None:
            bus.acknowledge([one.delivery])
        else:
            reason = f"could not be handled in {TRIES} tries: {_told(failure)}"
            log.error("message given up: %s", reason)
            bus.bury(one.delivery, reason)


def acknowledge_before(bus: Consumer, batch: Sequence[Understood], handle: Handle) -> None:
    """Acknowledge, then handle: a crash between loses the messages (the first version's way)."""
    bus.acknowledge([one.delivery for one in batch])
    handle([one.message for one in batch])


def acknowledging_of(profile: Profile) -> Acknowledging:
    """Choose the profile's moment of acknowledgement."""
    return acknowledge_after if profile.acknowledge == "after" else acknowledge_before


class Intake:
    """Moves messages from the bus into the database."""

    def __init__(
        self, bus: Consumer, store: TicketStore, acknowledging: Acknowledging, arrived: Callable[[], None]
    ) -> None:
        self._bus = bus
        self._store = store
        self._acknowledging = acknowledging
        self._arrived = arrived

    def step(self) -> bool:
        """Handle one batch; always true, because waiting for messages is the bus's business."""
        deliveries = self._bus.take(BATCH, WAIT_S)
        if not deliveries:
            return True
        try:
            understood = self._understood(deliveries)
            if understood:
                self._acknowledging(self._bus, understood, self._handle)
        except Exception:
            # Those that were settled already are not there any more, so they do not come again.
            self._bus.requeue(deliveries)
            raise
        return True

    def _handle(self, messages: Sequence[Message]) -> None:
        self._store.add_from_messages(messages)
        self._arrived()

    def _understood(self, deliveries: Sequence[Delivery]) -> list[Understood]:
        understood = []
        for delivery in deliveries:
            try:
                understood.append(Understood(delivery, Message.model_validate_json(delivery.body)))
            except ValidationError as error:
                reason = broken_rules(error).message
                log.error("message not understood: %s", reason)  # noqa: TRY400 - the reason says all
                self._bus.bury(delivery, reason)
        return understood


def _tried(message: Message, handle: Handle) -> Exception | None:
    failure: Exception | None = None
    for _ in range(TRIES):
        try:
            handle([message])
        except Exception as error:
            if is_database_away(error):
                raise
            failure = error
        else:
            return None
    return failure


def _told(failure: Exception) -> str:
    """Write a failure on one line; of a database's, what the database said without the statement."""
    said = " ".join(str(getattr(failure, "orig", None) or failure).split())
    return f"{type(failure).__name__}: {said}"
