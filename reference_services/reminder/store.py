"""Tickets in the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.common.clock import iso, now
from reference_services.common.database import new_id
from reference_services.common.searching import Paging, by_scan
from reference_services.reminder.models import FAILED, PENDING, SUCCESS, TICKET, tickets

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Connection, Row

    from reference_services.common.database import Database
    from reference_services.reminder.models import Message, NewTicket, TicketQuery

SHOWN = ("id", "subject", "content", "recepientEmail", "status", "notificationTime", "createdAt", "updatedAt")
TIMES = frozenset({"notificationTime", "createdAt", "updatedAt"})

KNOWN = select(tickets.c.messageId).where(tickets.c.messageId.in_(bindparam("ids", expanding=True)))
ADD = insert(tickets)
DUE = (
    select(
        tickets.c.id,
        tickets.c.messageId,
        tickets.c.subject,
        tickets.c.content,
        tickets.c.recepientEmail,
        tickets.c.tries,
    )
    .where(tickets.c.dueAt <= bindparam("moment"))
    .order_by(tickets.c.dueAt, tickets.c.id)
    .limit(bindparam("most"))
)
SENT = (
    update(tickets)
    .where(tickets.c.id.in_(bindparam("tickets", expanding=True)))
    .values(status=SUCCESS, dueAt=None, tries=tickets.c.tries + 1, updatedAt=bindparam("moment"))
)
TRIED = (
    update(tickets)
    .where(tickets.c.id == bindparam("ticket"))
    .values(
        status=bindparam("new_status"),
        dueAt=bindparam("again"),
        tries=tickets.c.tries + 1,
        updatedAt=bindparam("moment"),
    )
)


class TicketStore:
    """The tickets of this service."""

    def __init__(self, database: Database, paging: Paging = by_scan) -> None:
        self._database = database
        self._paging = paging

    def add_from_messages(self, messages: Sequence[Message]) -> int:
        """Store the tickets of messages in one transaction, each message once; give how many were new."""
        rows: dict[str | int, dict[str, Any]] = {}
        for number, message in enumerate(messages):
            rows.setdefault(message.id or number, _row(message.data, message.service, message.id))
        ids = [identity for identity in rows if isinstance(identity, str)]

        def add(connection: Connection) -> int:
            known = set(connection.execute(KNOWN, {"ids": ids}).scalars()) if ids else set()
            new = [row for identity, row in rows.items() if identity not in known]
            if new:
                connection.execute(ADD, new)
            return len(new)

        try:
            return self._database.write(add)
        except IntegrityError:
            # Another reminder added one of them between our look and our insert; a second look finds it.
            return self._database.write(add)

    def add(self, ticket: NewTicket) -> dict[str, Any]:
        """Store a ticket that was made by hand."""
        row = _row(ticket, TICKET, None)
        made = self._database.write(lambda connection: new_id(connection.execute(ADD, row)))
        return shown({**row, "id": made})

    def list(self, query: TicketQuery) -> list[dict[str, Any]]:
        """Give a page of tickets, ordered by id."""
        conditions = [tickets.c.kind == TICKET]
        if query.status is not None:
            conditions.append(tickets.c.status == query.status)
        page = self._paging(select(*(tickets.c[name] for name in SHOWN)), tickets.c.id, conditions, query)
        rows = self._database.read(lambda connection: connection.execute(page).all())
        return [shown(dict(row._mapping)) for row in rows]  # noqa: SLF001 - SQLAlchemy's public name

    def due(self, most: int) -> Sequence[Row[*tuple[Any, ...]]]:
        """Give the tickets that should be mailed now."""
        values = {"moment": now(), "most": most}
        return self._database.read(lambda connection: connection.execute(DUE, values).all())

    def sent(self, ids: Sequence[int]) -> None:
        """Note that tickets were mailed."""
        if ids:
            values = {"tickets": list(ids), "moment": now()}
            self._database.write(lambda connection: connection.execute(SENT, values))

    def not_sent(self, identity: int, again: datetime | None) -> None:
        """Note that a mail was refused; it is tried again at a time, or never."""
        status = PENDING if again is not None else FAILED
        values = {"ticket": identity, "new_status": status, "again": again, "moment": now()}
        self._database.write(lambda connection: connection.execute(TRIED, values))


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """Give what clients see of a ticket."""
    return {name: iso(row[name]) if name in TIMES else row[name] for name in SHOWN}


def _row(ticket: NewTicket, kind: str, message_id: str | None) -> dict[str, Any]:
    moment = now()
    return {
        **ticket.model_dump(by_alias=True),
        "messageId": message_id,
        "kind": kind,
        "status": PENDING,
        "tries": 0,
        "dueAt": ticket.notification_time,
        "createdAt": moment,
        "updatedAt": moment,
    }
