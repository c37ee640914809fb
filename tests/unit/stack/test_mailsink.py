"""What is kept of a mail."""

from __future__ import annotations

from email.message import EmailMessage

from lab.stack.mailsink import record


def test_encoded_words_and_parts_are_readable() -> None:
    """A subject in encoded words and the plain part of a mail with HTML come out as a person reads them."""
    mail = EmailMessage()
    mail["Message-ID"] = "<1@x>"
    mail["Subject"] = "Gebucht: Zürich"
    mail.set_content("Grüße")
    mail.add_alternative("<p>Grüße</p>", subtype="html")

    kept = record("a@b.test", ["c@d.test"], mail.as_bytes())

    assert kept["subject"] == "Gebucht: Zürich"
    assert str(kept["body"]).strip() == "Grüße"
    assert kept["message_id"] == "<1@x>"


def test_a_broken_mail_is_kept_all_the_same() -> None:
    """No headers, an unknown character set or a broken encoded word lose no mail."""
    assert record("", [], b"\r\nhello")["body"] == "hello"
    assert record("", [], b"Content-Type: text/plain; charset=klingon\r\n\r\nhello")["body"] == "hello"
    assert record("", [], b"Subject: =?klingon?Q?x?=\r\n\r\n")["subject"] == "=?klingon?Q?x?="
    assert record("", [], b"")["message_id"] == ""
