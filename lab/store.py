"""The run folder: versioned, readable at every moment, listable.

    runs/20261123-041500-ramp/
        run.json          what was run and what came of it (lab.model.run.Run), replaced atomically
        ticks.jsonl       one line a second while the run goes on; gone once the two below are written
        probes.jsonl      the same, of what was measured beside the load
        samples.parquet   second, metric, name, tags, outcome, clock, bin, count
        series.parquet    second, kind, metric, tags, value, total
        digest.npz        what reports need of the samples; made again where it is missing (reports.digest_file)
        ledger.jsonl      every booking that was tried: what was answered
        influx.lp         points that InfluxDB did not take yet, as line protocol
        engine.json       how the load process ended
        engine.log        what the load process said

A killed run keeps its `ticks.jsonl`, and is read from it.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.errors import LabError, RunError
from lab.model.run import RUN_VERSION, Run
from lab.model.sample import Tick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic import TypeAdapter

RUN_FILE: Final = "run.json"
TICKS_FILE: Final = "ticks.jsonl"
PROBES_FILE: Final = "probes.jsonl"
SAMPLES_FILE: Final = "samples.parquet"
SERIES_FILE: Final = "series.parquet"
LEDGER_FILE: Final = "ledger.jsonl"
SPOOL_FILE: Final = "influx.lp"
ENGINE_LOG: Final = "engine.log"
ENGINE_FILE: Final = "engine.json"
REPORT_FILE: Final = "report.html"
LATEST: Final = "latest"
_LONGEST_NAME: Final = 50


@dataclass(frozen=True, slots=True)
class RunFolder:
    """A run's folder on disk."""

    path: Path

    @property
    def ticks(self) -> Path:
        """Give the path of the live log."""
        return self.path / TICKS_FILE

    @property
    def probes(self) -> Path:
        """Give the path of the live log of what was measured beside the load."""
        return self.path / PROBES_FILE

    @property
    def spool(self) -> Path:
        """Give the path of the points that could not be sent."""
        return self.path / SPOOL_FILE

    @property
    def samples(self) -> Path:
        """Give the path of the closed histograms."""
        return self.path / SAMPLES_FILE

    @property
    def series(self) -> Path:
        """Give the path of the closed rates, counters and gauges."""
        return self.path / SERIES_FILE

    @property
    def ledger(self) -> Path:
        """Give the path of the bookings that were tried."""
        return self.path / LEDGER_FILE

    @property
    def engine_log(self) -> Path:
        """Give the path of the load process's log."""
        return self.path / ENGINE_LOG

    @property
    def report(self) -> Path:
        """Give the path of the HTML report."""
        return self.path / REPORT_FILE

    def save(self, run: Run) -> None:
        """Write `run.json`, whole or not at all.

        Raises:
            RunError: the disk does not take it.
        """
        temporary = self.path / f".{RUN_FILE}.new"
        with written(self.path / RUN_FILE):
            temporary.write_bytes(dump(run))
            temporary.replace(self.path / RUN_FILE)

    def load(self) -> Run:
        """Read `run.json`.

        Raises:
            RunError: it is missing, foreign, or of another version.
        """
        file = self.path / RUN_FILE
        try:
            raw = file.read_bytes()
        except OSError:
            raise RunError(f"{self.path} is no run folder: it has no {RUN_FILE}") from None
        return parse(raw, str(file))


