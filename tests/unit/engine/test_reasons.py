"""Why a request failed, in words that can be counted."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.engine.reasons import MAX_REASON, reason


@dataclass
class Answer:
    """An answer as Locust hands it over."""

    status_code: int
    text: str | None


class CatchResponseError(Exception):
    """What Locust makes of `response.failure("…")`."""


def said(text: str | None, status: int = 503) -> str:
    """Give the reason for an answer with this body."""
    return reason(OSError("bad status"), Answer(status, text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"message": "flight 17 has 3 seats left"}', "HTTP 503: flight # has # seats left"),
        ('{"message": ""}', "HTTP 503"),
        ('{"message": null}', "HTTP 503: None"),
        ('{"error": 1}', 'HTTP 503: {"error": #}'),
        ("[1, 2]", "HTTP 503: [#, #]"),
        ("<h1>Bad\n  gateway</h1>", "HTTP 503: <h#>Bad gateway</h#>"),
        ("", "HTTP 503"),
        (None, "HTTP 503"),
        ('{"message": "\\ud800"}', "HTTP 503: ?"),
        ("[" * 200_000, "HTTP 503: " + "[" * (MAX_REASON - 10)),
    ],
)
def test_an_error_answer_is_its_status_and_message(text: str | None, words: str) -> None:
    """The contract's message where there is one, else the body; numbers become #, the status stays."""
    assert said(text) == words


def test_ids_are_the_same_reason() -> None:
    """UUIDs and hexadecimal ids become #, those without a digit at their beginning as well; words stay."""
    ids = [str(uuid4()), uuid4().hex, "abcdefab-1234-4abc-8abc-0123456789ab", "deadbeef01", "0123456789abcdef"]

    assert {said(f"booking {name} is gone") for name in ids} == {"HTTP 503: booking # is gone"}
    assert said("a defaced facade") == "HTTP 503: a defaced facade"


def test_without_an_answer_it_is_the_error() -> None:
    """Kind and words of the error, or the kind alone."""
    assert reason(ConnectionRefusedError(111, "Connection refused"), None) == (
        "ConnectionRefusedError: [Errno #] Connection refused"
    )
    assert reason(TimeoutError(), Answer(0, None)) == "TimeoutError"


def test_the_users_own_words_go_first() -> None:
    """What a script says with `response.failure` is the reason, whatever the status."""
    assert reason(CatchResponseError("wrong seats: 3"), Answer(200, '{"message": "fine"}')) == "wrong seats: #"
    assert reason(CatchResponseError(""), Answer(200, "")) == "CatchResponseError"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(), max_size=800), st.sampled_from([0, 200, 404, 503]))
def test_a_reason_is_one_short_line_that_can_be_written(text: str, status: int) -> None:
    """Whatever a target answers."""
    found = reason(OSError(text), Answer(status, text))

    assert 0 < len(found) <= MAX_REASON
    assert len(found.splitlines()) == 1
    assert found.encode("utf-8")


class Spoilt:
    """An answer whose body cannot be unpacked."""

    status_code = 500

    @property
    def text(self) -> str:
        """Fail as a spoilt gzip does."""
        raise OSError("Not a gzipped file")


def test_an_answer_that_cannot_be_read_has_a_reason() -> None:
    """A body that cannot be unpacked does not lose the request: it failed, by its status."""
    assert reason(ValueError("x"), Spoilt()) == "HTTP 500: an answer that cannot be read"
