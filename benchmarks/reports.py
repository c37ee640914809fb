"""What do reports of large runs cost, and what do they grow with?

Usage: python benchmarks/reports.py [--requests 10000000] [--seconds 3600] [--operations 10] [--runs 20] [--rounds 3]

Makes runs of half, once and twice so many requests in the same time through the lab's own writer, and the same
requests as a raw CSV. Then, in turns and each in a new process: the report of each run, pandas reading the CSV and
computing the same percentiles, and comparisons of so many runs: two labels of paired runs, and all of them one by one,
which adds bands. Prints seconds (medians with the lowest and highest of the rounds), CPU seconds, which a busy machine
changes less, and peak memory; files are in the page cache. The first report of a run is shown apart: it works out the
digest, which a run's end does otherwise. Needs 2 GB of disk for a while, and ten minutes; keeps nothing.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parent.parent
CLI: Final = (str(ROOT / "cli.py"),)
PART: Final = ("-m", "benchmarks.parts.reports_run")
MIB: Final = 1024
MOST_APART: Final = 1 / 1024
"""How far a percentile may be off its raw value: the half width of a bin, either side, and that of its rank's."""


@dataclass(slots=True)
class Taken:
    """What processes of one kind took: seconds by the clock and of CPU, and MiB at most."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        """Write the median and the spread."""
        low, middle, high = min(self.seconds), statistics.median(self.seconds), max(self.seconds)
        cpu = f"{statistics.median(self.cpu):6.2f} s" if self.cpu else "–"
        return f"{middle:6.2f} s ({low:.2f}–{high:.2f})".ljust(26) + f"{cpu:>9}  {max(self.memory):5.0f} MiB"


class Bench:
    """Runs processes and keeps what they took, by name."""

    def __init__(self) -> None:
        self.taken: dict[str, Taken] = defaultdict(Taken)

    def run(self, name: str, *command: str) -> str:
        """Run Python with a command in the repository; gives what it printed."""
        began = time.perf_counter()
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen([sys.executable, *command], cwd=ROOT, stdout=said)
            _, status, usage = os.wait4(process.pid, 0)  # with what this one process used
            process.returncode = os.waitstatus_to_exitcode(status)
            said.seek(0)
            text = said.read()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        self.taken[name].seconds.append(time.perf_counter() - began)
        self.taken[name].cpu.append(usage.ru_utime + usage.ru_stime)
        self.taken[name].memory.append(usage.ru_maxrss / MIB)
        return text

    def part(self, name: str, what: str, *arguments: object) -> Any:  # noqa: ANN401 - what JSON knows
        """Run a part of `reports_run.py`."""
        return json.loads(self.run(name, *PART, what, *(str(argument) for argument in arguments)))


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--operations", type=int, default=10)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="airbourne-reports-") as place:
        measure(Bench(), Path(place), asked)


def measure(bench: Bench, place: Path, asked: argparse.Namespace) -> None:
    """Make the runs, measure in turns, print the table."""
    sizes = [asked.requests // 2, asked.requests, asked.requests * 2]
    say(f"{asked.seconds} s, {asked.operations} operations; {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    for size in sizes:
        run, raw = place / f"of-{size}", place / f"of-{size}.csv"
        made = bench.part(f"making {size:,}", "make", run, raw, size, asked.seconds, asked.operations)
        bench.run(f"first report of {size:,}", *CLI, "report", run.name, "--out", str(place))
        say(
            f"{size:>12,} requests: log {made['log'] >> 20} MB, closed in {made['close_s']:.1f} s: samples "
            f"{made['samples'] >> 20} MB, digest {(run / 'digest.npz').stat().st_size >> 10} kB, CSV "
            f"{raw.stat().st_size >> 20} MB, report {(run / 'report.html').stat().st_size / 1e6:.1f} MB; at most "
            f"{bench.taken[f'making {size:,}'].memory[-1]:.0f} MiB"
        )
    runs = place / "runs"
    base = place / f"of-{asked.requests}"
    sides = ("baseline", "candidate")
    names = [(pair, side) for pair in range(1, asked.runs // 2 + 1) for side in sides]
    for pair, side in names:
        bench.part("copying", "copy", base, runs / f"{side}-{pair}", pair, side)
    ids = [f"{side}-{pair}" for pair, side in names]
    for number in range(asked.rounds):
        for size in sizes if number % 2 else sizes[::-1]:
            bench.run(f"report of {size:,}", *CLI, "report", f"of-{size}", "--out", str(place))
            bench.part(f"CSV of {size:,}", "csv", place / f"of-{size}.csv")
        bench.run(f"compare {len(ids)} paired", *CLI, "compare", *sides, "--out", str(runs))
        bench.run(f"compare {len(ids)} singly", *CLI, "compare", *ids, "--out", str(runs))
        took = bench.part("Chromium", "opened", base / "report.html")["open_s"]
        bench.taken["opening the report"].seconds.append(took)
        bench.taken["opening the report"].memory.append(bench.taken["Chromium"].memory[-1])
    say(f"\n{'each in a new process':<36} median (lowest–highest)  CPU, peak memory")
    for name in [name for name in bench.taken if name not in {"copying", "Chromium"} and not name.startswith("making")]:
        say(f"{name:<36} {bench.taken[name]}")
    say("")
    for size in sizes:
        ratios = [
            csv / report
            for csv, report in zip(
                bench.taken[f"CSV of {size:,}"].cpu, bench.taken[f"report of {size:,}"].cpu, strict=True
            )
        ]
        spread = f"{min(ratios):.1f}–{max(ratios):.1f}"
        say(f"{size:>12,} requests: the CSV takes {statistics.median(ratios):.1f} times the CPU ({spread})")
    grown = [
        statistics.median(bench.taken[f"{what} of {sizes[-1]:,}"].cpu)
        / statistics.median(bench.taken[f"{what} of {sizes[0]:,}"].cpu)
        for what in ("report", "CSV")
    ]
    say(f"four times the requests: the report takes {grown[0]:.2f} times the CPU, the CSV {grown[1]:.2f} times")
    agree(bench, base, place / f"of-{asked.requests}.csv")


def agree(bench: Bench, run: Path, raw: Path) -> None:
    """Hold the lab's percentiles against those of the raw requests."""
    exact, shown = bench.part("checking", "csv", raw), bench.part("checking", "figures", run)
    apart = max(
        abs(value - true) / true
        for name, values in exact.items()
        for value, true in zip(shown[name], values, strict=True)
        if value is not None
    )
    say(f"percentiles differ from those of the CSV by at most {apart:.3%} (a bin is {MOST_APART:.3%} wide)")


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)


if __name__ == "__main__":
    main()
