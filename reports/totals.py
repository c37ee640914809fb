"""The summary's TOTAL RESULTS, as k6 lays them out: checks, HTTP, execution, network, custom metrics."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from lab.model.sample import FAIL, OK, SERVICE
from lab.model.threshold import Selector
from lab.model.words import counted
from reports import custom, notified, units, words
from reports.attribution import told
from reports.attribution.operation import operations
from reports.layout import BAD, BOLD, DIM, FIGURE, GOOD, LABEL, WARN, Span, dots, trend_rows, wrapped
from reports.shown import HIDDEN_BELOW, WEAK_BELOW, beyond, shown_percentile
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.histogram import Histogram
    from lab.model.run import Run
    from lab.model.sample import Tags, Tally, TrendKey
    from reports.layout import Line

MOST_LINES: Final = 40
WEAK: Final = "~"
"""Stands before a percentile that rests on few samples."""
NO_TAG: Final = "no tag"


def lines(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    """Give the block line by line."""
    if said := words.warm_up(run):
        yield from wrapped((Span("    "),), said, width, DIM, 4)
        yield ()
    yield from _checks(tally, width)
    yield from _http(run, tally, width)
    yield from _server_timing(tally, width)
    yield from _notifications(run, tally, width)
    yield from _execution(run, tally, width)
    yield from _network(tally)
    yield from _custom(tally, width)


def _checks(tally: Tally, width: int) -> Iterator[Line]:
    passed, total = tally.rate(Selector("checks"))
    if not total:
        return
    seconds = max(tally.seconds, 1)
    rows = (units.percent(passed / total), units.percent(1 - passed / total))
    room = max(len(str(total)), *(len(text) for text in rows))
    yield (dots("checks_total"), Span(f"{total:<{room}} {_per_second(total / seconds)}", FIGURE))
    yield (dots("checks_succeeded"), Span(f"{rows[0]:<{room}} {passed} out of {total}", FIGURE))
    yield (dots("checks_failed"), Span(f"{rows[1]:<{room}} {total - passed} out of {total}", FIGURE))
    yield ()
    by_check: dict[str, tuple[int, int]] = {}
    for key, (hits, count) in tally.rates.items():
        if key.metric == "checks":
            name = dict(key.tags).get("check", "")
            before = by_check.get(name, (0, 0))
            by_check[name] = (before[0] + hits, before[1] + count)
    for number, (name, (hits, count)) in enumerate(by_check.items()):
        if number == MOST_LINES:
            yield (Span(f"      … and {counted(len(by_check) - MOST_LINES, 'more check')}", DIM),)
            break
        good = hits == count
        mark = Mark.GOOD if good else Mark.BAD
        head = (Span("    "), Span(f"{mark} ", GOOD if good else BAD))
        yield from wrapped(head, units.plain(name, 200), width, "" if good else BAD)
        if not good:
            # Rounded down, as k6 does: 99.99 % is not 100.
            yield (Span(f"      ↳  {hits * 100 // count}% — {Mark.GOOD} {hits} / {Mark.BAD} {count - hits}", BAD),)
    yield ()


def _per_second(rate: float) -> str:
    return f"{units.trimmed(rate, 4)}/s" if rate < 1 else f"{rate:.2f}/s"


def _http(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    everything = Selector("http_req_duration")
    ok, failed = tally.histogram(everything, OK, None), tally.requests(everything, FAIL)
    total, lost = ok.count + failed, failed + tally.dropped(everything)
    yield (Span("    HTTP", BOLD),)
    if not total:
        yield (Span("    no request was answered", DIM),)
        yield from _unfinished(run)
        yield ()
        return
    yield from wrapped((Span("    "),), words.clocks(run.scenario), width, DIM, 4)
    rows = [("http_req_duration", 4, _trend(ok)), *_service(run, 6, tally.histogram(everything))]
    shown, sent = _operations(tally, None), dict(_operations(tally, SERVICE))
    for name, bins in shown[:MOST_LINES]:
        rows.append((f"{{ operation:{units.plain(name, 60)} }}", 6, _trend(bins)))
        rows += _service(run, 8, sent[name])
    yield from trend_rows(rows, width)
    if len(shown) > MOST_LINES:
        yield (Span(f"      … and {counted(len(shown) - MOST_LINES, 'more operation')}", DIM),)
    if lost:
        shares = [(share, shown_percentile(ok, share, lost)) for share in (0.9, 0.95, 0.99)]
        values = [f"p({share * 100:g})={units.duration(value)}" for share, value in shares]
        label = "{ with failures }" if lost == failed else "{ with failed and dropped }"
        yield from trend_rows([(label, 6, values)], width)
    if any(_weak(bins, share) for _, bins in shown[:MOST_LINES] for share in (0.5, 0.9, 0.95, 0.99)):
        legend = f"fewer than {WEAK_BELOW} samples lie beyond it: judge nothing by it"
        yield from wrapped((Span(f"    {WEAK} ", DIM),), legend, width, DIM)
    yield (dots("http_req_failed"), Span(f"{units.percent(failed / total)} {failed} out of {total}", FIGURE))
    yield (dots("http_reqs"), Span(f"{total} {_per_second(total / max(tally.seconds, 1))}", FIGURE))
    yield from _unfinished(run)
    yield ()


def _server_timing(tally: Tally, width: int) -> Iterator[Line]:
    """Say where the time of the operation goes that takes most of it, where the target tells."""
    if said := told.line(operations((key, found.bins) for key, found in tally.trends.items())):
        yield from wrapped((dots("server_timing"),), said, width, FIGURE, LABEL + 6)
        yield ()


def _notifications(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    """Say how long mails took after their bookings, of every run that was audited."""
    if run.integrity is None:
        return
    waited = notified.delays(tally)
    yield (Span("    NOTIFICATIONS", BOLD),)
    if waited.count:
        yield from trend_rows([(notified.METRIC, 4, _trend(waited))], width)
    else:
        yield from wrapped((dots(notified.METRIC),), notified.NONE, width, DIM, LABEL + 6)
    if drained := notified.drained(run):
        yield from wrapped((dots("drain_time"),), drained, width, FIGURE, LABEL + 6)
    yield ()


def _unfinished(run: Run) -> Iterator[Line]:
    if run.totals.unfinished:
        yield (dots("unfinished"), Span(f"{run.totals.unfinished} sent, and not answered by the end", WARN))


def _service(run: Run, indent: int, bins: Histogram) -> list[tuple[str, int, list[str]]]:
    """Give the row by the service clock that stands below one by the response clock."""
    return [("service time", indent, _trend(bins))] if run.scenario.open else []


def _operations(tally: Tally, clock: str | None) -> list[tuple[str, Histogram]]:
    """Give the operations, the most frequent first, by a clock; None is what users would have felt."""
    names = {
        dict(key.tags).get("operation", key.name): Selector("http_req_duration", _telling(key))
        for key in tally.trends
        if (key.metric, key.outcome) == ("http_req_duration", OK)
    }
    found = [(name, tally.histogram(selector, OK, clock)) for name, selector in names.items()]
    return sorted(found, key=lambda item: (-item[1].count, item[0]))


def _telling(key: TrendKey) -> Tags:
    """Give the tag that tells the requests of one operation from all others."""
    operation = dict(key.tags).get("operation")
    return (("name", key.name),) if operation is None else (("operation", operation),)


def _trend(histogram: Histogram) -> list[str]:
    if not histogram.count:
        return ["no request succeeded"]
    edges = ((f"min={units.duration(histogram.minimum)}"), (f"max={units.duration(histogram.maximum)}"))
    shares = ((0.5, "med"), (0.9, "p(90)"), (0.95, "p(95)"), (0.99, "p(99)"))
    middle, *high = (f"{name}={_percentile(histogram, share)}" for share, name in shares)
    return [f"avg={units.duration(histogram.mean)}", edges[0], middle, edges[1], *high]


def _percentile(histogram: Histogram, share: float) -> str:
    mark = WEAK if _weak(histogram, share) else ""
    return mark + units.duration(shown_percentile(histogram, share))


def _weak(histogram: Histogram, share: float) -> bool:
    """Tell whether a percentile is shown, and rests on too few samples to judge by it."""
    return HIDDEN_BELOW <= beyond(share, histogram.count) < WEAK_BELOW


def _execution(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    seconds = max(tally.seconds, 1)
    users = tally.gauge(Selector("vus"))
    iterations = tally.counter("iterations")
    yield (Span("    EXECUTION", BOLD),)
    whole = Selector("iteration_duration")
    if (lengths := tally.histogram(whole, OK, None)).count:
        rows = [("iteration_duration", 4, _trend(lengths)), *_service(run, 6, tally.histogram(whole))]
        yield from trend_rows(rows, width)
    yield (dots("iterations"), Span(f"{iterations} {_per_second(iterations / seconds)}", FIGURE))
    broken = tally.counter("iteration_errors")
    if broken:
        yield (dots("iteration_errors"), Span(f"{broken} {_per_second(broken / seconds)}", BAD))
    if run.scenario.open:
        dropped = tally.counter("dropped_iterations")
        yield (
            dots("dropped_iterations"),
            Span(f"{dropped} {_per_second(dropped / seconds)}", BAD if dropped else FIGURE),
        )
    if run.breaking and run.breaking.rate is not None:
        rate, planned = (_per_second(value) for value in (run.breaking.rate, run.breaking.planned))
        when = units.clock(run.breaking.second)
        yield (dots("last rate that held"), Span(f"{rate} planned={planned} at {when}", FIGURE))
    if users is not None:
        peak = sum(value for key, value in tally.peaks.items() if key.metric == "vus")
        yield (dots("vus"), Span(f"{users:.0f} max={peak:.0f}", FIGURE))
    yield ()


def _network(tally: Tally) -> Iterator[Line]:
    moved = [(name, count) for name in ("data_received", "data_sent") if (count := tally.counter(name))]
    if not moved:
        return
    yield (Span("    NETWORK", BOLD),)
    for name, count in moved:
        rate = units.size(count / max(tally.seconds, 1))
        yield (dots(name), Span(f"{units.size(count)} {rate}/s", FIGURE))
    yield ()


def _custom(tally: Tally, width: int) -> Iterator[Line]:
    found = custom.rows(tally)
    if not found:
        return
    yield (Span("    CUSTOM METRICS", BOLD),)
    for (metric, kind), series in groupby(found[:MOST_LINES], key=lambda row: (row.metric, row.kind)):
        rows = list(series)
        head = list(rows.pop(0).figures) if not rows[0].tags else []
        inner = [(f"{{ {units.plain(row.tags, 90) or NO_TAG} }}", 6, list(row.figures)) for row in rows]
        yield from trend_rows([(f"{units.plain(metric, 60)} ({kind})", 4, head), *inner], width)
    if len(found) > MOST_LINES:
        yield (
            Span(f"      … and {counted(len(found) - MOST_LINES, 'more series', 'more series')}, in the report", DIM),
        )
    yield ()
