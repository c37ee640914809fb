"""Writing a ticket as a mail: one way for any text, and a quick one for plain text; one strategy per profile."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Row

if TYPE_CHECKING:
    from reference_services.common.profile import Profile

Compose = Callable[[Row[Any], str], bytes]
"""Writes a ticket's mail from a sender; its Message-ID stays the same when it is sent again."""

ADDRESS: Final = re.compile(r"[A-Za-z0-9._+-]{1,32}@[A-Za-z0-9.-]{1,32}")
# One line without anything that a header would have to encode or fold.
SUBJECT: Final = re.compile(r"(?!.*=\?)[!-~](?:[ -~]{0,58}[!-~])?")
TEXT: Final = re.compile(r"[ -~]{0,900}(?:\n[ -~]{0,900}){0,50}")
LONGEST_ID: Final = 64


def compose(ticket: Row[Any], sender: str) -> bytes:
    """Write any ticket's mail."""
    mail = EmailMessage(policy=SMTP)
    mail["From"] = sender
    mail["To"] = str(ticket.recepientEmail)
    mail["Subject"] = str(ticket.subject)
    mail["Date"] = formatdate()
    mail["Message-ID"] = message_id(ticket)
    mail.set_content(str(ticket.content))
    return mail.as_bytes()


def compose_plain(ticket: Row[Any], sender: str) -> bytes:
    """Write a ticket's mail without a parser for what needs none: short, in ASCII, without anything special."""
    recipient, subject, content, identity = ticket.recepientEmail, ticket.subject, ticket.content, message_id(ticket)
    addresses = ADDRESS.fullmatch(sender) and ADDRESS.fullmatch(recipient)
    texts = SUBJECT.fullmatch(subject) and TEXT.fullmatch(content)
    if not addresses or not texts or len(identity) > LONGEST_ID:
        return compose(ticket, sender)
    lines = (
        f"From: {sender}",
        f"To: {recipient}",
        f"Subject: {subject}",
        f"Date: {formatdate()}",
        f"Message-ID: {identity}",
        'Content-Type: text/plain; charset="utf-8"',
        "Content-Transfer-Encoding: 7bit",
        "MIME-Version: 1.0",
        "",
        *content.removesuffix("\n").split("\n"),
        "",
    )
    return "\r\n".join(lines).encode("ascii")


def message_id(ticket: Row[Any]) -> str:
    """Give what a ticket's mail is known by: its message's id, or its own when it was made by hand."""
    name = str(ticket.messageId or f"ticket-{ticket.id}")
    safe = "".join(character if character.isascii() and character.isalnum() else "-" for character in name)
    return f"<{safe}.ticket@airbourne.local>"


def compose_of(profile: Profile) -> Compose:
    """Choose the profile's way of writing mails."""
    return compose_plain if profile.mails == "plain" else compose
