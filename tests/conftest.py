"""What holds for every test: those that could not run are named at the end, never silently left out."""

from __future__ import annotations

import os
from collections import defaultdict
from typing import TYPE_CHECKING

from hypothesis import settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

REASON = "Skipped: "

# What a password's hash costs is no test's business, and would be most of what many of them take.
os.environ.setdefault("BCRYPT_COST", "4")

# How long an example takes says how busy the machine is. Half of the usual examples: each `make test` makes new ones.
settings.register_profile("untimed", deadline=None, max_examples=50)
settings.load_profile("untimed")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say which tests did not run, and why, after all else."""
    skipped: defaultdict[str, set[str]] = defaultdict(set)
    for report in terminalreporter.stats.get("skipped", []):
        longrepr = report.longrepr
        reason = str(longrepr[2] if isinstance(longrepr, tuple) else longrepr).removeprefix(REASON)
        skipped[reason].add(report.nodeid)
    if not skipped:
        return
    terminalreporter.section("these tests did not run", yellow=True, bold=True)
    for reason, names in sorted(skipped.items()):
        terminalreporter.write_line(f"{len(names)} because: {reason}")
        for name in sorted(names):
            terminalreporter.write_line(f"    {name}")
