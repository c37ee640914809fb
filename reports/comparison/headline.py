"""The answer in one sentence: "Booking p95 is 23 % lower [18, 28] in `safe`; throughput is equivalent; …"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reports import units
from reports.attribution.operation import FIRST
from reports.comparison import words
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.result import Row

_ORDER: Final = ("p95", "throughput", "p99", "p50", "failures")
_MOST_OTHERS: Final = 2
_CLEAR: Final = (Answer.IMPROVED, Answer.REGRESSED)


def headline(rows: Sequence[Row], candidate: str, *, single: bool = False) -> str:
    """Say what the rows of a candidate come to: its main operation first, then what regressed elsewhere.

    `single` says that every side is one run.
    """
    mine = [row for row in rows if row.candidate == candidate]
    if not mine:
        return "Nothing was measured on both sides."
    main = leading(mine)
    name = units.plain(candidate, 60).replace("`", "'")
    label = f"`{name}`"
    if all(row.ruling.answer is Answer.NO_VERDICT for row in mine):
        return _without_verdict(main[0], label, single=single)
    if all(row.ruling == mine[0].ruling and not _clear(row) for row in mine) and mine[0].ruling.runs_more is None:
        return f"{label}: {mine[0].ruling.answer} throughout: {_reason(mine[0])}."
    # What is known stands before what is not.
    lead, *others = sorted(main, key=_rank)
    clauses = [_clause(lead, words.capital(words.subject(lead)), f" in {label}"), *_grouped(others)]
    clauses += _elsewhere([row for row in mine if row not in main])
    return f"{'; '.join(clauses)}."


def leading(rows: Sequence[Row]) -> list[Row]:
    """Give the rows of a candidate that a reader asks about first: those of its main operation, p95 before all."""
    operation = main_operation(rows)
    found = [row for row in rows if row.operation == operation and row.metric.name in _ORDER]
    return sorted(found, key=lambda row: _ORDER.index(row.metric.name)) or list(rows[:1])


def main_operation(rows: Sequence[Row]) -> str:
    """Give the operation that a reader asks about first: bookings, or else the first one; empty without rows."""
    operations = [row.operation for row in rows]
    return FIRST if FIRST in operations else operations[0] if operations else ""


def _rank(row: Row) -> int:
    return 0 if row.ruling.answer in _CLEAR else 1 if row.ruling.answer is Answer.EQUIVALENT else 2


def _clear(row: Row) -> bool:
    return row.ruling.answer in {*_CLEAR, Answer.EQUIVALENT}


def _without_verdict(row: Row, label: str, *, single: bool) -> str:
    before, after = (words.figure(row.metric, value) for value in (row.before, row.after))
    what = f"{words.capital(words.subject(row))} was {before} in the baseline and {after} in {label}"
    missing = [where for value, where in ((row.before, "the baseline"), (row.after, label)) if value is None]
    if missing:
        what = f"{words.capital(words.subject(row))} has no figure in {' and '.join(missing)}"
    if row.runs == 1:
        why = "One run each: no verdict" if single else "No verdict: there is one pair, or a single run of one side"
        return f"{why}. {what}."
    return f"No verdict: {row.ruling.reason}. {what}: {words.movement(row)} so far."


def _clause(row: Row, subject: str, where: str = "") -> str:
    ruling = row.ruling
    verb, needs = ("are", "need") if row.metric.name == "failures" else ("is", "needs")
    if ruling.answer in _CLEAR:
        return f"{subject} {verb} {words.movement(row)}{where}"
    if ruling.answer is Answer.EQUIVALENT:
        return f"{subject} {verb} equivalent{where}"
    if ruling.runs_more is not None:
        return f"{subject}{where} {needs} {words.more(row)}"
    # What comes after the colon explains it, and stands with the rows.
    return f"{subject} {verb} inconclusive{where}: {_reason(row).partition(': ')[0]}"


def _reason(row: Row) -> str:
    return units.plain(row.ruling.reason, 200) or "no reason was given"


def _grouped(rows: Sequence[Row]) -> Iterator[str]:
    """Say of each row what it came to; those that came to the same in one clause, where the first of them stands."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(_outcome(row), []).append(row)
    for outcome, alike in found.items():
        if len(alike) == 1:
            yield _clause(alike[0], words.name(alike[0].metric))
        else:
            yield f"{_listed([words.name(row.metric) for row in alike])} are {outcome}"


def _outcome(row: Row) -> str:
    """Give what several rows may have in common; of what one row alone can say, its name."""
    ruling = row.ruling
    if ruling.answer is Answer.EQUIVALENT:
        return "equivalent"
    if ruling.answer in _CLEAR or ruling.runs_more is not None:
        return row.metric.name
    return f"inconclusive: {_reason(row).partition(': ')[0]}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _elsewhere(rows: Sequence[Row]) -> Iterator[str]:
    worse = [row for row in rows if row.ruling.answer is Answer.REGRESSED]
    for row in worse[:_MOST_OTHERS]:
        yield f"but {_clause(row, words.subject(row))}"
    if len(worse) > _MOST_OTHERS:
        yield f"and {len(worse) - _MOST_OTHERS} more regressed"
