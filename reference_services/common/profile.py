"""A profile: which of its ways of working the platform uses, as one frozen value that a service reads once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from reference_services.common.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Profile:
    """One rung of the ladder of optimizations; each field picks a strategy, in one place of one service.

    Attributes:
        name: what `PROFILE` says.
        seats: how booking takes seats: in one atomic statement at flights, or by reading the number of seats
            left and writing back an absolute one.
        notify: how a booking's notification leaves: written with the booking and published after it, or
            published straight after the commit.
        acknowledge: when the reminder acknowledges a message: after or before it is handled.
        token_check: who checks a token for the gateway.
        access_log: whether each request is logged (a line at INFO, written by the thread that answers), unless
            LOG_LEVEL says otherwise; those that failed or took over a second always are.
    """

    name: str
    seats: Literal["atomic", "read-modify-write"] = "atomic"
    notify: Literal["outbox", "direct"] = "outbox"
    acknowledge: Literal["after", "before"] = "after"
    token_check: Literal["auth"] = "auth"  # noqa: S105 - a way of checking, no token
    access_log: bool = False


AS_FOUND = Profile(name="as-found", seats="read-modify-write", notify="direct", acknowledge="before", access_log=True)
SAFE = Profile(name="safe")

PROFILES = {profile.name: profile for profile in (AS_FOUND, SAFE)}


def profile_named(name: str) -> Profile:
    """Give the profile of this name.

    Raises:
        ConfigError: there is none; the sentence lists those that there are.
    """
    try:
        return PROFILES[name]
    except KeyError:
        known = ", ".join(sorted(PROFILES))
        raise ConfigError(f'PROFILE: there is no profile "{name}"; known are: {known}') from None
