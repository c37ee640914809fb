"""The parts of `reports.py`, each in a process of its own: makes a run and its CSV, reads the CSV, opens a report.

Started as `python -m benchmarks.parts.reports_run WHAT …` in the repository; each prints one line of JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lab import samples_file
from lab.model.histogram import HALF, SUB_BITS
from lab.model.load import Load
from lab.model.run import Machine, Pairing, Run, Status, Totals
from lab.model.sample import FAIL, OK, SeriesKey, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage
from lab.model.target import local_target
from lab.model.verdict import Finding, Validity, Verdict
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

PARTS: Final = ("gateway", "auth", "flights", "booking", "reminder", "mail", "load")
FAILING: Final = 0.003
SHARES: Final = (0.5, 0.9, 0.95, 0.99, 0.999)
STARTED: Final = "2026-11-23T{hour:02}:{minute:02}:00+00:00"


def make(path: str, csv: str, *shape: str) -> dict[str, float]:
    """Make a run through the lab's own log and close, and its raw requests as a CSV.

    Args:
        path: the run's folder.
        csv: the CSV.
        shape: how many requests, seconds and operations.
    """
    requests, seconds, operations = (int(number) for number in shape)
    folder = RunFolder(Path(path))
    folder.path.mkdir(parents=True)
    ok = failed = 0
    with folder.ticks.open("w", encoding="utf-8") as log, Path(csv).open("w", encoding="ascii") as raw:
        raw.write("second,operation,outcome,us\n")
        for second in range(seconds):
            times = list(_second(second, requests // seconds, operations))
            log.write(_tick(second, times).to_json() + "\n")
            for number, (us, bad) in enumerate(times):
                ok, failed = ok + len(us) - bad, failed + bad
                rows = zip([FAIL] * bad + [OK] * (len(us) - bad), us.tolist(), strict=True)
                raw.writelines(f"{second},{_name(number)},{outcome},{value}\n" for outcome, value in rows)
    folder.save(_run(folder.path.name, Totals(ok + failed, ok, failed, iterations=ok + failed, seconds=seconds)))
    size = folder.ticks.stat().st_size
    began = time.perf_counter()
    samples_file.close(folder)
    return {"close_s": time.perf_counter() - began, "log": size, "samples": folder.samples.stat().st_size}


def copy(source: str, to: str, pair: str, side: str) -> dict[str, float]:
    """Copy a run, as one of an experiment's."""
    shutil.copytree(source, to)
    folder, number = RunFolder(Path(to)), int(pair)
    order = number * 2 + ((side == "candidate") ^ (number % 2 == 0))
    started = STARTED.format(hour=order // 60, minute=order % 60)
    pairing = Pairing("synthetic", number, side)
    folder.save(replace(folder.load(), id=folder.path.name, label=side, started=started, pairing=pairing))
    return {}


def csv(path: str) -> dict[str, Any]:
    """Read raw requests with pandas, as one would, and give the percentiles of each operation in µs."""
    import pandas as pd  # noqa: PLC0415 - this process is there to show what that costs

    frame = pd.read_csv(path)
    good = frame[frame["outcome"] == OK]
    columns = [good.groupby("operation")["us"].quantile(share, interpolation="higher") for share in SHARES]
    frame.groupby(["second", "outcome"]).size()
    return {str(name): [float(column[name]) for column in columns] for name in columns[0].index}


def figures(path: str) -> dict[str, Any]:
    """Give the same percentiles as the lab's table has them."""
    from reports import frame, tables  # noqa: PLC0415 - only for this

    rows = tables.operations(frame.load(RunFolder(Path(path)))).rows
    return {row.operation: [figure.value for figure in row.percentiles] for row in rows if not row.whole}


def opened(path: str) -> dict[str, float]:
    """Open a report in headless Chromium; gives the seconds from going there to its charts being drawn."""
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only for this

    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        page = browser.new_page()
        began = time.perf_counter()
        page.goto(Path(path).resolve().as_uri())
        page.wait_for_selector("html[data-ready]")
        took = time.perf_counter() - began
        browser.close()
    return {"open_s": took}


def _second(second: int, requests: int, operations: int) -> Iterator[tuple[Ints, int]]:
    """Give each operation's times in µs, and how many of them (the first) are failures'."""
    rng = np.random.default_rng(second)
    for number in range(operations):
        count = requests // operations + (number < requests % operations)
        typical = 20_000 * (1 + number / 4) * (1 + 0.1 * np.sin(second / 300))
        us = (typical * rng.lognormal(0, 0.45, count)).astype(np.int64)
        yield us, int(rng.binomial(count, FAILING))


def _tick(second: int, times: list[tuple[Ints, int]]) -> Tick:
    trends: dict[TrendKey, dict[int, int]] = {}
    rates: dict[SeriesKey, tuple[int, int]] = {}
    counters: dict[SeriesKey, int] = {}
    for number, (us, bad) in enumerate(times):
        tags, name = (("operation", _name(number)),), f"GET /{_name(number)}"
        for outcome, part in ((OK, us[bad:]), (FAIL, us[:bad])):
            if len(part):
                values, counts = np.unique(_bins(part), return_counts=True)
                bins = dict(zip(values.tolist(), counts.tolist(), strict=True))
                trends[TrendKey("http_req_duration", name, tags, outcome)] = bins
        rates[SeriesKey("checks", (("check", f"{_name(number)} was answered"), *tags))] = (len(us) - bad, len(us))
        if bad:
            counters[SeriesKey("failures", (*tags, ("name", name), ("reason", "HTTP 503")))] = bad
    sent = sum(len(us) for us, _ in times)
    counters |= {SeriesKey(name): sent for name in ("sent", "iterations")}
    counters |= {SeriesKey(name): sent * 400 for name in ("data_sent", "data_received")}
    gauges = {SeriesKey(name): 500.0 for name in ("vus", "vus_target")}
    gauges |= {SeriesKey("generator_cpu"): 0.4, SeriesKey("generator_lag_p99"): 1.0}
    for process in PARTS:
        gauges |= {SeriesKey("cpu", (("process", process),)): 0.2, SeriesKey("memory", (("process", process),)): 1e8}
    return Tick(second, trends, rates, counters, gauges)


def _name(number: int) -> str:
    return "booking" if number == 0 else f"operation-{number}"


def _bins(us: Ints) -> Ints:
    """Give the bins of whole columns of µs, as `lab.model.histogram.bin_of` gives that of one."""
    _, length = np.frexp(us.astype(np.float64))  # exact below 2^53
    exponent = np.maximum(length.astype(np.int64) - SUB_BITS, 0)
    return np.asarray(np.where(us < 2 * HALF, us, HALF * exponent + (us >> exponent)), dtype=np.int64)


def _run(name: str, totals: Totals) -> Run:
    sound = Verdict(
        Validity.VALID,
        passed=True,
        exit_code=0,
        sentence="It held.",
        findings=(Finding("count", Validity.VALID, "ok"),),
    )
    load = Load("constant-vus", "PoolBooker", (Stage(totals.seconds, 500),), start=500)
    return Run(
        id=name,
        scenario=Scenario("synthetic", (load,)),
        target=local_target(),
        seed=1,
        started=STARTED.format(hour=0, minute=0),
        machine=Machine("Linux", "made up", 2, 8.0, "3.11", "lab"),
        packages={},
        status=Status.FINISHED,
        totals=totals,
        verdict=sound,
    )


DOES: Final[dict[str, Callable[..., dict[str, Any]]]] = {
    part.__name__: part for part in (make, copy, csv, figures, opened)
}

if __name__ == "__main__":
    print(json.dumps(DOES[sys.argv[1]](*sys.argv[2:])))
