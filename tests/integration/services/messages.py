"""Messages on the bus, and a reminder of a test's own that consumes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from reference_services.common.bus import BusConfig, open_publisher
from tests.integration.services.platform import settings_of, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.integration.services.lone import Lone, Nursery
    from tests.integration.services.platform import Platform

QUEUE: Final = "notification_queue"


def bus(url: str, queue: str = QUEUE) -> BusConfig:
    """Give the bus of a URL."""
    return BusConfig(url, "airbourne", "notification_service", queue)


def publish(url: str, bodies: Sequence[str]) -> None:
    """Put messages on a bus."""
    publisher = open_publisher(bus(url))
    wait_until(lambda: publisher.ready() is None, "the bus takes messages")
    publisher.publish(bodies)
    publisher.close()


def message(email: str, identity: str | None = None, *, service: str = "CREATE_TICKET", **data: Any) -> str:
    """Write a message of the contract."""
    values = {"subject": "s", "content": "c", "recepientEmail": email, "notificationTime": "2026-01-01T00:00:00Z"}
    return json.dumps({"service": service, "data": {**values, **data}, **({"id": identity} if identity else {})})


def start_reminder(nursery: Nursery, safe: Platform, database: str = "", profile: str = "safe") -> Lone:
    """Start a reminder with a database and a bus of its own; its mails go to the sink of `safe`."""
    smtp = settings_of(safe.state.pids["reminder"])["SMTP_URL"]
    return nursery.start(
        "reminder",
        PROFILE=profile,
        DATABASE_URL=database or nursery.database("tickets"),
        BUS_URL=nursery.bus,
        SMTP_URL=smtp,
    )
