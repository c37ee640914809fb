"""The reminder's table, and the messages, bodies and queries that it takes."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints
from sqlalchemy import Column, Integer, MetaData, String, Table, Text

from reference_services.common.clock import now
from reference_services.common.columns import Timestamp
from reference_services.common.fields import Body, Email, LongText, Moment, Name, Page, one_line
from reference_services.common.searching import Searched

PENDING, SUCCESS, FAILED = "PENDING", "SUCCESS", "FAILED"
TICKET, MAIL = "CREATE_TICKET", "SEND_BASIC_MAIL"

metadata = MetaData()

tickets = Table(
    "tickets",
    metadata,
    Column("id", Integer, primary_key=True),
    # What the message is known by: the same message twice makes one ticket. Null for those made by hand.
    Column("messageId", String(191), unique=True),
    # A mail without a ticket is kept here too, so that it is tried again and not lost; it is not listed.
    Column("kind", String(20), nullable=False),
    Column("subject", String(191), nullable=False),
    Column("content", Text, nullable=False),
    Column("recepientEmail", String(191), nullable=False),
    Column("status", String(10), nullable=False),
    Column("notificationTime", Timestamp, nullable=False),
    Column("tries", Integer, nullable=False),
    # When the mailer sends it; null when it will not any more.
    Column("dueAt", Timestamp),
    Column("createdAt", Timestamp, nullable=False),
    Column("updatedAt", Timestamp, nullable=False),
)

SEARCHED = (Searched("tickets_due", "tickets", ("dueAt",)),)

MessageId = Annotated[str, StringConstraints(min_length=1, max_length=191), AfterValidator(one_line)]


class NewTicket(Body):
    """What is mailed, to whom, and when."""

    subject: Name
    content: LongText
    recepient_email: Email
    notification_time: Moment = Field(default_factory=now)


class Message(Body):
    """A message from the bus."""

    service: Literal["CREATE_TICKET", "SEND_BASIC_MAIL"]
    data: NewTicket
    id: MessageId | None = None


class TicketQuery(Page):
    """Which tickets are listed."""

    status: Literal["PENDING", "SUCCESS", "FAILED"] | None = None
