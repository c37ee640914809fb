"""How long a traveller waits for the mail: from the accepted booking to the mail that is handed over. Pure."""

from __future__ import annotations

import re
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lab.facts import BOOKED
from lab.model.histogram import bin_of
from lab.model.sample import Tick, TrendKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lab.facts import FlightFacts
    from lab.model.sample import Tally

METRIC: Final = "notification_delay"
SENT: Final = "SUCCESS"
_KEY: Final = TrendKey(METRIC, "mail", ())
_US: Final = 1_000_000
# The platform names a booking's mail by the booking, in its Message-ID and in its ticket's subject.
_MESSAGE_ID: Final = re.compile(r"<booking-([A-Za-z0-9-]+)\.ticket@[^>]*>")
_SUBJECT: Final = re.compile(r"Booking (\S+) is booked")


class Delivery(NamedTuple):
    """A booking's first mail: when the booking was accepted and when the mail came, in seconds since the epoch."""

    accepted: float
    received: float


def by_mail(flights: Iterable[FlightFacts], mails: Iterable[Mapping[str, Any]]) -> list[Delivery]:
    """Match the run's bookings with the mails that the lab keeps."""
    arrived = ((_MESSAGE_ID.fullmatch(str(mail.get("message_id"))), mail.get("received")) for mail in mails)
    return _deliveries(flights, ((found[1], when) for found, when in arrived if found))


def by_ticket(flights: Iterable[FlightFacts], tickets: Iterable[Mapping[str, Any]]) -> list[Delivery]:
    """Match them with the tickets, where another mail server takes the mails: a ticket says when it was mailed."""
    sent = [ticket for ticket in tickets if ticket.get("status") == SENT]
    found = ((_SUBJECT.fullmatch(str(ticket.get("subject"))), _moment(ticket.get("updatedAt"))) for ticket in sent)
    return _deliveries(flights, ((name[1], when) for name, when in found if name))


def ticks(deliveries: Iterable[Delivery], start: float) -> list[Tick]:
    """Give the delays as seconds of a run; each belongs to the second in which its mail came.

    Args:
        deliveries: what was delivered.
        start: when second 0 began, in seconds since the epoch.
    """
    seconds: dict[int, Counter[int]] = {}
    for accepted, received in deliveries:
        bins = seconds.setdefault(max(int(received - start), 0), Counter())
        bins[bin_of(int((received - accepted) * _US))] += 1
    return [Tick(second, {_KEY: bins}) for second, bins in sorted(seconds.items())]


def add(tally: Tally, delays: Sequence[Tick]) -> None:
    """Add delays to a run's sum; mails that come after the load make it no longer."""
    seconds = tally.seconds
    for tick in delays:
        tally.add(tick)
    tally.seconds = seconds


def _deliveries(flights: Iterable[FlightFacts], arrived: Iterable[tuple[str, object]]) -> list[Delivery]:
    accepted = _accepted(flights)
    first: dict[str, float] = {}
    for name, when in arrived:
        if name in accepted and isinstance(when, (int, float)):
            first[name] = min(float(when), first.get(name, float(when)))
    return [Delivery(accepted[name], when) for name, when in first.items()]


def _accepted(flights: Iterable[FlightFacts]) -> dict[str, float]:
    """Give when each new booking that stands was accepted."""
    found = {}
    for facts in flights:
        known = {booking.id for booking in facts.before or ()}
        for booking in facts.after or ():
            moment = _moment(booking.updated)
            if booking.id not in known and booking.status == BOOKED and moment is not None:
                found[str(booking.id)] = moment
    return found


def _moment(text: object) -> float | None:
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    # A time without a zone may be any: no figure is better than one that is hours off.
    return moment.timestamp() if moment.tzinfo else None
