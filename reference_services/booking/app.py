"""The booking service's composition root: the one place that turns its profile into strategies."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from reference_services.booking.models import SEARCHED, metadata
from reference_services.booking.notify import OutboxPublisher, notifier_of
from reference_services.booking.routes import OPERATIONS, booking_routes, other_routes
from reference_services.booking.seats import seats_of
from reference_services.booking.settler import Settler
from reference_services.booking.store import BookingStore
from reference_services.booking.together import bookings_of
from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.background import Background, Task
from reference_services.common.bus import CONFIRM_S, open_publisher
from reference_services.common.client import Upstream
from reference_services.common.database import open_database
from reference_services.common.health import Figure
from reference_services.common.searching import paging_of
from reference_services.common.transport import transport_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from reference_services.booking.config import BookingConfig
    from reference_services.common.workers import Workers

# Bookings under load come in bursts; this long the publisher gathers them into one batch.
GATHER_S = 0.05
# So long the process on duty listens for the others before it looks whether it should stop.
BELL_S = 0.5
# What is due reads the whole table where it has no index.
SETTLE_EVERY_S = 1.0
# A request may call flights twice (client.py repeats once), and then needs a moment for its own statements.
SPARE_S = 1.0
# Booking waits for flights a little less than the gateway waits for booking, so that its answer still arrives.
SHARE_OF_PATIENCE = 0.8


def create_app(config: BookingConfig) -> Flask:
    """Make the booking service.

    Raises:
        ConfigError: its database or its bus cannot be opened.
    """
    common = config.common
    app = new_app(common)
    database = open_database(app, config.database_url, metadata, common, SEARCHED)
    patience_s = SHARE_OF_PATIENCE * common.upstream_timeout_s
    direct = common.profile.notify == "direct"
    publisher = open_publisher(config.bus, patience_s if direct else CONFIRM_S)
    flights = Upstream(
        "flights",
        config.flights_url,
        timeout_s=patience_s,
        connections=common.threads,
        over=transport_of(common.profile),
    )
    seats = seats_of(common.profile, flights)
    patience = timedelta(seconds=2 * common.upstream_timeout_s + SPARE_S)
    store = BookingStore(database, patience if seats.settles else None, paging_of(common.profile))
    waiting = OutboxPublisher(database, publisher)
    outbox = Task("outbox", waiting.step, every_s=0.5, linger_s=GATHER_S)
    nudge, tasks = _reached(common.workers, outbox)
    notifier = notifier_of(common.profile, database, publisher, nudge)
    service = bookings_of(common.profile, store, seats, notifier)
    settler = Task("settler", Settler(store, service).step, every_s=SETTLE_EVERY_S)
    parts = Parts(
        blueprints=[booking_routes(service), other_routes(service)],
        operations=OPERATIONS,
        checks=[database.ready, publisher.ready, flights.unready],
        figures={} if direct else {"outboxDepth": Figure(waiting.depth, database.ready)},
        background=Background(
            [*tasks, settler] if seats.settles else tasks, [publisher.close, database.engine.dispose]
        ),
    )
    return complete_app(app, parts)


def _reached(workers: Workers, outbox: Task) -> tuple[Callable[[], None], list[Task]]:
    """Give what wakes the outbox's task, from whatever process, and the tasks that this takes."""
    if workers.count == 1:
        return outbox.nudge, [outbox]

    def pass_on() -> bool:
        if workers.heard(BELL_S):
            outbox.nudge()
        return True

    return workers.ring, [outbox, Task("bell", pass_on, every_s=0.0)]
