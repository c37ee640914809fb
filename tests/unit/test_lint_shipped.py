"""The scenarios that ship, as the linter sees them, and the document that lists both."""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from lab import catalogue
from lab.lint.linter import RULES, UNKNOWN, before_run, lint
from lab.model.lint import Severity
from lab.model.load_entries import COMMON as COMMON_KEYS
from lab.model.load_entries import OWN as EXECUTOR_KEYS
from lab.model.scenario_file import parse_scenario
from reports.lint import WIDTH, lint_text

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"
NAMES = catalogue.names(SCENARIOS)
DOCUMENT = (ROOT / "docs" / "scenarios.md").read_text(encoding="utf-8")


def rows(text: str) -> dict[str, list[str]]:
    """Read the tables of a part of the document: the cells of each row by its first, which is code."""
    lines = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `")]
    return {cells[0].strip(" `"): [cell.strip() for cell in cells[1:]] for cells in lines}


EXECUTOR_PART = DOCUMENT[DOCUMENT.index("## Executors") : DOCUMENT.index("## What the linter")]
ROWS = rows(DOCUMENT.replace(EXECUTOR_PART, ""))
EXAMPLES = re.findall(r"```toml\n(.*?)```", EXECUTOR_PART, re.DOTALL)


def found(name: str) -> dict[str, Severity]:
    """Give what the linter has against a scenario."""
    return {remark.code: remark.severity for remark in lint(catalogue.load(name, SCENARIOS))}


def test_the_naive_test_raises_all_that_makes_it_a_bad_one() -> None:
    """Seats, set-up, hashing, one flight, no ramp."""
    assert found("baseline") == {
        "seats-run-out": Severity.ERROR,
        "set-up-inside": Severity.ERROR,
        "password-hashing": Severity.WARNING,
        "hot-row": Severity.WARNING,
        "no-ramp": Severity.WARNING,
    }


def test_each_step_from_the_naive_test_mends_something() -> None:
    """No step brings a mistake that the one before did not have, and nothing is left against `load`."""
    steps = [set(found(name)) for name in ("baseline", "multi-flight", "user-pool", "load")]

    assert all(after < before for before, after in pairwise(steps))
    assert steps[-1] == set()


@pytest.mark.parametrize("name", NAMES)
def test_the_document_lists_every_scenario_with_what_lint_says(name: str) -> None:
    """A row each, whose last cell has the codes of errors and warnings."""
    told = set(re.findall(r"`([a-z-]+)`", ROWS[name][-1]))
    assert told == {code for code, severity in found(name).items() if severity is not Severity.NOTE}
    assert len(ROWS[name]) == 4


def test_the_document_lists_every_rule_as_the_code_says_it() -> None:
    """Code, heaviest severity, and the rule's own sentence; and nothing that is not there."""
    for rule in RULES:
        assert ROWS[rule.code] == [rule.heaviest.value, rule.about]
    assert set(ROWS) == set(NAMES) | {rule.code for rule in RULES} | {UNKNOWN}


def test_the_document_lists_every_executor_with_its_keys() -> None:
    """In the order in which the error for a wrong key names them; and the keys of every load stand before."""
    told = {name: re.findall(r"`([A-Za-z]+)`", cells[-1]) for name, cells in rows(EXECUTOR_PART).items()}
    intro = EXECUTOR_PART.partition("| executor")[0]

    assert told == {name: list(keys) for name, keys in EXECUTOR_KEYS.items()}
    assert all(f"`{key}`" in intro for key in COMMON_KEYS)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.splitlines()[0])
def test_every_example_is_a_scenario(text: str, tmp_path: Path) -> None:
    """It can be read, its classes are there, and the linter finds no data or key wanting."""
    (tmp_path / "example.toml").write_text(text, encoding="utf-8")
    remarks = lint(catalogue.load(str(tmp_path / "example.toml"), SCENARIOS))

    assert not [remark for remark in remarks if remark.code.startswith(("threshold", "seats", "too-few", "few"))]


def test_the_examples_show_every_kind_of_executor() -> None:
    """Closed, bounded, open, and several loads in one file."""
    loads = [parse_scenario(text, "s", "s.toml").loads for text in EXAMPLES]

    assert {load.executor for several in loads for load in several} >= {
        "ramping-vus", "per-vu-iterations", "constant-arrival-rate", "ramping-arrival-rate",
    }  # fmt: skip
    assert any(len(several) > 1 for several in loads)