@contextmanager
def written(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file from being written within the block.

    Raises:
        RunError: the disk is full, or does not take the file for another reason.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; make room, or use --out") from None


def parse(raw: bytes, where: str) -> Run:
    """Read a run from JSON; `where` is what an error calls it.

    Raises:
        RunError: it is foreign, damaged, or of another version.
    """
    _check_version(raw, where)
    try:
        return _adapter().validate_json(raw)
    except (ValueError, LabError) as error:  # a target's own check raises a LabError
        first = str(error).splitlines()[:2]
        raise RunError(f"{where} cannot be read: {' '.join(first)}") from None


def dump(run: Run) -> bytes:
    """Give a run as JSON, as it stands in `run.json`."""
    adapter = _adapter()
    try:
        return adapter.dump_json(run, indent=1) + b"\n"
    except ValueError:
        # A script's or a target's words may hold half a surrogate pair, which is no text that can be written down.
        return adapter.dump_json(adapter.validate_python(writable(adapter.dump_python(run))), indent=1) + b"\n"


def writable(value: Any) -> Any:  # noqa: ANN401 - what JSON knows
    """Replace in a value, and in all that is in it, what is no text that can be written down."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {writable(key): writable(inner) for key, inner in value.items()}
    return [writable(inner) for inner in value] if isinstance(value, list | tuple) else value


@cache
def _adapter() -> TypeAdapter[Run]:
    # Imported on first use: pydantic and the schema of Run cost what `--help` may not.
    from pydantic import ConfigDict, TypeAdapter, with_config  # noqa: PLC0415 - see above

    return TypeAdapter(with_config(ConfigDict(ser_json_inf_nan="strings"))(Run))


def _check_version(raw: bytes, file: str) -> None:
    try:
        found: Any = json.loads(raw)
        version = found["version"]
    except (ValueError, KeyError, TypeError):
        raise RunError(f"{file} is no run of this lab, or it is cut off") from None
    if version != RUN_VERSION:
        raise RunError(
            f"{file} has version {version}; this airbourne-lab reads version {RUN_VERSION}: "
            "open it with the release that wrote it, or run the scenario again"
        )


def create(out: Path, scenario: str) -> RunFolder:
    """Make a new run folder under `out`, named by the time (UTC) and the scenario.

    Raises:
        RunError: the folder cannot be made.
    """
    stem = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{_plain(scenario)}"
    for number in range(1, 1000):
        path = out / (stem if number == 1 else f"{stem}-{number}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise RunError(f"cannot make the run folder {path}: {error.strerror}; choose another with --out") from None
        return RunFolder(path)
    raise RunError(f"{out} has a thousand runs of this second; choose another with --out")


def _plain(text: str) -> str:
    # A file system takes 255 bytes, of which a sign may need four.
    return "".join(char if char.isalnum() or char in "-_" else "-" for char in text)[:_LONGEST_NAME]


def _forget(_error: RunError) -> None:
    """Say nothing of a run that cannot be read."""


def runs(out: Path, on_unreadable: Callable[[RunError], None] = _forget) -> list[tuple[RunFolder, Run]]:
    """List the readable runs under `out`, newest first; `on_unreadable` hears of the others."""
    found = []
    for file in sorted(out.glob(f"*/{RUN_FILE}"), reverse=True):
        folder = RunFolder(file.parent)
        try:
            found.append((folder, folder.load()))
        except RunError as error:
            on_unreadable(error)
    return sorted(found, key=lambda pair: (pair[1].started, pair[1].id), reverse=True)


def find(reference: str, out: Path) -> RunFolder:
    """Find a run by its id, by `latest`, by the start of its id if that is unambiguous, or by its folder's path.

    Raises:
        RunError: there is none, or there are several.
    """
    if reference == LATEST:
        newest = runs(out)
        if not newest:
            raise RunError(f"there is no run in {out}{os.sep}; make one with: airbourne-lab run --scenario smoke")
        return newest[0][0]
    for path in (out / reference, Path(reference)):
        if (path / RUN_FILE).is_file():
            return RunFolder(path)
    matches = [file for file in sorted(out.glob(f"*/{RUN_FILE}")) if file.parent.name.startswith(reference or "/")]
    if len(matches) == 1:
        return RunFolder(matches[0].parent)
    if matches:
        names = ", ".join(match.parent.name for match in matches[:4])
        raise RunError(f'"{reference}" may be any of {names}; write more of the id')
    for path in (out / reference, Path(reference)):
        if reference and path.is_dir():
            raise RunError(f'no run "{reference}": {path} is a folder without a {RUN_FILE}')
    raise RunError(f'no run "{reference}" in {out}{os.sep}; list them with: airbourne-lab runs')


def read_ticks(path: Path) -> Iterator[Tick]:
    """Read the live log; a last line that was cut off by a kill is left out.

    Raises:
        RunError: a line before the last is no tick.
    """
    # Bytes that are no text make a line that is no tick, which says what is wrong.
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield Tick.from_json(line)
