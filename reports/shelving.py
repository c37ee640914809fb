"""What is said of runs that get another label or are thrown away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.run import Run
    from lab.shelf import Doomed
    from lab.store import RunFolder

MOST_LISTED: Final = 20


def doomed_lines(found: Sequence[Doomed]) -> list[str]:
    """List what would be thrown away, with what somebody may miss: a label, a place in an experiment."""
    lines = [f"{units.plain(one.run.id, 60)}{_about(one.run)}, {units.size(one.size)}" for one in found[:MOST_LISTED]]
    if len(found) > MOST_LISTED:
        lines.append(f"… and {counted(len(found) - MOST_LISTED, 'more run')}")
    return lines


def question(found: Sequence[Doomed]) -> str:
    """Ask whether to go on."""
    return f"Remove {counted(len(found), 'run')} for good?"


def removed(found: Sequence[Doomed], freed: int) -> str:
    """Say what is gone."""
    what = units.plain(found[0].run.id, 60) if len(found) == 1 else counted(len(found), "run")
    return f"Removed {what}; {units.size(freed)} are free again."


def relabelled(folder: RunFolder, run: Run) -> str:
    """Say which label a run has now, and what still has the old one."""
    now = f'has the label "{units.plain(run.label, 60)}" now' if run.label else "has no label now"
    said = f"{units.plain(run.id, 60)} {now}."
    if folder.report.exists():
        said += f" Its report.html is as it was: write it again with: airbourne-lab report {units.plain(run.id, 60)}"
    return said


def _about(run: Run) -> str:
    parts = [f'label "{units.plain(run.label, 60)}"'] if run.label else []
    if run.pairing:
        parts.append(f"pair {run.pairing.pair} of {units.plain(run.pairing.experiment, 60)}")
    return f" ({', '.join(parts)})" if parts else ""
