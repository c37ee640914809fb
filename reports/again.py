"""The command that runs a run again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from lab.model.target import PREFIXES

if TYPE_CHECKING:
    from lab.model.run import Run

_LOCAL: Final = "local"


def command(run: Run) -> str:
    """Write the command line that repeats a run, quoted for a shell.

    Stages and thresholds that were given by hand are not in it: a run holds the scenario as it was run, and not which
    part of it came from where.
    """
    words = ["airbourne-lab", "run", "--scenario", run.scenario.name]
    if run.profile:
        words += ["--profile", run.profile]
    if run.time_scale != 1:
        words += ["--time-scale", f"{run.time_scale:g}"]
    if run.seed != 1:
        words += ["--seed", str(run.seed)]
    if run.label:
        words += ["--label", run.label]
    if run.target.name != _LOCAL:
        words += ["--gateway", run.target.gateway]
        for service in PREFIXES:
            if run.target.url(service) != run.target.through_gateway(service):
                words += [f"--{service}", run.target.url(service)]
    return shlex.join(words)
