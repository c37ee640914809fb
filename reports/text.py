"""The summary at the end of a run: the lab's verdict, validity and integrity, then k6's blocks as k6 lays them out.

It is built from spans (a style and a text), so that a terminal gets colour and a file or a pipe the same words without.
"""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, SERVICE
from lab.model.threshold import Outcome, Selector
from lab.model.verdict import Validity
from reports import units, words
from reports.words import Mark, Outlook

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

    from lab.model.run import Run
    from lab.model.sample import Tally

NARROWEST: Final = 60
USUAL_WIDTH: Final = 100
WIDEST: Final = 120
MOST_LINES: Final = 40
HIDDEN_BELOW: Final = 10
_LABEL: Final = 30
_GOOD, _BAD, _WARN, _DIM, _BOLD = "green", "red", "yellow", "dim", "bold"
_MARK_STYLES: Final = {Mark.GOOD: _GOOD, Mark.BAD: _BAD, Mark.WARN: _WARN, Mark.NONE: _DIM}
_OUTLOOK_STYLES: Final = {
    Outlook.PASSED: "bold green",
    Outlook.FAILED: "bold red",
    Outlook.SUSPECT: "bold yellow",
    Outlook.INVALID: "bold magenta",
    Outlook.OPEN: "bold cyan",
}
_LEVEL_STYLES: Final = {Validity.VALID: _GOOD, Validity.SUSPECT: _WARN, Validity.INVALID: "magenta"}


class Span(NamedTuple):
    """A piece of a line and its style (Rich's words, or none)."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def summary(run: Run, tally: Tally, width: int = USUAL_WIDTH) -> str:
    """Write the summary as plain text, without colour; it ends with a line break.

    Args:
        run: what was run and what came of it.
        tally: the run's samples, summed.
        width: columns; kept between 60 and 120.
    """
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines(run, tally, width))


def show(run: Run, tally: Tally, console: Console) -> None:
    """Write the summary to a console: in colour on a terminal, as plain text to a file or a pipe."""
    from rich.text import Text  # noqa: PLC0415 - Rich is loaded only by who draws

    for line in lines(run, tally, console.width):
        text = Text.assemble(*((span.text, span.style) for span in line))
        text.rstrip()
        console.print(text, soft_wrap=True, highlight=False)


def lines(run: Run, tally: Tally, width: int = USUAL_WIDTH) -> Iterator[Line]:
    """Give the summary line by line, as styled spans."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield from _headline(run, columns)
    yield from _validity(run, columns)
    yield from _integrity(run, columns)
    if run.thresholds:
        yield from _thresholds(run, columns)
    yield from _title("TOTAL RESULTS")
    yield from _checks(tally, columns)
    yield from _http(run, tally, columns)
    yield from _execution(tally, columns)
    yield from _network(tally)
    yield from _script_errors(run, columns)


def _title(text: str, tail: Line = ()) -> Iterator[Line]:
    yield ()
    yield (Span("  █ ", _BOLD), Span(text, _BOLD), *tail)
    yield ()


def _wrapped(head: Line, text: str, width: int, style: str = "", hang: int = 6) -> Iterator[Line]:
    """Break a sentence at blanks, its further lines indented by `hang`; a word without end is broken too."""
    start, left = head, max(width - sum(units.cells(span.text) for span in head), 0)
    line = ""
    for word in _pieces(text, width - hang):
        needed = units.cells(word) + (units.cells(line) + 1 if line else 0)
        if needed > left and (line or start is head):
            yield (*start, Span(line, style))
            start, left, line = (Span(" " * hang),), width - hang, word
        else:
            line = f"{line} {word}" if line else word
    yield (*start, Span(line, style))


def _pieces(text: str, room: int) -> Iterator[str]:
    for word in text.split(" "):
        rest = word
        while units.cells(rest) > room:
            piece = _fitting(rest, room)
            yield piece
            rest = rest[len(piece) :]
        yield rest


def _fitting(text: str, room: int) -> str:
    """Give as much of the start of a text as fits into `room` columns."""
    used = 0
    for number, char in enumerate(text):
        used += units.cells(char)
        if used > room:
            return text[:number]
    return text


def _headline(run: Run, width: int) -> Iterator[Line]:
    head = words.headline(run)
    style = _OUTLOOK_STYLES[head.outlook]
    yield ()
    yield from _wrapped(
        (Span("  "), Span(f"{head.mark} {head.word}", style), Span("  ")), head.sentence, width, _BOLD, 4
    )


def _validity(run: Run, width: int) -> Iterator[Line]:
    if run.verdict is None:
        return
    level = run.verdict.validity
    tail = (Span("  "), Span(level, _LEVEL_STYLES[level]), Span(f": {words.VALIDITY_WORDS[level]}", _DIM))
    yield from _title("VALIDITY", tail)
    reasons = words.failed_reasons(run)
    for weight, gate, sentence in reasons:
        mark = words.LEVEL_MARKS[weight]
        head = (Span("    "), Span(f"{mark} ", _LEVEL_STYLES[weight]), Span(f"{units.plain(gate, 40)}: "))
        yield from _wrapped(head, units.plain(sentence), width)
    held = len(run.verdict.findings) - len(reasons)
    if held:
        yield (Span("    "), Span(f"{Mark.GOOD} ", _GOOD), Span(f"{held} gate{'s' * (held != 1)} held", _DIM))


