"""Profiles: which of its ways of working the platform uses, as one frozen value that a service reads once.

The ladder is a list of changes, each on top of those before it. A profile is a rung of it (`indexed`: that change and
all below it), or a rung with single changes beside it (`safe+indexed`: that change on `safe`, and nothing between).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import Any, Final, Literal

from reference_services.common.errors import ConfigError

NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
ALSO: Final = "+"


@dataclass(frozen=True, slots=True)
class Profile:
    """How the platform works; each field picks a strategy, in one place of one service. The defaults are `as-found`.

    Attributes:
        name: what `PROFILE` says.
        seats: how booking takes seats: by reading the number of seats left and writing back an absolute one, or in
            one atomic statement at flights.
        notify: how a booking's notification leaves: published straight after the commit, or written with the
            booking and published after it.
        acknowledge: when the reminder acknowledges a message: before or after it is handled.
        connections: whether a call to another service has a connection of its own, and how many connections to its
            database a service keeps.
        token_check: who checks a token for the gateway.
        search: whether lists are found by indexes beyond the keys, and their pages by key.
        bookings: whether each booking has transactions and a reservation call of its own, or shares them with those
            that come at the same time.
        exchange: who speaks HTTP between services: a general client, or one for what our services say.
        json: who writes answers.
        access_log: whether each request is logged (a line at INFO, written by the thread that answers), unless
            LOG_LEVEL says otherwise; those that failed or took over a second always are.
        workers: how many processes serve a service.
    """

    name: str
    seats: Literal["read-modify-write", "atomic"] = "read-modify-write"
    notify: Literal["direct", "outbox"] = "direct"
    acknowledge: Literal["before", "after"] = "before"
    connections: Literal["per-call", "kept"] = "per-call"
    token_check: Literal["auth", "local"] = "auth"  # noqa: S105 - a way of checking, no token
    search: Literal["scan", "index"] = "scan"
    bookings: Literal["alone", "together"] = "alone"
    exchange: Literal["general", "lean"] = "general"
    json: Literal["standard", "fast"] = "standard"
    access_log: bool = True
    workers: Literal["one", "by-cores"] = "one"


@dataclass(frozen=True, slots=True)
class Change:
    """One rung of the ladder.

    Attributes:
        name: of the change, and of the profile that has it and all before it.
        changes: what it changes.
        gains: what it should gain, and where.
        sets: the fields of a profile that it sets.
        needs: changes without which it is none.
    """

    name: str
    changes: str
    gains: str
    sets: Mapping[str, Any] = field(default_factory=lambda: NOTHING, repr=False)
    needs: tuple[str, ...] = ()


CHANGES: Final = (
    Change(
        "as-found",
        "The first version: a connection per call, five to the database; each token checked at auth, which asks its "
        "database; seats read, then written; a commit per step; no index beyond the keys; a log line per request.",
        "Nothing: it is what the others are compared with. It sells seats twice and loses notifications.",
    ),
    Change(
        "safe",
        "Seats are taken in one atomic statement, once per key. Notifications are written with their booking, and "
        "acknowledged after they are handled.",
        "No seat is sold twice, no booking or notification is lost. One call to flights per booking instead of two.",
        MappingProxyType({"seats": "atomic", "notify": "outbox", "acknowledge": "after"}),
    ),
    Change(
        "pooled",
        "Connections between services are kept alive. Each database has as many connections as Little's law asks for, "
        "and they are not tried out before each use.",
        "No handshake per call and no question before each transaction; nobody waits for one of five connections.",
        MappingProxyType({"connections": "kept"}),
    ),
    Change(
        "local-tokens",
        "The gateway verifies tokens itself: signature (several keys, so that they can be changed), end, and a list of "
        "revocations that is at most a second old; when it is older, auth is asked as before.",
        "One call and one query fewer per request; auth is left to those who sign in.",
        MappingProxyType({"token_check": "local"}),
    ),
    Change(
        "indexed",
        "Indexes for what is searched: flights by route, bookings by flight and by user, what is due. A page far down "
        "a list is found by its keys, and only its own rows are read.",
        "Searches and audits no longer read whole tables; so do the background tasks, which look several times a "
        "second. The more rows, the more it gains.",
        MappingProxyType({"search": "index"}),
    ),
    Change(
        "lean",
        "Bookings that come at the same time are made together: one transaction begins them, one call reserves their "
        "seats, one transaction ends them, with their notifications. Services call each other by a client made for "
        "that, answers are written by a faster JSON, and requests that went well are not logged.",
        "Per booking a share of three commits and one call, instead of all of them; the more users at once, the more.",
        MappingProxyType({"bookings": "together", "exchange": "lean", "json": "fast", "access_log": False}),
        needs=("safe",),
    ),
    Change(
        "scaled",
        "Worker processes per service by the machine's cores; background tasks run in one of them.",
        "Python uses one core per process: more cores, more bookings. On two cores, which are full already, nothing.",
        MappingProxyType({"workers": "by-cores"}),
    ),
)
LADDER: Final = tuple(change.name for change in CHANGES)
_BY_NAME: Final = MappingProxyType({change.name: change for change in CHANGES})
_BELOW: Final = MappingProxyType(dict(zip(LADDER, accumulate((name,) for name in LADDER), strict=True)))


def profile_named(name: str) -> Profile:
    """Give the profile of this name: `RUNG` or `RUNG+CHANGE…`.

    Raises:
        ConfigError: there is none; the sentence lists the changes that there are, or says what is missing.
    """
    rung, *more = name.split(ALSO)
    if unknown := [word for word in (rung, *more) if word not in _BY_NAME]:
        known = ", ".join(LADDER)
        raise ConfigError(f'PROFILE: there is no profile "{name}" ("{unknown[0]}" is no change); known are: {known}')
    has = list(_BELOW[rung])
    for word in more:
        if word in has:
            raise ConfigError(f'PROFILE: "{name}" has {word} twice; leave it out')
        has.append(word)
    for word in has:
        if lacking := [needed for needed in _BY_NAME[word].needs if needed not in has]:
            raise ConfigError(f'PROFILE: in "{name}" {word} needs {lacking[0]} too')
    values = {key: value for word in has for key, value in _BY_NAME[word].sets.items()}
    return Profile(name=name, **values)
