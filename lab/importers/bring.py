"""From a foreign file to a run folder: read, judged as far as it can be, and listed with the others."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from lab import samples_file, store
from lab.errors import ConfigError
from lab.importers import figures, jmeter, k6_stream, k6_summary, locust_csv, sniff
from lab.importers.filling import Filling
from lab.importers.sniff import Form
from lab.model.load import Load
from lab.model.run import Machine, Origin, Run, Status
from lab.model.sample import Tally
from lab.model.scenario import Scenario
from lab.model.stage import MAX_SECONDS, Stage
from lab.model.target import Target
from lab.model.threshold import Outcome
from lab.model.verdict import Exit, Finding, Validity, Verdict
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lab.importers.found import Found
    from lab.store import RunFolder

LATEST: Final = 1e11
"""A time, in seconds since 1970, that a calendar can still write."""
NOT_KNOWN: Final = "not known"
_SAMPLES: Final[Mapping[Form, Callable[[Path, Filling], Found]]] = {
    Form.K6_JSON: k6_stream.read_json,
    Form.K6_CSV: k6_stream.read_csv,
    Form.JMETER_CSV: jmeter.read,
}
_ENDINGS: Final = (".gz", ".json", ".csv", ".jtl", "_stats")


def bring(  # noqa: PLR0913 - what the command line knows
    path: Path,
    tool: str,
    out: Path,
    *,
    history: Path | None = None,
    scenario: str = "",
    label: str = "",
    command: str = "",
) -> RunFolder:
    """Make a run of another tool's file.

    Args:
        path: the file.
        tool: `k6`, `locust` or `jmeter`.
        out: where run folders are.
        history: Locust's `…_stats_history.csv`.
        scenario: the test's name; the file's, where it is empty. Runs of one test are compared by it.
        label: of this revision of the system.
        command: the command line.

    Raises:
        ConfigError: the file is cut off, foreign or empty; nothing is left in `out`.
        RunError: the disk does not take the folder.
    """
    form = sniff.expect(path, *sniff.COMMANDS[tool])
    if history is not None:
        sniff.expect(history, Form.LOCUST_HISTORY)
    name = scenario or _stem(path)
    folder = store.create(out, name)
    try:
        found = _read(path, form, history, folder)
        _check(history or path, found)
        kept = figures.Figures(
            found.tool, found.form, path.name, found.samples, found.tables, (*found.notes, *_unsaid(found))
        )
        figures.save(folder, kept)
        folder.save(_run(folder, name, found, path, label=label, command=command))
    except BaseException:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise
    return folder


def tally(folder: RunFolder) -> Tally:
    """Sum an imported run's samples; nothing where its file held none.

    Raises:
        RunError: they cannot be read.
    """
    found = Tally()
    for tick in samples_file.ticks(folder) if folder.samples.exists() else ():
        found.add(tick)
    return found


def _check(path: Path, found: Found) -> None:
    if min(found.totals.sent, found.totals.failed) < 0:
        raise ConfigError(f"{path}: expected how many requests there were; found fewer than none")
    if not 0 <= found.seconds <= MAX_SECONDS:
        raise ConfigError(f"{path}: expected a run of at most a year; found one of {found.seconds:.9g} s")
    if not 0 <= (found.began or 0) < LATEST:
        raise ConfigError(f"{path}: expected a time since 1970 that a calendar knows; found {found.began:.9g} s")


def _stem(path: Path) -> str:
    name = path.name
    for ending in _ENDINGS:
        name = name.removesuffix(ending) or name
    return name


def _read(path: Path, form: Form, history: Path | None, folder: RunFolder) -> Found:
    if form is Form.K6_SUMMARY:
        return k6_summary.read(path)
    if form is Form.LOCUST_STATS:
        return locust_csv.read(path, history)
    with store.written(folder.ticks), folder.ticks.open("w", encoding="utf-8") as log:
        try:
            found = _SAMPLES[form](path, Filling(log))
        except ConfigError as error:
            # What only the whole of the samples shows wrong does not know their file.
            raise error if str(path) in str(error) else ConfigError(f"{path}: {error}") from None
    if not found.totals.sent:
        raise ConfigError(f"{path}: expected the samples of at least one request; found none: is it cut off?")
    samples_file.close(folder)
    return found


def _unsaid(found: Found) -> list[str]:
    said = []
    if found.began is None:
        said.append("when it ran is not in the file: its end is taken to be when the file was last written")
    said.append(
        "whether arrivals were planned is not in the file: it is shown as a closed model, timed from the sending"
    )
    if not found.peak:
        said.append("how many users there were is not in the file")
    return said


def _run(  # noqa: PLR0913 - what a run is made of
    folder: RunFolder, name: str, found: Found, path: Path, *, label: str, command: str
) -> Run:
    source = Origin(found.tool, found.form, found.samples)
    ended = path.stat().st_mtime if found.began is None else found.began + found.seconds
    load = Load("constant-vus", "", (Stage(found.seconds, found.peak),), start=found.peak, graceful_stop=0.0)
    return Run(
        id=folder.path.name,
        scenario=Scenario(name, (load,), description=f"Imported from {path.name}, a file of {source}."),
        # A name that never resolves: nothing is to go to it.
        target=Target("http://target.invalid", name=f"{NOT_KNOWN} (imported from {found.tool})"),
        seed=0,
        started=_time(ended - found.seconds),
        load_started=_time(ended - found.seconds),
        ended=_time(ended),
        machine=Machine(NOT_KNOWN, NOT_KNOWN, 0, 0.0, NOT_KNOWN, NOT_KNOWN),
        packages={},
        command=command,
        label=label,
        workers=0,
        status=Status.FINISHED,
        totals=found.totals,
        thresholds=found.thresholds,
        verdict=_verdict(name, found, source),
        source=source,
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _verdict(name: str, found: Found, source: Origin) -> Verdict:
    results = found.thresholds
    failed = sum(result.outcome is not Outcome.PASS for result in results)
    if failed:
        first = f"{name} failed: {failed} of {len(results)} thresholds {'was' if failed == 1 else 'were'} not met."
    elif results:
        first = f"{name} held: every threshold was met."
    else:
        first = f"{name} held: it had no threshold to meet."
    totals = found.totals
    share = totals.failed / max(totals.ok + totals.failed, 1)
    requests = counted(totals.ok + totals.failed, "request")
    figures_said = f"{requests} in {totals.seconds} s, {share:.2%} failed"
    findings = (Finding("generator", Validity.SUSPECT, f"{NOT_KNOWN}: nothing of the generator is in this file"),)
    return Verdict(
        Validity.SUSPECT,
        passed=not failed,
        exit_code=int(Exit.THRESHOLDS if failed else Exit.PASSED),
        sentence=f"{first} Imported from {source}. {figures_said}. Nothing was audited.",
        findings=findings,
    )
