"""The quick way of writing mails says what the general one says."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from reference_services.reminder import compose as composing
from reference_services.reminder.compose import compose, compose_any

if TYPE_CHECKING:
    import pytest

SENDER = "tickets@airbourne.invalid"


def told(mail: bytes) -> tuple[Any, ...]:
    """Read a mail as its recipient would."""
    message = message_from_bytes(mail, policy=SMTP)
    names = ("From", "To", "Subject", "Message-ID", "MIME-Version")
    return (
        *(str(message[name]) for name in names),
        message["Date"] is not None,
        message.get_content_type(),
        message.get_content_charset(),
        message.get_content().replace("\r\n", "\n"),
    )


def ticket(subject: str, content: str, recipient: str = "ann@example.test", identity: str | None = "booking-7") -> Any:  # noqa: ANN401 - stands for a row
    """Give a ticket as the database gives it."""
    return SimpleNamespace(id=3, messageId=identity, subject=subject, content=content, recepientEmail=recipient)


@given(
    subject=st.text(
        st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=190
    ),
    content=st.text(
        st.one_of(st.characters(min_codepoint=32, max_codepoint=126), st.sampled_from("\n\té=?€")), max_size=300
    ),
    recipient=st.sampled_from(
        ["ann@example.test", "a.b+c@x-y.test", "o'hara@example.test", f"{'l' * 60}@example.test"]
    ),
    identity=st.sampled_from([None, "booking-7", "x" * 150]),
)
def test_both_ways_say_the_same(subject: str, content: str, recipient: str, identity: str | None) -> None:
    """Whatever a ticket holds, its recipient reads the same."""
    one = ticket(" ".join(subject.split()) or "x", content, recipient, identity)
    assert told(compose(one, SENDER)) == told(compose_any(one, SENDER))


def test_a_bookings_mail_is_written_the_quick_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What booking sends needs no general writer."""
    monkeypatch.delattr(composing, "EmailMessage")
    mail = compose(ticket("Booking 7 is booked", "Booking 7: 2 seat(s) on flight 3, 140 in all."), SENDER)
    assert told(mail)[2] == "Booking 7 is booked"


def test_nothing_in_a_ticket_becomes_a_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line break where a header stands is left to the general writer, which refuses it."""
    monkeypatch.setattr(composing, "compose_any", lambda *_: b"left to the general writer")
    for one in (ticket("a\r\nBcc: x@y.test", "c"), ticket("a", "c", "x@y.test\nBcc: z@y.test"), ticket("a\n", "c")):
        assert compose(one, SENDER) == b"left to the general writer"