def _integrity(run: Run, width: int) -> Iterator[Line]:
    yield from _title("INTEGRITY")
    for line in words.integrity_lines(run.integrity):
        head = (Span("    "), Span(f"{line.mark} ", _MARK_STYLES[line.mark]), Span(f"{line.metric} {line.figure}: "))
        yield from _wrapped(head, line.sentence, width)
    for note in run.integrity.notes if run.integrity else ():
        yield from _wrapped((Span("      ↳ ", _DIM),), units.plain(note), width, _DIM)


def _thresholds(run: Run, width: int) -> Iterator[Line]:
    yield from _title("THRESHOLDS")
    for number, metric in enumerate(dict.fromkeys(result.metric for result in run.thresholds)):
        if number:
            yield ()
        yield (Span(f"    {units.plain(metric, width - 5)}"),)
        for result in run.thresholds:
            if result.metric != metric:
                continue
            mark = words.OUTCOME_MARKS[result.outcome]
            value = f"{words.aggregation(result.expression)}={words.actual(result)}"
            if result.outcome is Outcome.NO_DATA:
                value = "NO DATA: nothing was measured, which is no pass"
            head = (
                Span("    "),
                Span(f"{mark} ", _MARK_STYLES[mark]),
                Span(f"'{units.plain(result.expression, 60)}' "),
                Span(value, _MARK_STYLES[mark]),
            )
            if result.note:
                yield from _wrapped((*head, Span("  ")), units.plain(result.note), width, _DIM)
            else:
                yield head


def _dots(label: str, indent: int = 4, room: int = _LABEL) -> Span:
    fill = "." * max(room - units.cells(label) - (indent - 4), 2)
    return Span(f"{' ' * indent}{label}{fill}: ")


def _checks(tally: Tally, width: int) -> Iterator[Line]:
    passed, total = tally.rate(Selector("checks"))
    if not total:
        return
    seconds = max(tally.seconds, 1)
    rows = (units.percent(passed / total), units.percent(1 - passed / total))
    room = max(len(str(total)), *(len(text) for text in rows))
    yield (_dots("checks_total"), Span(f"{total:<{room}} {_per_second(total / seconds)}", "cyan"))
    yield (_dots("checks_succeeded"), Span(f"{rows[0]:<{room}} {passed} out of {total}", "cyan"))
    yield (_dots("checks_failed"), Span(f"{rows[1]:<{room}} {total - passed} out of {total}", "cyan"))
    yield ()
    by_check: dict[str, tuple[int, int]] = {}
    for key, (hits, count) in tally.rates.items():
        if key.metric == "checks":
            name = dict(key.tags).get("check", "")
            before = by_check.get(name, (0, 0))
            by_check[name] = (before[0] + hits, before[1] + count)
    for number, (name, (hits, count)) in enumerate(by_check.items()):
        if number == MOST_LINES:
            yield (Span(f"      … and {len(by_check) - MOST_LINES} more checks", _DIM),)
            break
        good = hits == count
        mark = Mark.GOOD if good else Mark.BAD
        head = (Span("    "), Span(f"{mark} ", _MARK_STYLES[mark]))
        yield from _wrapped(head, units.plain(name, 200), width, "" if good else _BAD)
        if not good:
            # Rounded down, as k6 does: 99.99 % is not 100.
            yield (Span(f"      ↳  {hits * 100 // count}% — {Mark.GOOD} {hits} / {Mark.BAD} {count - hits}", _BAD),)
    yield ()


def _per_second(rate: float) -> str:
    return f"{rate:.6f}".rstrip("0").rstrip(".") + "/s" if rate < 1 else f"{rate:.2f}/s"


def _http(run: Run, tally: Tally, width: int) -> Iterator[Line]:
    everything = Selector("http_req_duration")
    ok, failed = tally.histogram(everything), tally.requests(everything, FAIL)
    total = ok.count + failed
    yield (Span("    HTTP", _BOLD),)
    if not total:
        yield (Span("    no request was recorded", _DIM),)
        yield ()
        return
    rows = [("http_req_duration", 4, _trend(ok))]
    shown = _operations(tally)
    rows += [(f"{{ operation:{units.plain(name, 60)} }}", 6, _trend(bins)) for name, bins in shown[:MOST_LINES]]
    yield from _trend_rows(rows, width)
    if len(shown) > MOST_LINES:
        yield (Span(f"      … and {len(shown) - MOST_LINES} more operations", _DIM),)
    if failed:
        yield (
            _dots("{ with failures }", 6),
            Span(
                " ".join(
                    f"p({share * 100:g})={_bounded(ok.percentile_with_failures(share, failed), share, total)}"
                    for share in (0.9, 0.95, 0.99)
                ),
                "cyan",
            ),
        )
    yield (_dots("http_req_failed"), Span(f"{units.percent(failed / total)} {failed} out of {total}", "cyan"))
    yield (_dots("http_reqs"), Span(f"{total} {_per_second(total / max(tally.seconds, 1))}", "cyan"))
    if run.totals.unfinished:
        yield (_dots("unfinished"), Span(f"{run.totals.unfinished} sent, and not answered by the end", _WARN))
    yield ()


