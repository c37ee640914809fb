"""What a booking costs the platform: the CPU time of all its processes, by the probes beside the load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units
from reports.digest import ok_requests
from reports.kinds import tags_of

if TYPE_CHECKING:
    from reports.frame import RunData

BOOKING: Final = "booking"
THE_LABS: Final = frozenset({"load", "mail"})
"""What is no part of the platform: where its load comes from, and where its mails go."""
SEEN: Final = 0.8
"""The share of the seconds in which a part must have been looked at; one that died was not."""
_US: Final = 1_000_000


def cpu_per_booking(data: RunData, since: int | None = None) -> float | None:
    """Give the platform's CPU time, in µs, for each booking that it accepted in the time that is judged.

    The processes are those that the stack started for it, a database and a broker of its own with them, and all their
    children. A probe says how many cores a part used since the last look: their mean, times the seconds.

    Args:
        data: the run.
        since: the second from which on it is judged, where that is not the end of its warm-up.

    Returns:
        None where the platform is not on this machine, a part was not looked at most of the time, or nothing was
        booked.
    """
    start = data.run.warmup if since is None else since
    seconds = data.seconds - start
    rows = data.metric("cpu", "gauge")
    rows = rows[(rows["second"] >= start) & (rows["second"] < data.seconds)]
    theirs = [tags for tags in rows["tags"].unique() if tags_of(str(tags)).get("process", "") not in THE_LABS]
    found = rows[rows["tags"].isin(theirs)].groupby("tags", observed=True)["value"].agg(["count", "mean"])
    booked = _accepted(data, start)
    if not len(found) or int(found["count"].min()) < SEEN * seconds or not booked:
        return None
    return float(found["mean"].sum()) * seconds * _US / booked


def facts(data: RunData) -> list[tuple[str, str]]:
    """Give what the platform spent, as a report shows it: what, and how much."""
    cost = cpu_per_booking(data)
    return [] if cost is None else [("CPU per booking", units.duration(cost))]


def _accepted(data: RunData, start: int) -> float:
    """Count the bookings that were accepted: requests that succeeded, less the refusals that were right answers."""
    if BOOKING not in data.operations:
        return 0.0
    place = data.operations.index(BOOKING)
    late = data.requests[data.requests["second"] >= start]
    whole, judged = (int(ok_requests(rows, len(data.operations))[place]) for rows in (data.requests, late))
    audit = data.run.integrity
    if audit is None or not audit.checked or not whole:
        return float(judged)
    # The audit knows how many of the run's were accepted, and not when.
    return judged * min(audit.bookings_accepted / whole, 1.0)
