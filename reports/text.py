"""The summary at the end of a run: the lab's verdict, validity and integrity, then k6's blocks as k6 lays them out.

It is built from spans (a style and a text), so that a terminal gets colour and a file or a pipe the same words without.
"""

from __future__ import annotations

import shlex
from itertools import islice
from typing import TYPE_CHECKING, Final

from lab.model.threshold import Outcome
from lab.model.verdict import Validity
from lab.model.words import counted
from reports import audit, imported, totals, units, words
from reports.layout import BAD, BOLD, DIM, GOOD, WARN, Span, draw, plain, title, wrapped
from reports.words import Mark, Outlook

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from lab.importers.figures import Figures
    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.model.threshold import ThresholdResult
    from reports.layout import Line

NARROWEST: Final = 60
USUAL_WIDTH: Final = 100
WIDEST: Final = 120
MOST_TRACES: Final = 5
MOST_NOTES: Final = 6
_MARK_STYLES: Final = {Mark.GOOD: GOOD, Mark.BAD: BAD, Mark.WARN: WARN, Mark.NONE: DIM}
_OUTLOOK_STYLES: Final = {
    Outlook.PASSED: "bold green",
    Outlook.FAILED: "bold red",
    Outlook.SUSPECT: "bold yellow",
    Outlook.INVALID: "bold magenta",
    Outlook.OPEN: "bold cyan",
}
_LEVEL_STYLES: Final = {Validity.VALID: GOOD, Validity.SUSPECT: WARN, Validity.INVALID: "magenta"}


def summary(run: Run, tally: Tally, width: int = USUAL_WIDTH, figures: Figures | None = None) -> str:
    """Write the summary as plain text, without colour; it ends with a line break.

    Args:
        run: what was run and what came of it.
        tally: the run's samples, summed.
        width: columns; kept between 60 and 120.
        figures: of the file that it was imported from.
    """
    return plain(lines(run, tally, width, figures))


def show(run: Run, tally: Tally, console: Console, figures: Figures | None = None) -> None:
    """Write the summary to a console: in colour on a terminal, as plain text to a file or a pipe."""
    draw(lines(run, tally, console.width, figures), console)


def lines(run: Run, tally: Tally, width: int = USUAL_WIDTH, figures: Figures | None = None) -> Iterator[Line]:
    """Give the summary line by line, as styled spans; `figures` are those of the file that it was imported from."""
    columns = min(max(width, NARROWEST), WIDEST)
    yield from _headline(run, columns)
    yield from _validity(run, columns)
    yield from _integrity(run, columns)
    if judged := words.beyond_the_audit(run):
        yield from _thresholds(run, judged, columns)
    if figures:
        yield from imported.lines(figures, columns)
    if not figures or figures.samples:
        yield from title("TOTAL RESULTS")
        yield from totals.lines(run, tally, columns)
    yield from _script_errors(run, columns)
    yield from _sink(run, columns)
    yield from _closing(run, columns)


def _sink(run: Run, width: int) -> Iterator[Line]:
    """Say whether the metrics arrived."""
    sink = run.sink
    if sink is None:
        return
    sent = f"InfluxDB: {counted(sink.sent, 'point')} sent"
    if not (sink.spooled or sink.error):
        yield from wrapped((Span("  "), Span(f"{Mark.GOOD} ", GOOD)), sent, width)
        return
    options = {"--influx": sink.url, "--influx-org": sink.org, "--influx-bucket": sink.bucket}
    where = " ".join(f"{name} {shlex.quote(units.plain(value))}" for name, value in options.items() if value)
    later = f"send them later: airbourne-lab export {run.id} {where}"
    left = f"{counted(sink.spooled, 'point')} could not be sent ({units.plain(sink.error)}); {later}"
    yield from wrapped(
        (Span("  "), Span(f"{Mark.BAD} ", BAD)), f"{sent}, {left}" if sink.sent else f"InfluxDB: {left}", width
    )