def _operations(tally: Tally) -> list[tuple[str, Histogram]]:
    found: dict[str, Histogram] = {}
    for key, histogram in tally.trends.items():
        if (key.metric, key.outcome, key.clock) == ("http_req_duration", OK, SERVICE):
            found.setdefault(dict(key.tags).get("operation", key.name), Histogram()).merge(histogram.bins)
    return sorted(found.items(), key=lambda item: (-item[1].count, item[0]))


def _trend(histogram: Histogram) -> list[str]:
    count = histogram.count
    if not count:
        return ["no request succeeded"]
    edges = ((f"min={units.duration(histogram.minimum)}"), (f"max={units.duration(histogram.maximum)}"))
    shares = ((0.5, "med"), (0.9, "p(90)"), (0.95, "p(95)"), (0.99, "p(99)"))
    middle, *high = (f"{name}={_bounded(histogram.percentile(share), share, count)}" for share, name in shares)
    return [f"avg={units.duration(histogram.mean)}", edges[0], middle, edges[1], *high]


def _bounded(value: float | None, share: float, count: int) -> str:
    if value is not None and not isinf(value) and round(count * (1 - share), 6) < HIDDEN_BELOW:
        return units.NO_FIGURE
    return units.duration(value)


def _trend_rows(rows: Sequence[tuple[str, int, list[str]]], width: int) -> Iterator[Line]:
    """Lay trends out in columns; where a line is too short for them all, the rest goes under the first of them."""
    longest = max(units.cells(label) + indent - 4 for label, indent, _ in rows)
    room = min(max(_LABEL, longest + 2), max(width // 2, _LABEL))
    columns = max(len(values) for _, _, values in rows)
    sizes = [max((len(values[n]) for _, _, values in rows if n < len(values) > 1), default=0) for n in range(columns)]
    for label, indent, values in rows:
        head: tuple[Span, ...] = (_dots(_short(label, room - (indent - 4) - 2), indent, room),)
        start = sum(units.cells(span.text) for span in head)
        for chunk in _chunks(values, sizes, width - start):
            yield (*head, Span(chunk, "cyan"))
            head = (Span(" " * start),)


def _short(text: str, room: int) -> str:
    if units.cells(text) <= room:
        return text
    return _fitting(text, room - 1) + "…"


def _chunks(values: Iterable[str], sizes: Sequence[int], room: int) -> Iterator[str]:
    line = ""
    for value, size in zip(values, sizes, strict=False):
        if line and len(line) + size > room:
            yield line
            line = ""
        line += f"{value:<{size}} "
    yield line


def _execution(tally: Tally, width: int) -> Iterator[Line]:
    seconds = max(tally.seconds, 1)
    users = tally.gauge(Selector("vus"))
    iterations = tally.counter("iterations")
    yield (Span("    EXECUTION", _BOLD),)
    lengths = tally.histogram(Selector("iteration_duration"))
    if lengths.count:
        yield from _trend_rows([("iteration_duration", 4, _trend(lengths))], width)
    yield (_dots("iterations"), Span(f"{iterations} {_per_second(iterations / seconds)}", "cyan"))
    broken = tally.counter("iteration_errors")
    if broken:
        yield (_dots("iteration_errors"), Span(f"{broken} {_per_second(broken / seconds)}", _BAD))
    if users is not None:
        peak = sum(value for key, value in tally.peaks.items() if key.metric == "vus")
        yield (_dots("vus"), Span(f"{users:.0f} max={peak:.0f}", "cyan"))
    yield ()


def _network(tally: Tally) -> Iterator[Line]:
    moved = [(name, tally.counter(name)) for name in ("data_received", "data_sent")]
    if not any(count for _, count in moved):
        return
    yield (Span("    NETWORK", _BOLD),)
    for name, count in moved:
        rate = units.size(count / max(tally.seconds, 1))
        yield (_dots(name), Span(f"{units.size(count)} {rate}/s", "cyan"))
    yield ()


def _script_errors(run: Run, width: int) -> Iterator[Line]:
    if not run.script_errors:
        return
    yield from _title("ERRORS IN THE SCENARIO'S CODE")
    for error in run.script_errors[:5]:
        head = (Span("    "), Span(f"{Mark.BAD} ", _BAD), Span(f"{error.count} × "))
        yield from _wrapped(head, units.plain(error.message), width)
