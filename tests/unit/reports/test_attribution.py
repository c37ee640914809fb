"""Where the time of requests goes: of which requests, and what explains the difference between two runs."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model.sample import NO_CLOCK, OK, TrendKey
from lab.model.server_timing import COUNTS, SUMS
from reports.attribution import table, told
from reports.attribution.difference import difference, explained
from reports.attribution.operation import ALL, MEDIAN, P95, SLOWEST, Operation, operations, ordered

MS = 1000


def made(*groups: tuple[int, int, dict[str, int]], name: str = "book") -> Operation:
    """Make an operation of groups: which, how many requests, and the ms of each part in each of them."""
    sums: dict[str, dict[int, int]] = {}
    for group, count, parts in groups:
        for label, ms in parts.items():
            sums.setdefault(label, {})[group] = ms * MS * count
    return Operation(name, {group: count for group, count, _ in groups}, sums)


FAST, SLOW = {"gateway.own": 2, "auth.own": 8}, {"gateway.own": 2, "auth.own": 8, "booking.db": 90}


def test_the_parts_of_the_slowest_are_those_of_the_slowest() -> None:
    """What only slow requests wait for stands with them, and not with those around the median."""
    operation = made((10, 1980, FAST), (20, 20, SLOW))
    slowest, median = operation.band(SLOWEST), operation.band(MEDIAN)
    assert slowest is not None
    assert median is not None
    assert slowest.parts == {"gateway.own": 2 * MS, "auth.own": 8 * MS, "booking.db": 90 * MS}
    assert median.parts == {"gateway.own": 2 * MS, "auth.own": 8 * MS, "booking.db": 0}
    assert (slowest.requests, slowest.us) == (20, 100 * MS)


def test_a_group_that_lies_across_a_bands_end_counts_with_its_share() -> None:
    """Half of the slowest 1 % come from the group below: their parts are half of the mean."""
    operation = made((10, 1990, FAST), (20, 10, SLOW))
    slowest = operation.band(SLOWEST)
    assert slowest is not None
    assert slowest.requests == pytest.approx(20)
    assert slowest.parts["booking.db"] == pytest.approx(45 * MS)


@pytest.mark.parametrize(
    ("count", "bands"), [(19, []), (20, [MEDIAN]), (200, [MEDIAN, P95]), (1000, [MEDIAN, P95, SLOWEST])]
)
def test_a_band_of_too_few_requests_is_not_given(count: int, bands: list[object]) -> None:
    """Each needs as many requests as its percentile does."""
    operation = made((10, count, FAST))
    assert [ranks for ranks in (MEDIAN, P95, SLOWEST) if operation.band(ranks)] == bands
    assert operation.band(ALL) is not None


def test_operations_come_from_a_runs_trends_the_one_with_the_most_time_first() -> None:
    """Counts and sums of an operation belong together; other trends are none of this."""
    trends = {
        TrendKey(COUNTS, "", (("operation", "search"),), OK, NO_CLOCK): {5: 9},
        TrendKey(SUMS, "", (("hop", "flights"), ("kind", "db"), ("operation", "search")), OK, NO_CLOCK): {5: 900},
        TrendKey(COUNTS, "", (("operation", "book"),), OK, NO_CLOCK): {7: 2},
        TrendKey(SUMS, "", (("hop", "auth"), ("kind", "own"), ("operation", "book")), OK, NO_CLOCK): {7: 1000},
        TrendKey("http_req_duration", "POST", (("operation", "book"),)): {1000: 2},
    }
    found = operations(trends.items())
    assert [(one.name, one.requests, dict(one.sums)) for one in found] == [
        ("book", 2, {"auth.own": {7: 1000}}),
        ("search", 9, {"flights.db": {5: 900}}),
    ]


def test_parts_stand_in_the_order_in_which_a_request_meets_them() -> None:
    """The gateway first, the gap that only the client knows last, hops that are not known between."""
    labels = ["client.gap", "flights.db", "booking.db", "cache.own", "gateway.own", "booking.own", "auth.net"]
    assert ordered(labels) == [
        "gateway.own",
        "auth.net",
        "booking.own",
        "booking.db",
        "flights.db",
        "cache.own",
        "client.gap",
    ]


def test_a_difference_is_named_by_its_parts_in_a_sentence_that_adds_up() -> None:
    """The part that moved most comes first, own work goes by its hop, and what is written adds up to the whole."""
    before = made((30, 1000, {"auth.own": 81, "booking.db": 49, "gateway.own": 10, "client.gap": 2}))
    after = made((20, 1000, {"auth.own": 50, "booking.db": 40, "gateway.own": 12, "client.gap": 2}))
    found = difference(before, after, P95)
    assert found is not None
    assert str(found) == "p95 −38 ms: auth −31, booking.db −9, gateway +2"
    assert sum(part.us for part in found.parts) == pytest.approx(found.us)


def test_small_parts_are_told_together() -> None:
    """Many small moves make one rest, so that the sentence adds up to the written whole."""
    before = made((30, 1000, {"auth.own": 0, "booking.db": 10}))
    after = made((30, 1000, {"auth.own": 90, "booking.db": 12, "flights.net": 1, "gateway.own": 1}))
    assert str(difference(before, after, MEDIAN)) == "median +94 ms: auth +90, others +4"


NAMES = ("gateway.own", "auth.own", "auth.net", "booking.db", "booking.own", "flights.db", "cache.own", "client.gap")
SIDES = st.dictionaries(st.sampled_from(NAMES), st.integers(0, 900_000), min_size=1)


def told_of(parts: dict[str, int]) -> Operation:
    """Make an operation of which each request took so many µs by part."""
    return Operation("book", {30: 1000}, {label: {30: us * 1000} for label, us in parts.items()})


@given(SIDES, SIDES)
def test_what_is_written_adds_up(before: dict[str, int], after: dict[str, int]) -> None:
    """In the sentence and in every column of the table: rounded figures too, and both say the same of the whole."""
    found = difference(told_of(before), told_of(after), P95)
    assert found is not None
    head, _, parts = str(found).partition(" ms")
    whole = number(head.removeprefix("p95 "))
    named = [number(part.rpartition(" ")[2]) for part in parts.removeprefix(": ").split(", ") if part]
    assert sum(named, Decimal()) == (whole if named else 0)
    *lines, last = table.lines(found)
    assert last.name == table.WHOLE
    for column in ("before", "after", "change"):
        assert sum((number(getattr(line, column)) for line in lines), Decimal()) == number(getattr(last, column))
    for line in (*lines, last):
        assert number(line.after) - number(line.before) == number(line.change)
        assert -1 <= line.reach <= 1
    assert abs(number(last.change) - whole) <= Decimal("0.5")


def number(text: str) -> Decimal:
    """Read a figure as it is written; what was not named is 0."""
    return Decimal(text.replace("−", "-").replace(",", "").replace("±", "").replace("–", "0"))


def test_a_part_that_one_side_never_named_is_not_written_as_nothing() -> None:
    """A dash says that it was not named; where the sides name no part in common, nothing is explained at all."""
    before = made((30, 1000, {"gateway.own": 5, "auth.own": 30}))
    after = made((30, 1000, {"gateway.own": 5}))
    found = difference(before, after, P95)
    assert found is not None
    assert [(line.name, line.before, line.after, line.change) for line in table.lines(found)] == [
        ("auth", "30.0", "–", "−30.0"),
        ("gateway", "5.0", "5.0", "±0"),
        (table.WHOLE, "35.0", "5.0", "−30.0"),
    ]
    other = made((30, 1000, {"server.app": 5, "client.gap": 1}))
    assert explained([with_gap(before)], [other]) == []
    assert explained([before], [after]) != []


def test_a_service_that_is_not_called_any_more_is_named_as_one() -> None:
    """All of its parts together, before parts of others that moved less."""
    before = made((30, 1000, {"gateway.own": 5, "auth.own": 9, "auth.db": 8, "auth.net": 7, "booking.db": 30}))
    after = made((30, 1000, {"gateway.own": 7, "booking.db": 18}))
    assert str(difference(before, after, P95)) == "p95 −34 ms: auth.* −24, booking.db −12, gateway +2"
    assert str(difference(after, before, P95)) == "p95 +34 ms: auth.* +24, booking.db +12, gateway −2"


def with_gap(operation: Operation) -> Operation:
    """Give it with the gap, which every side has and which says nothing of the target."""
    return Operation(operation.name, operation.counts, {**operation.sums, "client.gap": {30: 1000 * MS}})


def test_nothing_moved_is_said_in_short() -> None:
    """Two runs that are the same have no part to name."""
    same = made((30, 1000, {"auth.own": 3, "booking.db": 10}))
    assert str(difference(same, same, P95)) == "p95 ±0 ms"


def test_several_runs_of_a_side_are_taken_together() -> None:
    """Operations that both sides have are explained, from all of their requests."""
    slow, fast = made((30, 600, {"auth.own": 30})), made((10, 600, {"auth.own": 10}))
    found = explained([slow, slow], [fast, fast, made((5, 50, {"a.own": 1}), name="new")])
    assert [(one.operation, [str(part) for part in one.differences]) for one in found] == [
        ("book", ["median −20 ms: auth −20", "p95 −20 ms: auth −20"])
    ]


def test_one_line_says_where_the_time_goes() -> None:
    """The largest parts by name, the others together, of p95 where there are enough requests for it."""
    parts = {"gateway.own": 12, "auth.own": 80, "booking.db": 40, "a.own": 9, "b.own": 8, "c.own": 7, "client.gap": 1}
    assert told.line([made((30, 1000, parts))]) == (
        "book at p95 157ms: auth 80ms, booking.db 40ms, gateway 12ms, a 9ms, b 8ms, others 8ms"
    )
    assert told.line([made((30, 5, FAST))]) == "book on average 10ms: auth 8ms, gateway 2ms"
    assert told.line([]) == ""
