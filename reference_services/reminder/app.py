"""The reminder's composition root: the one place that turns its profile into strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reference_services.common.app import Parts, complete_app, new_app
from reference_services.common.background import Background, Task
from reference_services.common.bus import known_age, known_depth, open_consumer
from reference_services.common.database import open_database
from reference_services.common.health import Figure
from reference_services.common.searching import paging_of
from reference_services.reminder.consumer import Intake, acknowledging_of
from reference_services.reminder.mail import Mailbox
from reference_services.reminder.mailer import Mailer
from reference_services.reminder.models import SEARCHED, metadata
from reference_services.reminder.routes import OPERATIONS, ticket_routes
from reference_services.reminder.store import TicketStore

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.reminder.config import ReminderConfig


def create_app(config: ReminderConfig) -> Flask:
    """Make the reminder service.

    Raises:
        ConfigError: its database or its bus cannot be opened.
    """
    common = config.common
    app = new_app(common)
    database = open_database(app, config.database_url, metadata, common, SEARCHED)
    bus = open_consumer(config.bus)
    store = TicketStore(database, paging_of(common.profile))
    mailbox = Mailbox(config.mail_server, config.mail_from)
    mailer = Task("mailer", Mailer(store, mailbox, config.mail_from).step, every_s=0.5)
    intake = Intake(bus, store, acknowledging_of(common.profile), mailer.nudge)
    parts = Parts(
        blueprints=[ticket_routes(store, mailer.nudge)],
        operations=OPERATIONS,
        checks=[database.ready, bus.ready, mailbox.ready],
        figures={
            "queueDepth": Figure(lambda: known_depth(bus), bus.ready),
            "queueAgeMs": Figure(lambda: known_age(bus), bus.ready),
        },
        background=Background(
            [Task("intake", intake.step, every_s=0.0), mailer],
            [mailbox.close, bus.close, database.engine.dispose],
        ),
    )
    return complete_app(app, parts)
