"""The audit in words: each of its figures with the sentence that says what it means."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lab.model.words import counted
from reports import units
from reports.words import Mark

if TYPE_CHECKING:
    from lab.model.verdict import FlightDefect, Integrity


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One figure of the audit in words."""

    mark: Mark
    metric: str
    figure: str
    sentence: str


def lines(integrity: Integrity | None) -> list[AuditLine]:
    """Write the audit figure by figure; what was not checked is never shown as good."""
    if integrity is None:
        return [AuditLine(Mark.NONE, "audit", "not made", "whether what was sold is still true is not known")]
    if not integrity.checked:
        return [AuditLine(Mark.BAD, "audit", "nothing checked", "the audit could check nothing, so it proves nothing")]
    return [
        _oversold(integrity),
        _lost(integrity),
        _missing_bookings(integrity),
        _unexpected_bookings(integrity),
        _missing_notifications(integrity),
        _unexpected_notifications(integrity),
    ]


def _line(metric: str, figure: int | None, good: str, bad: str) -> AuditLine:
    if figure is None:
        return AuditLine(Mark.BAD, metric, "not checked", "this could not be checked, so it proves nothing")
    return AuditLine(Mark.BAD if figure else Mark.GOOD, metric, units.whole(figure), bad if figure else good)


def _oversold(integrity: Integrity) -> AuditLine:
    figure = integrity.seats_oversold
    worst = sorted((d for d in integrity.defects if d.oversold > 0), key=lambda d: -d.oversold)
    return _line(
        "seats_oversold",
        figure,
        f"no seat was sold that does not exist, on {counted(integrity.flights_checked, 'flight')}",
        f"{counted(figure or 0, 'seat')} {_were(figure)} sold that did not exist{_example(worst)}",
    )


def _lost(integrity: Integrity) -> AuditLine:
    figure = integrity.seats_lost
    worst = sorted((d for d in integrity.defects if d.defect), key=lambda d: -abs(d.defect))
    return _line(
        "seats_lost",
        figure,
        f"seats left and seats booked add up, on {counted(integrity.flights_checked, 'flight')}",
        f"the flights' counters and their bookings disagree about {counted(figure or 0, 'seat')}{_example(worst)}",
    )


def _missing_bookings(integrity: Integrity) -> AuditLine:
    figure, unknown = integrity.bookings_missing, integrity.bookings_unknown
    lost = f"; {units.whole(unknown)} more had no answer and may stand or not" if unknown else ""
    return _line(
        "bookings_missing",
        figure,
        f"{_accepted(integrity.bookings_accepted)} found in the database{lost}",
        f"{counted(figure or 0, 'booking')} {_were(figure)} answered as booked, and not found as such "
        f"({units.whole(integrity.bookings_accepted)} accepted, {units.whole(integrity.bookings_found)} found{lost})",
    )


def _unexpected_bookings(integrity: Integrity) -> AuditLine:
    figure = integrity.bookings_unexpected
    return _line(
        "bookings_unexpected",
        figure,
        "the database holds no booking that was not asked for",
        f"{counted(figure or 0, 'booking')} in the database {_were(figure)} not asked for, or not with these seats "
        "or at this price",
    )


def _missing_notifications(integrity: Integrity) -> AuditLine:
    figure = integrity.notifications_missing
    drained = f"{units.clock(integrity.drain_seconds)} after the load ended"
    return _line(
        "notifications_missing",
        figure,
        f"every booking was notified ({counted(integrity.notifications_found, 'mail')}, {drained})",
        f"{counted(figure or 0, 'booking')} {_were(figure)} never notified "
        f"({counted(integrity.notifications_found, 'mail')} found, {drained})",
    )


def _unexpected_notifications(integrity: Integrity) -> AuditLine:
    figure = integrity.notifications_unexpected
    return _line(
        "notifications_unexpected",
        figure,
        "no booking was notified twice, and nobody else was",
        f"{counted(figure or 0, 'mail')} {_were(figure)} sent beyond one for each booking",
    )


def _accepted(number: int) -> str:
    if not number:
        return "no booking was accepted, and none was to be"
    return (
        "the one booking that was accepted was" if number == 1 else f"all {units.whole(number)} accepted bookings were"
    )


def _were(figure: int | None) -> str:
    return "was" if figure == 1 else "were"


def _example(defects: list[FlightDefect]) -> str:
    if not defects:
        return ""
    worst = defects[0]
    more = f"; and {counted(len(defects) - 1, 'other flight')}" if len(defects) > 1 else ""
    return (
        f" (flight {units.plain(worst.number, 40)}: capacity {units.whole(worst.capacity)}, "
        f"booked {units.whole(worst.booked)}, left {units.whole(worst.left)}{more})"
    )
