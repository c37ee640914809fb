"""Taking messages from the bus: each becomes a ticket, or a dead letter when it cannot be understood."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from pydantic import ValidationError

from reference_services.common.inputs import broken_rules
from reference_services.reminder.models import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reference_services.common.bus import Consumer, Delivery
    from reference_services.common.profile import Profile
    from reference_services.reminder.store import TicketStore

log = logging.getLogger(__name__)

BATCH = 200
WAIT_S = 0.5


class Acknowledging(Protocol):
    """When a batch is acknowledged."""

    def __call__(self, bus: Consumer, batch: Sequence[Delivery], handle: Callable[[], None]) -> None:
        """Handle a batch and acknowledge it."""


def acknowledge_after(bus: Consumer, batch: Sequence[Delivery], handle: Callable[[], None]) -> None:
    """Handle, then acknowledge: after a crash between, the messages come again, and are recognised."""
    handle()
    bus.acknowledge(batch)


def acknowledge_before(bus: Consumer, batch: Sequence[Delivery], handle: Callable[[], None]) -> None:
    """Acknowledge, then handle: a crash between loses the messages (the first version's way)."""
    bus.acknowledge(batch)
    handle()


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
                batch = [delivery for delivery, _ in understood]
                messages = [message for _, message in understood]
                self._acknowledging(self._bus, batch, lambda: self._handle(messages))
        except Exception:
            # Those that were settled already are not there any more, so they do not come again.
            self._bus.requeue(deliveries)
            raise
        return True

    def _handle(self, messages: Sequence[Message]) -> None:
        self._store.add_from_messages(messages)
        self._arrived()

    def _understood(self, deliveries: Sequence[Delivery]) -> list[tuple[Delivery, Message]]:
        understood = []
        for delivery in deliveries:
            try:
                understood.append((delivery, Message.model_validate_json(delivery.body)))
            except ValidationError as error:
                reason = broken_rules(error).message
                log.error("message not understood: %s", reason)  # noqa: TRY400 - the reason says all
                self._bus.bury(delivery, reason)
        return understood
