"""The summary's TOTAL RESULTS, as k6 lays them out: checks, HTTP, execution, network, custom metrics."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, SERVICE
from lab.model.threshold import Selector
from lab.model.words import counted
from reports import custom, units
from reports.layout import BAD, BOLD, DIM, FIGURE, GOOD, WARN, Span, dots, trend_rows, wrapped
from reports.shown import shown_percentile
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.run import Run
    from lab.model.sample import Tally
    from reports.layout import Line

MOST_LINES: Final = 40
NO_TAG: Final = "no tag"


def lines(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    """Give the block line by line."""
    yield from _checks(tally, width)
    yield from _http(run, tally, width)
    yield from _execution(tally, width)
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
    return f"{rate:.6f}".rstrip("0").rstrip(".") + "/s" if rate < 1 else f"{rate:.2f}/s"


def _http(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    everything = Selector("http_req_duration")
    ok, failed = tally.histogram(everything), tally.requests(everything, FAIL)
    total = ok.count + failed
    yield (Span("    HTTP", BOLD),)
    if not total:
        yield (Span("    no request was answered", DIM),)
        yield from _unfinished(run)
        yield ()
        return
    rows = [("http_req_duration", 4, _trend(ok))]
    shown = _operations(tally)
    rows += [(f"{{ operation:{units.plain(name, 60)} }}", 6, _trend(bins)) for name, bins in shown[:MOST_LINES]]
    yield from trend_rows(rows, width)
    if len(shown) > MOST_LINES:
        yield (Span(f"      … and {counted(len(shown) - MOST_LINES, 'more operation')}", DIM),)
    if failed:
        shares = [(share, shown_percentile(ok, share, failed)) for share in (0.9, 0.95, 0.99)]
        values = [f"p({share * 100:g})={units.duration(value)}" for share, value in shares]
        yield from trend_rows([("{ with failures }", 6, values)], width)
    yield (dots("http_req_failed"), Span(f"{units.percent(failed / total)} {failed} out of {total}", FIGURE))
    yield (dots("http_reqs"), Span(f"{total} {_per_second(total / max(tally.seconds, 1))}", FIGURE))
    yield from _unfinished(run)
    yield ()


def _unfinished(run: Run) -> Iterator[Line]:
    if run.totals.unfinished:
        yield (dots("unfinished"), Span(f"{run.totals.unfinished} sent, and not answered by the end", WARN))


def _operations(tally: Tally) -> list[tuple[str, Histogram]]:
    found: dict[str, Histogram] = {}
    for key, histogram in tally.trends.items():
        if (key.metric, key.outcome, key.clock) == ("http_req_duration", OK, SERVICE):
            found.setdefault(dict(key.tags).get("operation", key.name), Histogram()).merge(histogram.bins)
    return sorted(found.items(), key=lambda item: (-item[1].count, item[0]))


def _trend(histogram: Histogram) -> list[str]:
    if not histogram.count:
        return ["no request succeeded"]
    edges = ((f"min={units.duration(histogram.minimum)}"), (f"max={units.duration(histogram.maximum)}"))
    shares = ((0.5, "med"), (0.9, "p(90)"), (0.95, "p(95)"), (0.99, "p(99)"))
    middle, *high = (f"{name}={units.duration(shown_percentile(histogram, share))}" for share, name in shares)
    return [f"avg={units.duration(histogram.mean)}", edges[0], middle, edges[1], *high]


def _execution(tally: Tally, width: int) -> Iterator[Line]:
    seconds = max(tally.seconds, 1)
    users = tally.gauge(Selector("vus"))
    iterations = tally.counter("iterations")
    yield (Span("    EXECUTION", BOLD),)
    lengths = tally.histogram(Selector("iteration_duration"))
    if lengths.count:
        yield from trend_rows([("iteration_duration", 4, _trend(lengths))], width)
    yield (dots("iterations"), Span(f"{iterations} {_per_second(iterations / seconds)}", FIGURE))
    broken = tally.counter("iteration_errors")
    if broken:
        yield (dots("iteration_errors"), Span(f"{broken} {_per_second(broken / seconds)}", BAD))
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
