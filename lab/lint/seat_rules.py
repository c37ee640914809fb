"""Rules on what is booked: more seats than there are, and too few flights for those who book at once."""

from __future__ import annotations

from math import ceil, sqrt
from typing import TYPE_CHECKING, Final

from lab.gates.limits import ROWS_PER_USER
from lab.lint import plan as figures
from lab.lint.routine import ASSUMED
from lab.model.lint import Remark, Severity
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.lint.plan import Plan

SPREAD: Final = 1.2
"""How much wider than its mean alone would have it the number of seats of a booking spreads."""
ROOM: Final = 1.25
_BOOKED: Final = ("one", "all")


def seats(plan: Plan) -> Iterator[Remark]:
    """The plan asks for more seats than there are, on all flights together or on the smallest of them."""
    for flights in _BOOKED:
        remark = _seats(plan.booking(flights))
        if remark is not None:
            yield remark


def _seats(plan: Plan) -> Remark | None:
    """Look at loads that book the same flights."""
    wanted = plan.seats
    if not wanted or not plan.supply.flights:
        return None
    supply = plan.supply
    if wanted > supply.total:
        sentence = (
            f"{_asked(plan)}; there are {supply.total:,.0f} ({supply.words}). "
            f"At {plan.highest(figures.bookings):.3g} bookings/s at the peak they will run out after "
            f"{plan.sold_out_after():.0f} of {plan.scenario.duration:.0f} s"
        )
        return _unless_meant(plan, Remark("seats-run-out", Severity.ERROR, sentence, _more_seats(plan)))
    each, number = wanted / supply.flights, plan.bookings or plan.iterations
    most = each + 3 * sqrt(number / supply.flights) * (wanted / number) * SPREAD
    if most <= supply.fewest:
        return None
    sentence = (
        f"{_asked(plan)}; that is {each:,.0f} a flight, and by chance up to {most:,.0f}, where the smallest flight has "
        f"{supply.fewest:,}: some flights will run out before the end"
    )
    return _unless_meant(plan, Remark("seats-run-out", Severity.WARNING, sentence, _more_seats(plan)))


def _asked(plan: Plan) -> str:
    parts = [part for part in plan.parts if part.does.seats]
    each = [
        f"{part.mark}{part.iterations_words}, × {part.does.seats:g} seats = "
        f"{part.iterations * part.does.seats:,.0f} seats"
        for part in parts
    ]
    whole = f"; together {sum(p.iterations * p.does.seats for p in parts):,.0f} seats" if len(parts) > 1 else ""
    share = plan.let_through
    held = "" if share == 1 else f", of which rps = {plan.scenario.rps:g} lets {plan.seats:,.0f} ({share:.0%}) through"
    return "; ".join(each) + whole + held


def _more_seats(plan: Plan) -> str:
    fewest = max(plan.scenario.data.seats[0], 1)
    needed = ceil(plan.seats * ROOM / fewest)
    where = "give it" if any(part.does.flights == "all" for part in plan.parts) else "spread the bookings over"
    return (
        f"{where} {needed:,} flights of {fewest:,} seats or more ([data] flights = {needed}), or make the load smaller"
    )


def hot_row(plan: Plan) -> Iterator[Remark]:
    """Few flights for many requests at once: the test measures who waits for a row."""
    for flights in _BOOKED:
        some = plan.booking(flights)
        if not some.parts or some.supply.flights >= ROWS_PER_USER * some.at_once:
            continue
        moment, needed = some.busiest(figures.busy), ceil(ROWS_PER_USER * some.at_once)
        where = " + ".join(
            f"{part.mark}{part.rate_words(moment)} × {part.does.busy * 1000:.3g} ms"
            for part in some.parts
            if part.rate_at(moment)
        )
        held = " (with rps)" if some.highest(figures.busy) < some.at(moment, figures.busy) else ""
        yield _unless_meant(
            some,
            Remark(
                "hot-row",
                Severity.WARNING,
                f"{where} = {some.at_once:.2g} requests at once{held}, on {counted(some.supply.flights, 'flight')}; "
                f"an even load needs {needed} ({ASSUMED})",
                f"spread the bookings over {needed} flights or more, or say contention = true if it is meant",
            ),
        )


def _unless_meant(plan: Plan, remark: Remark) -> Remark:
    if not plan.scenario.contention:
        return remark
    return Remark(remark.code, Severity.NOTE, f"{remark.sentence}; as it is meant to be (contention = true)")
