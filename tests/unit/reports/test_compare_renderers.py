"""A comparison as text, Markdown, JSON and JUnit XML: each says the same, and obeys nothing that runs bring along."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema_rs
import numpy as np
import pytest
import xmlschema

from benchmarks.calibration import World, experiment
from lab.model.threshold import Outcome
from reports import units
from reports.compare import Options, compare
from reports.comparison import export, junit, markdown, text
from reports.comparison.figures import Side
from tests.junit import checked
from tests.synthetic import HOSTILE

if TYPE_CHECKING:
    from reports.comparison.result import Comparison

SCHEMA = Path(__file__).parents[3] / "docs" / "comparison.schema.json"


def sides(world: World, *, label: str = "safe", seed: int = 3) -> tuple[Side, Side]:
    """Simulate an experiment and name its sides and its operations."""
    made = experiment(world, np.random.default_rng(seed))
    named = []
    for side, name in zip(made, ("as-found", label), strict=True):
        runs = []
        for run in side.runs:
            values = {
                ("booking" if key[0].endswith("0") else key[0], key[1]): value for key, value in run.values.items()
            }
            runs.append(
                replace(run, run_id=f"{name} {run.run_id}", values=values, thresholds={"p(95)<2000": Outcome.PASS})
            )
        named.append(Side(name, tuple(runs), note="a larger pool", revision="abc123"))
    return named[0], named[1]


def found(world: World | None = None) -> Comparison:
    """Compare the sides of an experiment: by default, with p50 and p95 of bookings improved, and the rest equal."""
    before, after = sides(world or World(ratio=0.77, affected=2, operations=2))
    return compare(before, [after])


def mixed() -> Comparison:
    """Make a comparison with every verdict, a forced difference, no answer, and three candidates."""
    before, after = sides(World(ratio=0.77, affected=2, operations=2))
    _, worse = sides(World(ratio=1.5, affected=3, operations=2), label="worse")
    _, broken = sides(World(operations=2), label="broken", seed=9)
    runs = list(broken.runs)
    runs[0] = replace(
        runs[0],
        values={**runs[0].values, ("booking", "p95"): inf, ("booking", "p50"): None},
        thresholds={"p(95)<2000": Outcome.FAIL},
        setting={"seed": "2"},
    )
    return compare(before, [after, worse, replace(broken, runs=tuple(runs))], Options(force=True))


def test_the_text_has_the_answer_first_and_a_line_per_row() -> None:
    """Headline, table, runs, method; no verdict is lost at any width."""
    comparison = found()
    for width in (20, 80, 100, 140, 400):
        shown = text.summary(comparison, width)
        first = next(line for line in shown.splitlines() if line.strip())
        assert first.strip().startswith("Booking p95 is 23 % lower [")
        assert shown.count("IMPROVED") == sum(row.ruling.answer == "IMPROVED" for row in comparison.rows) == 2
        assert max(units.cells(line) for line in shown.splitlines()) <= min(max(width, 80), 140)
        assert "10 runs: 10 VALID; audit clean (abc123, a larger pool)" in " ".join(shown.split())


def test_the_text_of_several_candidates_has_the_iterations() -> None:
    """Step and cumulative effect of each, with its hypothesis; what was forced stands above."""
    shown = " ".join(text.summary(mixed(), 140).split())
    assert shown.index("NOT COMPARABLE, AND FORCED") < shown.index("safe against as-found")
    assert "ITERATIONS: booking p95" in shown
    assert "(abc123, a larger pool)" in shown
    assert "REGRESSED" in shown


def test_two_single_runs_are_side_by_side_without_a_verdict() -> None:
    """No word and no mark that says win."""
    before, after = sides(World(ratio=0.5, pairs=1))
    band = {("booking", "p95"): (50_000.0, 70_000.0)}
    single = [replace(side, runs=(replace(side.runs[0], bands=band),)) for side in (before, after)]
    shown = text.summary(compare(single[0], [single[1]]))
    assert "One run each: no verdict." in shown
    assert "within the run 50ms to 70ms" in shown
    assert not any(word in shown for word in ("IMPROVED", "EQUIVALENT", "✓"))


def test_the_markdown_is_a_table_that_fits_into_a_comment() -> None:
    """Every row is there; where there are thousands, those that say least go, and it is said how many."""
    comparison = found()
    shown = markdown.render(comparison)
    assert shown.startswith("### Booking p95 is 23 % lower")
    assert sum(line.startswith("| booking") for line in shown.splitlines()) == 5
    many = replace(comparison, rows=tuple(replace(row) for _ in range(200) for row in comparison.rows))
    cut = markdown.render(many)
    assert 60_000 < len(cut) < 65_000
    assert "more rows, in the JSON" in cut
    assert cut.count("IMPROVED") == 400


def test_the_json_keeps_to_its_schema() -> None:
    """Every kind of value that a comparison can hold is one that docs/comparison.schema.json names."""
    checker = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    for comparison in (found(), mixed(), found(World(pairs=1)), found(World(pairs=3, paired=False))):
        values = json.loads(export.render(comparison))
        checker.validate(values)
        assert values["version"] == 1
        assert values["headline"] == comparison.headline
        assert len(values["rows"]) == len(comparison.rows)
    assert any(row["after"] == "no answer" for row in json.loads(export.render(mixed()))["rows"])
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "rows": [{**values["rows"][0], "verdict": "WON"}]})


def test_the_junit_file_has_a_case_per_row_and_threshold() -> None:
    """REGRESSED and a failed threshold fail, what is open is skipped, and the counts are right."""
    comparison = mixed()
    root = checked(junit.render(comparison))
    assert root.tag == "testsuites"
    assert len(root) == 3
    answers = [str(row.ruling.answer) for row in comparison.rows]
    assert int(root.attrib["tests"]) == len(answers) + 3
    assert int(root.attrib["failures"]) == answers.count("REGRESSED") + 1
    assert sum(int(suite.attrib["skipped"]) for suite in root) == answers.count("INCONCLUSIVE")
    failed = root.find(".//testcase[@classname='broken.thresholds']/failure")
    assert failed is not None
    assert failed.get("message") == "FAIL in 1 of 10 runs"
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        checked(junit.render(comparison).replace("<skipped", "<ignored", 1).replace("</skipped", "</ignored", 1))


def test_hostile_names_are_shown_and_not_obeyed() -> None:
    """Markup, escape sequences, mentions and characters that XML forbids, in every text that a run brings."""
    bad = "".join(HOSTILE[:5]) + "@team |x| `y` \ufffe\x00\ud800"
    before, after = sides(World(operations=1))
    runs = tuple(
        replace(
            run,
            values={(bad, key[1]): value for key, value in run.values.items()},
            thresholds={bad: Outcome.FAIL},
            findings=(bad,),
            validity=None,
            integrity_ok=False,
            integrity=bad,
        )
        for run in after.runs
    )
    comparison = compare(before, [replace(after, label=bad, note=bad, revision=bad, runs=runs)])
    shown = text.summary(comparison)
    assert not set(shown) & set("\u202e\u2028\x1b\x00")
    page = markdown.render(comparison)
    assert not any(piece in page for piece in ("<script", "<img", "@team", "|x|"))
    assert len(page) < 65_000
    assert checked(junit.render(comparison)).tag == "testsuites"
    assert json.loads(export.render(comparison))["candidates"][0]["runs"]
