"""k6's summary export: figures kept as they are, and the two traps of the format."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import cli
from lab import store
from lab.errors import ConfigError
from lab.importers import figures
from lab.importers.bring import bring, tally
from lab.model.run import Origin
from lab.model.sample import Tally
from lab.model.threshold import Outcome
from lab.model.verdict import Exit, Validity
from reports.html import write_html
from reports.listing import runs_table
from reports.text import summary

EXPORTS = Path(__file__).parents[4] / "shared" / "k6-exports"
SUMMARY: dict[str, Any] = {
    "metrics": {
        "http_req_duration": {"avg": 31.25, "max": 357.239482, "med": 28.2, "min": 6.8, "p(90)": 36.1, "p(95)": 40.7},
        "http_req_duration{operation:pay}": {
            "avg": 0, "max": 0, "med": 0, "min": 0, "p(90)": 0, "p(95)": 0, "thresholds": {"p(95)<300": False},
        },
        "http_req_tls_handshaking": {"avg": 0, "max": 0, "med": 0, "min": 0, "p(90)": 0, "p(95)": 0},
        "http_req_duration{operation:book}": {
            "avg": 30, "max": 350, "med": 28, "min": 7, "p(90)": 36, "p(95)": 40.5,
            "thresholds": {"p(95)<40": True, "p(99)<5000": False},
        },
        "http_req_failed": {"fails": 90, "passes": 10, "value": 0.1, "thresholds": {"rate<0.2": False}},
        "checks{check:paid}": {"fails": 0, "passes": 0, "value": 0, "thresholds": {"rate>=0": False}},
        "http_reqs": {"count": 100, "rate": 10},
        "iterations": {"count": 50, "rate": 5},
        "vus": {"max": 7, "min": 1, "value": 2},
    },
    "root_group": {
        "checks": {"booked": {"fails": 1, "passes": 9, "path": "::booked"}},
        "groups": {"g": {"checks": {"in": {"fails": 0, "passes": 3, "path": "::g::in"}}, "groups": {}}},
    },
}  # fmt: skip


def _written(folder: Path, raw: object, name: str = "load.json") -> Path:
    path = folder / name
    path.write_text(raw if isinstance(raw, str) else json.dumps(raw), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", ["load", "soak"])
def test_a_real_export_gives_every_figure_that_it_holds(tmp_path: Path, name: str) -> None:
    """Each figure of the platform's own k6 exports stands in the run as it stands in the file."""
    file = EXPORTS / f"{name}.json"
    if not file.exists():
        pytest.skip("the platform's own k6 exports are not on this machine")
    raw = json.loads(file.read_text(encoding="utf-8"))
    folder = bring(file, "k6", tmp_path)
    run, kept = folder.load(), figures.load(folder)
    assert kept is not None
    found = {
        row[0]: {column: value for column, value in zip(table.columns[1:], row[1:], strict=True) if value is not None}
        for table in kept.tables
        if table.title != "Checks"
        for row in table.rows
    }
    expected = {
        metric: {key: value for key, value in figure.items() if key != "thresholds"}
        for metric, figure in raw["metrics"].items()
    }
    assert found == expected
    assert run.totals.sent == raw["metrics"]["http_reqs"]["count"]
    assert run.totals.failed == 0
    assert run.totals.iterations == raw["metrics"]["iterations"]["count"]
    assert run.scenario.peak == raw["metrics"]["vus"]["max"]
    judged = {(r.metric, r.expression): r.outcome is Outcome.FAIL for r in run.thresholds}
    assert judged == {
        (metric, expression): crossed
        for metric, figure in raw["metrics"].items()
        for expression, crossed in figure.get("thresholds", {}).items()
    }


def test_true_is_crossed_and_zeros_are_no_data(tmp_path: Path) -> None:
    """A threshold that k6 calls true has failed, and one on a metric without a sample has no data, whatever k6 says."""
    folder = bring(_written(tmp_path, SUMMARY), "k6", tmp_path / "runs")
    run = folder.load()
    outcomes = {f"{r.metric} {r.expression}": (r.outcome, r.actual) for r in run.thresholds}
    assert outcomes == {
        "http_req_duration{operation:pay} p(95)<300": (Outcome.NO_DATA, None),
        "http_req_duration{operation:book} p(95)<40": (Outcome.FAIL, 40.5),
        "http_req_duration{operation:book} p(99)<5000": (Outcome.PASS, None),
        "http_req_failed rate<0.2": (Outcome.PASS, 0.1),
        "checks{check:paid} rate>=0": (Outcome.NO_DATA, None),
    }
    assert run.verdict is not None
    assert (run.verdict.validity, run.verdict.exit_code) == (Validity.SUSPECT, Exit.THRESHOLDS)
    assert (run.totals.sent, run.totals.ok, run.totals.failed, run.totals.seconds) == (100, 90, 10, 10)
    kept = figures.load(folder)
    assert kept is not None
    said = next(note for note in kept.notes if note.startswith("NO DATA"))
    assert "http_req_duration{operation:pay}" in said
    assert "checks{check:paid}" in said
    assert "tls" not in said  # a part of a request may take no time
    assert kept.tables[-1].rows == (("booked", 9, 1), ("g::in", 3, 0))


