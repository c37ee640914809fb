"""Writing a ticket as a mail."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Row


def compose(ticket: Row[object], sender: str) -> bytes:
    """Write a ticket's mail; its Message-ID stays the same when it is sent again."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = str(ticket.recepientEmail)
    mail["Subject"] = str(ticket.subject)
    mail["Date"] = formatdate()
    mail["Message-ID"] = message_id(ticket)
    mail.set_content(str(ticket.content))
    return mail.as_bytes()


def message_id(ticket: Row[object]) -> str:
    """Give what a ticket's mail is known by: its message's id, or its own when it was made by hand."""
    name = str(ticket.messageId or f"ticket-{ticket.id}")
    safe = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    return f"<{safe}.ticket@airbourne.local>"
