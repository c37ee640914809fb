"""Mailing the tickets that are due, with retries."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reference_services.common.clock import now
from reference_services.reminder.compose import compose
from reference_services.reminder.mail import HungUpError, MailRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from reference_services.reminder.mail import Mailbox
    from reference_services.reminder.store import TicketStore

    Ticket = Row[*tuple[Any, ...]]

log = logging.getLogger(__name__)

# Small, because a crash sends the mails of a batch that is not noted yet again.
BATCH = 10
# So many mails at which the server hung up are known apart; an outage may make many of them.
MOST_SUSPECTS = 200
WAITS = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=10))


class Mailer:
    """Sends what is due, in order.

    Mails are noted as sent by the batch: only a crash between the server's acceptance and that note can send
    one again, with the same Message-ID. While the database takes no notes, no further mail is sent.

    A mail at which the server hung up is tried again behind all others, one at a time: the server may have been
    going away, or it may hang up at this mail whenever it comes, and nobody else's shall wait for that.

    Args:
        store: the tickets.
        mailbox: who takes the mails.
        sender: from whom they are.
        waits: the waits between the tries at one mail; after the last try it is `FAILED`.
    """

    def __init__(
        self,
        store: TicketStore,
        mailbox: Mailbox,
        sender: str,
        waits: Sequence[timedelta] = WAITS,
    ) -> None:
        self._store = store
        self._mailbox = mailbox
        self._sender = sender
        self._waits = tuple(waits)
        self._accepted: list[int] = []
        self._suspects: dict[int, None] = {}  # in the order of their last try

    def step(self) -> bool:
        """Mail a batch; true when there may be more.

        Raises:
            MailServerAwayError: the server is away; nothing counts as a try, and the task tries again later.
        """
        self._note()
        due = self._next()
        if not due:
            self._mailbox.prove()
        try:
            for ticket in due:
                self._send(ticket)
        finally:
            self._note()
        return len(due) == BATCH or (bool(due) and bool(self._suspects))

    def _next(self) -> Sequence[Ticket]:
        """Give a batch of those that nothing speaks against, or else the suspect that has waited longest."""
        found = self._store.due(BATCH + len(self._suspects))
        others = [ticket for ticket in found if ticket.id not in self._suspects]
        waited = list(self._suspects)
        return others[:BATCH] or sorted(found, key=lambda ticket: waited.index(ticket.id))[:1]

    def _send(self, ticket: Ticket) -> None:
        try:
            self._mailbox.send(ticket.recepientEmail, self._composed(ticket))
        except MailRefusedError as refusal:
            self._refused(ticket.id, ticket.tries, refusal)
        except HungUpError:
            self._suspects.pop(ticket.id, None)
            if len(self._suspects) < MOST_SUSPECTS:
                self._suspects[ticket.id] = None
            raise
        else:
            self._accepted.append(ticket.id)
        self._suspects.pop(ticket.id, None)

    def _note(self) -> None:
        if self._accepted:
            self._store.sent(self._accepted)
            self._accepted = []

    def _composed(self, ticket: Ticket) -> bytes:
        try:
            return compose(ticket, self._sender)
        except Exception as error:  # whatever is wrong with it, no other ticket may wait for this one
            raise MailRefusedError(f"cannot be written as a mail: {error!r}") from error

    def _refused(self, identity: int, tries: int, refusal: MailRefusedError) -> None:
        again: datetime | None = now() + self._waits[tries] if tries < len(self._waits) else None
        log.warning("mail refused: %s", refusal, extra={"ticket": identity})
        self._store.not_sent(identity, again)