def _closing(run: Run, width: int) -> Iterator[Line]:
    """Repeat the verdict where the eye is when the summary has scrolled by."""
    head = words.headline(run)
    code = f" (exit {run.verdict.exit_code})" if run.verdict else ""
    style = _OUTLOOK_STYLES[head.outlook]
    yield from wrapped(
        (Span("  "), Span(f"{head.mark} {head.word}{code}:", style), Span(" ")), words.short(run), width, BOLD, 4
    )


def _headline(run: Run, width: int) -> Iterator[Line]:
    head = words.headline(run)
    style = _OUTLOOK_STYLES[head.outlook]
    yield ()
    yield from wrapped((Span("  "), Span(f"{head.mark} {head.word}", style), Span("  ")), head.sentence, width, BOLD, 4)


def _validity(run: Run, width: int) -> Iterator[Line]:
    if run.verdict is None:
        return
    level = run.verdict.validity
    yield from title("VALIDITY")
    yield from wrapped((Span("    "), Span(f"{level}: ", _LEVEL_STYLES[level])), words.VALIDITY_WORDS[level], width)
    reasons = words.failed_reasons(run)
    for weight, gate, sentence in reasons:
        mark = words.LEVEL_MARKS[weight]
        head = (Span("    "), Span(f"{mark} ", _LEVEL_STYLES[weight]))
        yield from wrapped(head, f"{units.plain(gate, 40)}: {units.plain(sentence)}", width)
    held = len(run.verdict.findings) - len(reasons)
    if held:
        yield (Span("    "), Span(f"{Mark.GOOD} ", GOOD), Span(f"{counted(held, 'gate')} held", DIM))


def _integrity(run: Run, width: int) -> Iterator[Line]:
    yield from title("INTEGRITY")
    for line in audit.lines(run.integrity):
        head = (Span("    "), Span(f"{line.mark} ", _MARK_STYLES[line.mark]), Span(f"{line.metric} {line.figure}: "))
        yield from wrapped(head, line.sentence, width)
    notes = run.integrity.notes if run.integrity else ()
    for note in notes[:MOST_NOTES]:
        yield from wrapped((Span("      ↳ ", DIM),), units.plain(note), width, DIM, 8)
    if len(notes) > MOST_NOTES:
        yield (Span(f"      … and {counted(len(notes) - MOST_NOTES, 'more note')}, in the report", DIM),)


def _thresholds(run: Run, results: Sequence[ThresholdResult], width: int) -> Iterator[Line]:
    yield from title("THRESHOLDS")
    for number, metric in enumerate(dict.fromkeys(result.metric for result in results)):
        if number:
            yield ()
        yield (Span(f"    {units.plain(metric, width - 5)}"),)
        for result in results:
            if result.metric != metric:
                continue
            mark = words.OUTCOME_MARKS[result.outcome]
            style = _MARK_STYLES[mark]
            value = f"{words.aggregation(result.expression)}={words.actual(result)}"
            if result.outcome is Outcome.NO_DATA:
                value = "NO DATA: nothing was measured, which is no pass"
            head = (Span("    "), Span(f"{mark} ", style), Span(f"'{units.plain(result.expression, 40)}' "))
            note = words.note(run, result)
            yield from wrapped(head, f"{value}  ({note})" if note else value, width, style)


def _script_errors(run: Run, width: int) -> Iterator[Line]:
    if not run.script_errors:
        return
    # What stands above ends with a blank line already.
    yield from islice(title("ERRORS IN THE SCENARIO'S CODE"), 1, None)
    for error in run.script_errors[:MOST_TRACES]:
        head = (Span("    "), Span(f"{Mark.BAD} ", BAD), Span(f"{error.count} × "))
        yield from wrapped(head, units.plain(error.message), width)
        if place := words.raised_at(run, error):
            yield from wrapped((Span("      ↳ ", DIM),), place, width, DIM, 8)
    if len(run.script_errors) > MOST_TRACES:
        more = counted(len(run.script_errors) - MOST_TRACES, "more error")
        yield (Span(f"      … and {more}, in the report", DIM),)
    yield ()
