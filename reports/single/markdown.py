"""A run as Markdown that fits into a comment on a pull request (under 65,000 characters)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.verdict import Validity
from lab.model.words import counted
from reports import audit, tables, units, words
from reports.attribution import told as times
from reports.imported import cell
from reports.markdown import LIMIT, escaped
from reports.words import Mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lab.importers.figures import Figures
    from lab.model.run import Run
    from reports.attribution.operation import Operation
    from reports.frame import RunData
    from reports.tables import FailureRow, Figure, OperationRow, Table

MOST: Final = (200, 100, 50, 25, 12, 6, 3, 1)
"""How many rows each table may have: as many as fit."""
NAME: Final = 80
_EMPTY: Final = "–"


def render(data: RunData, figures: Figures | None = None, limit: int = LIMIT, told: Sequence[Operation] = ()) -> str:
    """Write a run as Markdown.

    Args:
        data: the run.
        figures: those of the file that it was imported from.
        limit: it stays shorter than this many characters; tables lose their last rows for that, and say how many.
        told: where the time of its operations' requests went.
    """
    text, operations, failures = "", tables.operations(data), tables.failures(data)
    for most in MOST:
        text = "\n".join([*_lines(data, figures, operations, failures, most), *_parts(told)]) + "\n"
        if len(text) < limit:
            return text
    return text[: max(limit - 1, 0)]


def _lines(
    data: RunData, figures: Figures | None, operations: Table[OperationRow], failures: Table[FailureRow], most: int
) -> Iterator[str]:
    yield from _answer(data)
    yield from _thresholds(data.run, most)
    if figures:
        yield from _figures(figures, most)
    if not figures or figures.samples:
        yield from _operations(data.run, operations, most)
    yield from _audit(data.run)
    yield from _findings(data.run, most)
    yield from _failures(failures, most)


def _parts(told: Sequence[Operation]) -> Iterator[str]:
    """Say where the time of the main operation went."""
    if said := times.line(told):
        yield f"**Where the time goes:** {escaped(said, 600)}"
        yield ""


def _answer(data: RunData) -> Iterator[str]:
    """Say what came of it, whether it can be believed, and what it was."""
    run, head = data.run, words.headline(data.run)
    yield f"### {head.mark} {escaped(f'{head.word}: {head.sentence}', 700)}"
    yield ""
    if run.verdict:
        level = run.verdict.validity
        reasons = words.failed_reasons(run)
        why = f" ({counted(len(reasons), 'gate')} did not hold, see below)" if reasons else ""
        mark = words.LEVEL_MARKS[level]
        yield f"{mark} **{level}**: {words.VALIDITY_WORDS[level]}{why}. Exit code {run.verdict.exit_code}."
    else:
        yield "**Nobody judged it**, so nothing says whether its figures may be believed."
    yield ""
    about = {
        "scenario": run.scenario.name,
        "label": run.label,
        "profile": run.profile,
        "target": run.target.name,
        "revision": f"{run.revision.commit[:12]}{'+' if run.revision.dirty else ''}" if run.revision else "",
        "imported from": str(run.source) if run.source else "",
        "run": run.id,
    }
    facts = [f"{name} {escaped(text, NAME)}" for name, text in about.items() if text]
    yield f"{', '.join(facts)}; {units.clock(data.seconds)} from {escaped(run.started[:19].replace('T', ' '))} UTC."
    if run.note:
        yield f"Note: {escaped(run.note)}"
    yield ""


def _thresholds(run: Run, most: int) -> Iterator[str]:
    results = words.beyond_the_audit(run)
    if not results:
        return
    rows = []
    # Those that were not met first: they are kept where not all fit.
    for result in sorted(results, key=lambda result: words.OUTCOME_MARKS[result.outcome] is Mark.GOOD)[:most]:
        note = words.note(run, result)
        rows.append(
            (
                f"{words.OUTCOME_MARKS[result.outcome]} {result.outcome}",
                escaped(result.metric, NAME),
                escaped(result.expression, NAME),
                escaped(words.actual(result), NAME) + (f" ({escaped(note, NAME)})" if note else ""),
            )
        )
    yield "**Thresholds**"
    yield ""
    yield from _table(("", "metric", "required", "measured"), rows, left=3, more=len(results) - len(rows))


def _operations(run: Run, found: Table[OperationRow], most: int) -> Iterator[str]:
    whole = found.rows[0]
    yield "**Operations**"
    yield ""
    if not whole.count:
        yield "No request was recorded."
        yield ""
        return
    joint = ("p95 of all",) if whole.lost else ()
    shares = [tables.share_name(share) for share in tables.SHARES]
    headings = ("operation", "requests", "per s", "failed", *shares, "max", *joint)
    rows = [_operation(row, with_joint=bool(joint)) for row in found.rows[:most]]
    yield from _table(headings, rows, more=found.left_out + len(found.rows) - len(rows))
    weak = any(figure.value is not None and figure.note for row in found.rows for figure in row.percentiles)
    notes = ["Times in ms, of successful requests", "– is a percentile that fewer than ten requests exceed"]
    notes += ["~ one that fewer than a hundred exceed: judge nothing by it"] if weak else []
    notes += ["“p95 of all” counts a failure as an answer that never came"] if joint else []
    notes += [words.warm_up(run)] if run.warmup else []
    yield f"<sub>{'; '.join(notes)}. {words.clocks(run.scenario).capitalize()}.</sub>"
    yield ""


def _operation(row: OperationRow, *, with_joint: bool) -> tuple[str, ...]:
    name = f"**{row.operation}**" if row.whole else escaped(row.operation, NAME)
    failed = f"{units.whole(row.failed)} ({units.percent(row.failed_share)})" if row.failed else "0"
    return (
        f"{name} {row.clock}".strip(),
        units.whole(row.count),
        units.trimmed(row.rate),
        failed,
        *(_ms(figure) for figure in row.percentiles),
        _ms(row.maximum),
        *((_ms(row.with_failures),) if with_joint else ()),
    )


def _ms(figure: Figure) -> str:
    return f"{'~' if figure.value is not None and figure.note.startswith('weak') else ''}{units.ms(figure.value)}"


def _figures(figures: Figures, most: int) -> Iterator[str]:
    """Give the figures of the file that a run was imported from, as they stand there."""
    kept = "single requests, counted here" if figures.samples else "no samples; these are its own figures"
    yield f"**Figures of {escaped(f'{figures.file}, {figures.tool} {figures.form}', 120)}**: {kept}"
    yield ""
    for table in figures.tables[:most]:
        yield escaped(table.title, NAME)
        yield ""
        rows = [tuple(escaped(cell(value), NAME) for value in row) for row in table.rows[:most]]
        yield from _table([escaped(name, NAME) for name in table.columns], rows, more=len(table.rows) - len(rows))
    for note in figures.notes[:most]:
        yield f"- {Mark.WARN} {escaped(note)}"
    yield ""


def _audit(run: Run) -> Iterator[str]:
    yield "**Audit: is what was sold still true?**"
    yield ""
    for line in audit.lines(run.integrity):
        yield f"- {line.mark} {escaped(f'{line.metric} {line.figure}: {line.sentence}', 400)}"
    yield ""


def _findings(run: Run, most: int) -> Iterator[str]:
    """Give what the gates found, what did not hold first; then what else a reader should know."""
    reasons = words.failed_reasons(run)
    if reasons:
        yield "**Findings**"
        yield ""
        shown = [f"{level} {_gate(gate, sentence)}" for level, gate, sentence in reasons[:most]]
        yield from _listed(shown, len(reasons) - len(shown))
    errors = [f"{error.count} × {escaped(error.message)}" for error in run.script_errors[:most]]
    yield from _folded("errors in the scenario’s code", errors, len(run.script_errors))
    notes = run.integrity.notes if run.integrity else ()
    yield from _folded("notes of the audit", [escaped(note) for note in notes[:most]], len(notes))
    held = [found for found in (run.verdict.findings if run.verdict else ()) if found.level is Validity.VALID]
    yield from _folded("gates held", [_gate(found.gate, found.sentence) for found in held[:most]], len(held))


def _gate(gate: str, sentence: str) -> str:
    return f"{escaped(gate, 40)}: {escaped(sentence, 400)}"


def _failures(found: Table[FailureRow], most: int) -> Iterator[str]:
    lines = [
        f"{units.whole(row.count)} × {escaped(row.reason)} ({escaped(row.operation or row.name, NAME)})"
        for row in found.rows[:most]
    ]
    yield from _folded("reasons of failures", lines, len(found.rows) + found.left_out)


def _folded(title: str, lines: Sequence[str], whole: int) -> Iterator[str]:
    if lines:
        yield f"<details><summary>{title} ({whole:,})</summary>"
        yield ""
        yield from _listed(lines, whole - len(lines))
        yield "</details>"
        yield ""


def _listed(lines: Sequence[str], more: int) -> Iterator[str]:
    yield from (f"- {line}" for line in lines)
    if more:
        yield f"- … and {more:,} more"
    yield ""


def _table(headings: Sequence[str], rows: Sequence[Iterable[str]], *, left: int = 1, more: int = 0) -> Iterator[str]:
    """Give a table whose first `left` columns are words, with a line for the rows that it has no room for."""
    yield f"| {' | '.join(headings)} |"
    yield f"|{'|'.join(' --- ' if place < left else ' ---: ' for place in range(len(headings)))}|"
    for row in rows:
        yield f"| {' | '.join(text or _EMPTY for text in row)} |"
    yield ""
    if more:
        yield f"… and {counted(more, 'more row')}."
        yield ""
