"""Put a side into place before each of its runs: a platform started afresh, or a deployment after its command."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Final

from lab.errors import StoppedError, TargetError
from lab.model.experiment import Kind
from lab.model.target import Target
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.health import check
from lab.stack.owned import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lab.model.experiment import Arm
    from lab.stack.state import StackState

PAUSE_S: Final = 0.2
HEALTHY_WITHIN_S: Final = 90.0
LONGEST_COMMAND_S: Final = 1800.0


@dataclass(frozen=True, slots=True)
class Places:
    """What the sides of an experiment stand on.

    Attributes:
        root: where the platforms of runs are made.
        backend: what is under them; None for the embedded one.
        targets: the deployments, by the label of their side.
        log: what commands say goes there.
        pause: waits so many seconds, and tells whether the user asked to stop meanwhile.
    """

    root: Path
    backend: Backend | None
    targets: Mapping[str, Target]
    log: Path
    pause: Callable[[float], bool]


@contextmanager
def prepared(arm: Arm, places: Places, stage: Callable[[str], None]) -> Iterator[tuple[Target, StackState | None]]:
    """Have a side in place for a block: its databases are new where the lab starts it.

    Raises:
        StackError: the platform does not come up.
        TargetError: the command failed, or the deployment is not healthy after it.
        StoppedError: the user asked to stop.
    """
    if arm.kind is Kind.PROFILE:
        stage("Starting the platform with fresh databases")
        with running(places.root, arm.name, backend=places.backend or EMBEDDED) as state:
            yield state.target(), state
        return
    target = places.targets[arm.label]
    if arm.command:
        stage("Running the command of this side")
        _run(arm, places)
    stage(f"Waiting until {target.gateway} is healthy")
    _healthy(target, places)
    yield target, None


def _run(arm: Arm, places: Places) -> None:
    """Run a side's command in the shell, as its user would; what it says goes into the log."""
    with places.log.open("ab") as log:
        log.write(f"\n{arm.label}: {arm.command}\n".encode())
        log.flush()
        process = subprocess.Popen(  # noqa: S602 - the user's own words, for the user's own shell
            arm.command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=os.environ,
            start_new_session=True,
        )
        until = monotonic() + LONGEST_COMMAND_S
        late = False
        while process.poll() is None:
            if places.pause(PAUSE_S) or (late := monotonic() > until):
                # With all that the shell started: it would go on beside the next run.
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGTERM)
                process.wait()
    if late:
        raise TargetError(f"the command of {arm.label} was ended after {LONGEST_COMMAND_S:g} s; see {places.log}")
    if process.returncode:
        raise TargetError(
            f"the command of {arm.label} ended with {process.returncode}; what it said is in {places.log}"
        )


def _healthy(target: Target, places: Places) -> None:
    until = monotonic() + HEALTHY_WITHIN_S
    while reason := check(target.gateway):
        if monotonic() > until:
            raise TargetError(
                f'target "{target.name}": after {HEALTHY_WITHIN_S:.0f} s the gateway {target.gateway} still {reason}'
            )
        if places.pause(PAUSE_S):
            raise StoppedError("stopped while a side was put into place")