@pytest.mark.parametrize("name", NAMES)
def test_every_scenario_says_why_it_is_there_and_what_to_expect(name: str) -> None:
    """In its file, before anything else, for whoever opens it."""
    comment = (SCENARIOS / f"{name}.toml").read_text(encoding="utf-8").partition("\ndescription")[0]

    assert all(line.startswith("# ") for line in comment.splitlines())
    assert "Expected" in comment
    assert catalogue.load(name, SCENARIOS).description


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_never_wider_than_a_terminal(name: str) -> None:
    """At most 100 columns, whatever was found."""
    text = lint_text(name, lint(catalogue.load(name, SCENARIOS)))

    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.startswith(f"{name}: ")


def test_the_text_goes_from_heavy_to_light() -> None:
    """A count first; then by weight: the code, the arithmetic, the remedy."""
    lines = lint_text("baseline", lint(catalogue.load("baseline", SCENARIOS))).splitlines()

    assert lines[0] == "baseline: 2 errors, 3 warnings"
    assert [line.partition(":")[0] for line in lines if line[:1].isupper()] == ["Errors", "Warnings"]
    assert lines[4:6] == ["  seats-run-out", lines[5]]
    assert lines[5].startswith("    1,500 user-seconds ÷ 1.11 s = 1,351 iterations")
    assert sum(line.startswith("    → ") for line in lines) == 5


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["load"], 0, "load: nothing to say against it\n"),
        (["contention"], 0, "contention: 2 notes\n"),
        (["baseline"], 1, "baseline: 2 errors, 3 warnings\n"),
        (["load", "--stage", "1m:20"], 1, "no-hold"),
        (["load", "--threshold", "checks:rate>1"], 1, "threshold-cannot-pass"),
        (["load", "--time-scale", "0.05"], 1, "few-samples"),
    ],
)
def test_the_command_ends_with_one_on_errors_and_warnings(words: list[str], code: int, said: str) -> None:
    """Notes alone end with 0; options that change the load change what is said."""
    ended = CliRunner().invoke(app, ["lint", *words])

    assert ended.exit_code == code
    assert said in ended.output


def test_the_command_speaks_json() -> None:
    """The scenario, whether it is clean, and each remark with its four fields."""
    ended = json.loads(CliRunner().invoke(app, ["lint", "user-pool", "--json"]).output)

    assert (ended["scenario"], ended["clean"]) == ("user-pool", False)
    assert [set(remark) for remark in ended["remarks"]] == [{"code", "severity", "sentence", "remedy"}]
    assert ended["remarks"][0]["code"] == "no-ramp"


def test_a_run_is_told_in_a_line_what_is_wrong_with_it(tmp_path: Path) -> None:
    """How much, the heaviest of it, and where to read the rest; nothing where there is nothing, or notes alone."""
    line = before_run(catalogue.load("baseline", SCENARIOS))
    own = tmp_path / "mine.toml"
    own.write_text((SCENARIOS / "user-pool.toml").read_text(encoding="utf-8"), encoding="utf-8")

    assert line.startswith("lint: 5 findings, the heaviest: seats-run-out, 1,500 user-seconds")
    assert "will run out after 3 of 60 s; more with: airbourne-lab lint baseline" in line
    assert "\n" not in line
    one = before_run(catalogue.load(str(own), SCENARIOS), reference=str(own))
    assert one.startswith("lint: 1 finding: no-ramp, all 25 users")
    assert one.endswith(f"more with: airbourne-lab lint {own}")
    assert not before_run(catalogue.load("load", SCENARIOS))
    assert not before_run(catalogue.load("contention", SCENARIOS))


def test_a_routine_that_cannot_be_read_keeps_nobody_from_running(tmp_path: Path) -> None:
    """The line says so; `lint` itself ends with the error."""
    (tmp_path / "users.py").write_text("class U:\n    routine = think()\n", encoding="utf-8")
    own = tmp_path / "mine.toml"
    own.write_text('executor = "constant-vus"\nexec = "U"\nvus = 1\nduration = "9s"\n', encoding="utf-8")

    assert "routine of U must be written out" in before_run(catalogue.load(str(own), SCENARIOS))


@pytest.mark.parametrize(
    "words", [["laod"], ["load", "--dataset", "nowhere.json"], ["load", "--gateway", "http://127.0.0.1:9"]]
)
def test_bad_input_is_told(words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A scenario, a file or a dataset that is not there."""
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["lint", *words]).exception

    assert getattr(error, "exit_code", None) == 104
