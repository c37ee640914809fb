"""From a run folder to what the run brings to a comparison: the edge where files are read."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import ceil, isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lab.errors import RunError
from lab.model.sample import DROPPED, FAIL, OK
from lab.model.threshold import INTEGRITY_METRICS, Outcome
from lab.model.verdict import Validity
from reports import digest_file, frame, units
from reports.comparison.figures import RunFigures
from reports.comparison.metrics import SHARES, WHOLE
from reports.kinds import OUTCOMES
from reports.quantiles import Groups
from reports.shown import HIDDEN_BELOW, WEAK_BELOW, beyond
from reports.spent import cpu_per_booking

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from lab.model.run import Run
    from lab.store import RunFolder
    from reports.comparison.metrics import Key
    from reports.digest import Digest
    from reports.frame import RunData
    from reports.stats.bootstrap import Band

DELAY: Final = "notification_delay"
_BUNDLED: Final = ("embedded", "services")
_JUDGING: Final = ("name", "description", "thresholds", "waived", "users_file")
"""What of a scenario says how it is judged and described, and not what it does."""


def figures_of(folder: RunFolder, *, since: int | None = None, with_bands: bool = False) -> RunFigures:
    """Read a run's figures: percentiles over all requests (a failure is an answer that never came), by operation.

    Args:
        folder: the run.
        since: seconds at its beginning that are left out; the run's own warm-up when not given.
        with_bands: whether the interval within the run is worked out too, for a run that stands alone.

    Raises:
        RunError: `run.json` or the samples cannot be read, or the run was imported without samples.
    """
    run = folder.load()
    if run.source and not run.source.samples:
        raise RunError(
            f"{run.id} cannot be compared: it was imported from {run.source}; "
            "import a file with samples, such as k6 writes with --out json=FILE"
        )
    digest, series = digest_file.read(folder, run, since)
    data = frame.from_digest(run, None, digest, series)
    values: dict[Key, float | None] = {}
    weak: dict[Key, str] = {}
    _operations(data, digest, values, weak)
    _delay(digest, values, weak)
    if (cost := cpu_per_booking(data, digest.warmup)) is not None:
        values[WHOLE, "cpu_per_booking"] = cost
    verdict = data.run.verdict  # of records that were changed since, it says so
    integrity_ok, integrity = _integrity(run)
    return RunFigures(
        run_id=run.id,
        label=run.label,
        started=run.started,
        values=values,
        pair=f"{run.pairing.experiment} {run.pairing.pair}" if run.pairing else "",
        side=run.pairing.side if run.pairing else "",
        note=run.note,
        validity=verdict.validity if verdict else None,
        findings=tuple(f.sentence for f in verdict.findings if f.level is not Validity.VALID) if verdict else (),
        integrity_ok=integrity_ok,
        integrity=integrity,
        weak=weak,
        bands=_measured(digest.bands, values) if with_bands else {},
        setting=setting(run),
        thresholds={f"{result.metric}: {result.expression}": result.outcome for result in run.thresholds},
        revision=f"{run.revision.commit[:12]}{'+' if run.revision.dirty else ''}" if run.revision else "",
    )


def _operations(data: RunData, digest: Digest, values: dict[Key, float | None], weak: dict[Key, str]) -> None:
    """Add the figures of each operation, and of all of them what no mixture of operations changes."""
    requests = frame.histograms(digest, digest.kinds.felt)
    seconds = max(digest.seconds - digest.warmup, 1)
    counts = np.zeros((len(OUTCOMES), len(data.operations)), np.int64)
    np.add.at(counts, (requests["outcome"].to_numpy(), requests["operation"].to_numpy()), requests["count"].to_numpy())
    ok, failed = counts[OUTCOMES.index(OK)], counts[OUTCOMES.index(FAIL)]
    lost = failed + counts[OUTCOMES.index(DROPPED)] + _dropped(data, ok + failed)
    groups = Groups.of(requests[requests["outcome"] == OUTCOMES.index(OK)], "operation")
    place = {key: position for position, key in enumerate(groups.keys.tolist())}
    columns = {
        name: groups.percentile_with_failures(share, lost[groups.keys]).tolist() for name, share in SHARES.items()
    }
    for number in np.argsort(-(ok + failed), kind="stable").tolist():
        operation, total = data.operations[number], int(ok[number] + lost[number])
        if not total:
            continue
        for name, share in SHARES.items():
            value = columns[name][place[number]] if number in place else float("inf")
            _percentile((operation, name), value, beyond(share, total), values, weak)
        _plain(operation, int(ok[number]), int(failed[number]), seconds, values)
    if len(data.operations) > 1:
        _plain(WHOLE, int(ok.sum()), int(failed.sum()), seconds, values)


def _measured(found: Mapping[Key, Band], values: Mapping[Key, float | None]) -> dict[Key, Band]:
    """Keep the bands of figures that there are."""
    return {key: limits for key, limits in found.items() if values.get(key) is not None}


def _dropped(data: RunData, sent: NDArray[np.int64]) -> NDArray[np.int64]:
    """Estimate how many requests of each operation the iterations would have made that found no free user."""
    dropped, ran = (float(data.metric(name, "counter")["value"].sum()) for name in ("dropped_iterations", "iterations"))
    return np.asarray(np.ceil(sent * (dropped / max(ran, 1.0))), dtype=np.int64)


def _percentile(key: Key, value: float, left: float, values: dict[Key, float | None], weak: dict[Key, str]) -> None:
    if isinf(value) or left >= HIDDEN_BELOW:
        values[key] = value
    else:
        values[key] = None
    if left < WEAK_BELOW:
        beyond_it = "mails lie beyond p95" if key[1] == DELAY else f"requests lie beyond {key[1]}"
        longer = f", runs {_times(WEAK_BELOW / left)} times as long would do" if left else ""
        weak[key] = f"only {left:.3g} {beyond_it}{longer}; under {WEAK_BELOW}, nothing is judged by it"


def _times(factor: float) -> str:
    """Write how many times, rounded up to what helps for sure."""
    return f"{ceil(factor * 10) / 10:g}" if factor < WEAK_BELOW / 10 else f"{ceil(factor)}"


def _plain(operation: str, ok: int, failed: int, seconds: int, values: dict[Key, float | None]) -> None:
    """Add throughput (of what succeeded: failing fast is no work done) and the failures' share."""
    values[operation, "throughput"] = ok / seconds
    values[operation, "failures"] = failed / (ok + failed) if ok + failed else None