def test_it_is_shown_as_what_it_is(tmp_path: Path) -> None:
    """Summary, list and report say where the run came from, that it holds no samples, and the file's own figures."""
    folder = bring(_written(tmp_path, SUMMARY), "k6", tmp_path / "runs")
    run = folder.load()
    text = summary(run, tally(folder), 120, figures.load(folder))
    page = write_html(folder).read_text(encoding="utf-8")
    for shown in (text, page):
        assert "357.239" in shown
        assert "NO DATA" in shown
        assert "not in the file" in shown
        assert "nothing of the generator is in this file" in shown
    assert "TOTAL RESULTS" not in text
    assert 'id="operations"' not in page
    assert "records were changed" not in page
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(runs_table([(folder, run)]))
    assert "imported from k6 (summary export), no samples" in " ".join(console.export_text().split())
    assert tally(folder) == Tally()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (json.dumps(SUMMARY)[:900], "cut off"),
        ("{}", "expected k6's summary"),
        ("", "found an empty file"),
        ("<html>\n", 'begins with "<html>"'),
        ({"metrics": {}}, "found none"),
        ({"metrics": {"vus": {"value": "7"}}}, 'found "7" as its value'),
        ({"metrics": {"vus": {"odd": 7}}}, 'the figures of metric "vus"'),
        ({"metrics": {"vus": {"value": 1, "thresholds": {"value<2": "ok"}}}}, "true or false"),
        ({"metrics": {"vus": {"value": 1, "max": float("nan")}}}, "NaN is no figure"),
        ({"metrics": {"vus": {"type": "gauge", "contains": "x", "values": {}}}}, "--summary-export FILE"),
        ('{"metrics": {"vus": {"value": 1e999}}}', "as its value"),
        ({"metrics": {"http_reqs": {"count": 10**17, "rate": 1e-9}}}, "a run of at most a year"),
        ({"metrics": {"http_reqs": {"count": 10**17, "rate": 1e-9}}}, "found one of 1e+26 s"),
        ({"metrics": {"http_reqs": {"count": -5, "rate": 1}}}, "found fewer than none"),
        ({"metrics": {"vus": {"value": 1}}, "root_group": [1]}, "of each check; found [1]"),
        ("timeStamp,elapsed,label,success\n", "airbourne-lab import jmeter"),
        ("Type,Name,Request Count\n", "airbourne-lab import locust"),
    ],
)
def test_a_foreign_or_cut_off_file_is_refused(tmp_path: Path, raw: object, said: str) -> None:
    """One sentence says what was expected and what was found, and no run folder is left."""
    file = _written(tmp_path, raw)
    with pytest.raises(ConfigError, match="expected") as error:
        bring(file, "k6", tmp_path / "runs")
    assert said in str(error.value)
    assert not list((tmp_path / "runs").glob("*"))


def test_a_name_that_is_no_text_is_kept_as_far_as_it_can_be(tmp_path: Path) -> None:
    """Half a surrogate pair, which JSON can hold and a file can't, costs its own sign and nothing else."""
    folder = bring(_written(tmp_path, {"metrics": {"odd \ud800": {"value": 3}}}), "k6", tmp_path / "runs")
    kept = figures.load(folder)
    assert kept is not None
    assert kept.tables[0].rows == (("odd ?", 3),)
    write_html(folder)


def test_the_command_prints_the_summary_and_writes_the_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`import k6` ends well even where k6's thresholds did not hold, and says where the report is."""
    cli.import_k6(_written(tmp_path, SUMMARY), label="before", scenario="checkout", out=tmp_path / "runs")
    ((folder, run),) = store.runs(tmp_path / "runs")
    said = capsys.readouterr().out
    assert (run.label, run.scenario.name, run.source) == (
        "before",
        "checkout",
        Origin("k6", "summary export", samples=False),
    )
    assert "checkout failed: 3 of 5 thresholds were not met" in " ".join(said.split())
    assert "FIGURES OF THE FILE" in said
    assert folder.report.exists()


def test_a_long_name_becomes_a_run_too(tmp_path: Path) -> None:
    """A file system refuses folders of such a name; the run keeps it, and its folder a part of it."""
    folder = bring(_written(tmp_path, SUMMARY), "k6", tmp_path / "runs", scenario="予" * 300)
    assert folder.load().scenario.name == "予" * 300
    assert len(folder.path.name.encode()) < 255


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A missing file is one sentence too."""
    with pytest.raises(ConfigError, match=r"nowhere\.json cannot be read: No such file"):
        bring(tmp_path / "nowhere.json", "k6", tmp_path)
