"""What is to be known stands once, with the rows that it holds for, in the text and in the Markdown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.model.verdict import Validity
from reports.compare import compare
from reports.comparison import markdown, text
from reports.comparison.notes import keyed, notes
from reports.comparison.result import Caution
from tests.unit.reports.test_compare import AFTER, BEFORE, changed, row

if TYPE_CHECKING:
    from reports.comparison.result import Comparison

DRIFT = "drifts whichever side it is"


def warned(found: Comparison, *places: tuple[str, str]) -> Comparison:
    """Put the same sentence, with figures of its own, on some rows."""
    rows = tuple(
        replace(one, warnings=(Caution(DRIFT, f"+{number} % a run"),))
        if (one.operation, one.metric.name) in places
        else one
        for number, one in enumerate(found.rows)
    )
    return replace(found, rows=rows)


def test_a_sentence_stands_once_with_its_rows_and_their_figures() -> None:
    """Rows of one operation are listed together; of many rows the figures are left to the JSON."""
    plain = compare(BEFORE, [AFTER])
    some = warned(plain, ("booking", "p50"), ("booking", "p95"), ("search", "p95"))
    (note,) = notes(some)
    assert str(note) == f"booking p50 (+0 % a run), p95 (+1 % a run); search p95 (+4 % a run): {DRIFT}"
    most = warned(plain, *[(one.operation, one.metric.name) for one in plain.rows[:4]], ("search", "p95"))
    (note,) = notes(most)
    assert str(note) == f"every row: {DRIFT}"
    assert text.summary(most).count(DRIFT) == markdown.render(most).count(DRIFT) == 1


def test_candidates_are_named_where_there_are_several() -> None:
    """The same row of two candidates is two rows; a step and the whole way to it are one."""
    other = replace(AFTER, label="other", runs=tuple(replace(run, run_id=f"o{run.run_id}") for run in AFTER.runs))
    found = compare(BEFORE, [AFTER, other])
    marked = warned(found, ("search", "p95"))
    steps = tuple(replace(one, warnings=(Caution(DRIFT),)) for one in found.steps if one.operation == "search")
    (note,) = notes(replace(marked, steps=steps))
    assert note.where == "in safe: search p95 (+4 % a run); in other: search p95 (+9 % a run)"


def test_a_reason_that_stands_at_many_rows_is_told_below_the_table() -> None:
    """A gate that failed silences every row: a letter stands there, and the reason once."""
    found = compare(BEFORE, [changed(AFTER, 2, validity=Validity.INVALID, findings=("the load process was too slow",))])
    shown = text.summary(found, 140)
    letters = keyed(found.rows, 3)
    assert set(letters.values()) == {"a"}
    assert shown.count("INCONCLUSIVE (a)") == len(found.rows)
    assert markdown.render(found).count("INCONCLUSIVE \\(a\\)") == len(found.rows)
    assert " ".join(shown.split()).count("(a) safe-2 is INVALID: the load process was too slow") == 1
    assert keyed(found.rows, len(found.rows) + 1) == {}
    assert "not measured" in str(row(compare(BEFORE, [changed(AFTER, 2, values={})])).ruling.reason)