def _delay(digest: Digest, values: dict[Key, float | None], weak: dict[Key, str]) -> None:
    """Add how long mails took, however long after the load they came."""
    kinds = np.array([kind.metric == DELAY for kind in digest.kinds.all], dtype=bool)
    rows = digest.totals[kinds[digest.totals["kind"]]]
    if not len(rows):
        return
    groups = Groups(np.zeros(len(rows), np.int64), rows["bin"].to_numpy(), rows["count"].to_numpy())
    left = beyond(SHARES["p95"], int(groups.totals[0]))
    _percentile((WHOLE, DELAY), float(groups.percentile(SHARES["p95"])[0]), left, values, weak)


def _integrity(run: Run) -> tuple[bool | None, str]:
    """Say whether what was sold is true, by the thresholds that judge it."""
    found = [result for result in run.thresholds if result.metric in INTEGRITY_METRICS]
    wrong = [result for result in found if result.outcome is Outcome.FAIL]
    if wrong:
        return False, ", ".join(f"{result.metric} {units.whole(result.actual or 0)}" for result in wrong)
    if run.integrity is None or not run.integrity.checked or not found:
        return None, "the audit could not look"
    if any(result.outcome is Outcome.NO_DATA for result in found):
        return None, "a part of the audit could not look"
    return True, ""


def setting(run: Run) -> dict[str, str]:
    """Give what must be the same for two runs to be comparable; profile, revision and packages may differ."""
    machine, data = run.machine, run.dataset
    return {
        "scenario": run.scenario.name,
        **dict(_does(run)),
        "time scale": f"{run.time_scale:g}",
        "load processes": str(run.workers),
        "seed": str(run.seed),
        "data": f"{data.digest} ({data.flights} flights, {data.users} users)" if data else "none",
        "target": f"the bundled platform, {run.backend}" if run.backend in _BUNDLED else _where(run),
        "machine": f"{machine.host}: {machine.processor}, {machine.cores} cores, {machine.memory_gib:g} GiB",
    }


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: Any) -> str:  # noqa: ANN401 - what a scenario holds
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":")).replace('"', "")


def _where(run: Run) -> str:
    urls = asdict(run.target)
    name = urls.pop("name")
    return f"{name} ({', '.join(url for url in dict.fromkeys(urls.values()) if url)})"


def _does(run: Run) -> Iterator[tuple[str, str]]:
    """Give what a scenario does, key by key, so that a difference can be named."""
    if run.source:
        # Its load is what the file showed, and was not planned.
        yield "imported from", str(run.source)
        return
    known: Mapping[str, Any] = asdict(run.scenario)
    for name, value in known.items():
        if name in _JUDGING:
            continue
        parts = value if isinstance(value, list | tuple) and value and isinstance(value[0], dict) else ()
        for number, part in enumerate(parts, 1):
            for inner, text in part.items():
                yield f"scenario's {_words(name)} {number}, {_words(inner)}", _text(text)
        if not parts:
            yield f"scenario's {_words(name)}", _text(value)
    if run.scenario.users_file:
        yield "scenario's users file", Path(run.scenario.users_file).name
