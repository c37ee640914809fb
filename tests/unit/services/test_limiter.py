"""The gateway's rate limit."""

from __future__ import annotations

import pytest

from reference_services.common.errors import Refusal
from reference_services.gateway.limiter import WINDOW_S, Limiter


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.moment = 10.0

    def __call__(self) -> float:
        """Give the time that was set."""
        return self.moment


def test_an_address_over_its_limit_is_refused_and_told_when_to_come_back() -> None:
    """The request after the last allowed one is a 429 whose Retry-After ends the window."""
    limiter = Limiter(2, Clock())
    limiter.admit("a")
    limiter.admit("a")
    with pytest.raises(Refusal) as refused:
        limiter.admit("a")
    assert refused.value.status == 429
    assert refused.value.headers == {"Retry-After": str(WINDOW_S - 10 + 1)}


def test_addresses_are_counted_apart() -> None:
    """One client at its limit does not hold up another."""
    limiter = Limiter(1, Clock())
    limiter.admit("a")
    limiter.admit("b")
    with pytest.raises(Refusal):
        limiter.admit("b")


def test_the_next_window_starts_at_zero() -> None:
    """An address that was refused is admitted again a minute later."""
    clock = Clock()
    limiter = Limiter(1, clock)
    limiter.admit("a")
    clock.moment += WINDOW_S
    limiter.admit("a")
