"""Mailing the tickets that are due, with retries."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from reference_services.common.clock import now
from reference_services.reminder.compose import compose
from reference_services.reminder.mail import MailRefusedError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row

    from reference_services.reminder.mail import Mailbox
    from reference_services.reminder.store import TicketStore

log = logging.getLogger(__name__)

# Small, because a crash sends the mails of a batch that is not noted yet again.
BATCH = 10
WAITS = (timedelta(seconds=1), timedelta(seconds=4), timedelta(seconds=10))


class Mailer:
    """Sends what is due, in order.

    Mails are noted as sent by the batch: only a crash between the server's acceptance and that note can send
    one again, with the same Message-ID. While the database takes no notes, no further mail is sent.

    Args:
        store: the tickets.
        mailbox: who takes the mails.
        sender: from whom they are.
        waits: the waits between the tries at one mail; after the last try it is `FAILED`.
    """

    def __init__(self, store: TicketStore, mailbox: Mailbox, sender: str, waits: Sequence[timedelta] = WAITS) -> None:
        self._store = store
        self._mailbox = mailbox
        self._sender = sender
        self._waits = tuple(waits)
        self._accepted: list[int] = []

    def step(self) -> bool:
        """Mail a batch; true when there may be more.

        Raises:
            MailServerAwayError: the server is away; nothing counts as a try, and the task tries again later.
        """
        self._note()
        due = self._store.due(BATCH)
        if not due:
            self._mailbox.prove()
        try:
            for ticket in due:
                try:
                    self._mailbox.send(ticket.recepientEmail, self._composed(ticket))
                except MailRefusedError as refusal:
                    self._refused(ticket.id, ticket.tries, refusal)
                else:
                    self._accepted.append(ticket.id)
        finally:
            self._note()
        return len(due) == BATCH

    def _note(self) -> None:
        if self._accepted:
            self._store.sent(self._accepted)
            self._accepted = []

    def _composed(self, ticket: Row[*tuple[Any, ...]]) -> bytes:
        try:
            return compose(ticket, self._sender)
        except Exception as error:  # whatever is wrong with it, no other ticket may wait for this one
            raise MailRefusedError(f"cannot be written as a mail: {error!r}") from error

    def _refused(self, identity: int, tries: int, refusal: MailRefusedError) -> None:
        again: datetime | None = now() + self._waits[tries] if tries < len(self._waits) else None
        log.warning("mail refused: %s", refusal, extra={"ticket": identity})
        self._store.not_sent(identity, again)
