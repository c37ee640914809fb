"""What the mail sink says to a sender, and which mails it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.stack.smtp import MOST_LINE_BYTES, Conversation

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Sequence

Mail = tuple[str, list[str], bytes]


class Wire:
    """Stands in for asyncio's transport: keeps what is written."""

    def __init__(self) -> None:
        self.said = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.said += data

    def is_closing(self) -> bool:
        """Tell whether it was closed."""
        return self.closed

    def close(self) -> None:
        """Note it."""
        self.closed = True


def talk(pieces: Sequence[bytes]) -> tuple[list[str], list[Mail], Wire]:
    """Give the replies' codes, the mails that were taken, and the wire."""
    wire, mails = Wire(), list[Mail]()

    def take(sender: str, recipients: list[str], content: bytes) -> str:
        mails.append((sender, list(recipients), content))
        return "250 Kept"

    conversation = Conversation(take)
    conversation.connection_made(cast("asyncio.Transport", wire))
    for piece in pieces:
        conversation.data_received(piece)
    lines = wire.said.decode().split("\r\n")[:-1]
    return [line[:3] for line in lines if line[3:4] == " "], mails, wire


MAIL = b"MAIL FROM:<a@b.test> SIZE=3\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@f.test>\r\nDATA\r\n"


def test_a_mail_is_taken_with_its_sender_and_all_recipients() -> None:
    """What stands between DATA and the dot is the mail, and QUIT ends the connection."""
    codes, mails, wire = talk([b"EHLO x\r\n" + MAIL + b"Subject: x\r\n\r\nhello\r\n.\r\nQUIT\r\n"])

    assert mails == [("a@b.test", ["c@d.test", "e@f.test"], b"Subject: x\r\n\r\nhello\r\n")]
    assert codes == ["220", "250", "250", "250", "250", "354", "250", "221"]
    assert wire.closed


@given(
    st.lists(st.lists(st.sampled_from([b".", b"..", b"x", b"\r", b"\n", b"\r\n", b"\r\n.x"])), max_size=4),
    st.lists(st.integers(1, 9), min_size=1),
)
def test_any_mail_in_any_pieces_arrives_as_it_was_written(texts: list[list[bytes]], sizes: list[int]) -> None:
    """Lines that begin with a dot are sent with one more (RFC 5321, 4.5.2) and kept without, however TCP cuts them."""
    contents = [b"".join(parts) + b"\r\n" for parts in texts]
    stuffed = [content.replace(b"\r\n.", b"\r\n..") for content in contents]
    sent = b"HELO x\r\n" + b"".join(
        MAIL + (b"." if content.startswith(b".") else b"") + content + b".\r\n" for content in stuffed
    )
    pieces: list[bytes] = []
    at = 0
    while at < len(sent):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(sent[at : at + size])
        at += size

    codes, mails, _ = talk(pieces)

    assert [content for _, _, content in mails] == contents
    assert codes == ["220", "250"] + ["250", "250", "250", "354", "250"] * len(contents)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"MAIL FROM:<a@b.test>", "503"),
        (b"EHLO", "501"),
        (b"EHLO x\r\nRCPT TO:<a@b.test>", "503"),
        (b"EHLO x\r\nMAIL FROM:a@b.test", "501"),
        (b"EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<>", "501"),
        (b"EHLO x\r\nMAIL FROM:<>\r\nDATA", "503"),
        (b"EHLO x\r\nMAIL FROM:<a@b.test>\r\nMAIL FROM:<a@b.test>", "503"),
        (b"STARTTLS", "500"),
        (b"\xff\xfe", "500"),
    ],
)
def test_what_is_out_of_order_is_refused_and_the_connection_goes_on(said: bytes, code: str) -> None:
    """A command that makes no sense has its own reply; the next one is answered as ever."""
    codes, mails, wire = talk([said + b"\r\nNOOP\r\n"])

    assert codes[-2:] == [code, "250"]
    assert (mails, wire.closed) == ([], False)


def test_a_line_without_an_end_is_not_read_for_ever() -> None:
    """A sender of endless lines is told so and hung up on."""
    codes, _, wire = talk([b"x" * (MOST_LINE_BYTES + 1)])

    assert codes == ["220", "500"]
    assert wire.closed


def test_a_mail_that_is_reset_leaves_nothing_behind() -> None:
    """RSET forgets sender and recipients; the next mail has its own only."""
    begun = b"EHLO x\r\nMAIL FROM:<old@b.test>\r\nRCPT TO:<old@d.test>\r\nRSET\r\n"

    _, mails, _ = talk([begun + MAIL + b".\r\n"])

    assert mails == [("a@b.test", ["c@d.test", "e@f.test"], b"")]
