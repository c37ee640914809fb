"""Where and with what a run was made: the machine, the packages, the git revision."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Final

from lab.model.run import Machine, Revision

PACKAGES: Final = ("airbourne-lab", "locust", "gevent", "geventhttpclient", "flask", "granian", "sqlalchemy", "pandas")
GIT_SECONDS: Final = 5


def machine() -> Machine:
    """Describe this machine."""
    import psutil  # noqa: PLC0415 - not needed by `--help`

    return Machine(
        system=platform.platform(),
        processor=_processor(),
        cores=os.cpu_count() or 1,
        memory_gib=round(psutil.virtual_memory().total / 2**30, 1),
        python=platform.python_version(),
        host=platform.node(),
    )


def started(pid: int) -> float:
    """Give when a process was started, in seconds since 1970; 0.0 when there is none of this pid."""
    import psutil  # noqa: PLC0415 - as above

    try:
        return float(psutil.Process(pid).create_time())
    except psutil.Error:
        return 0.0


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def packages() -> dict[str, str]:
    """Give the versions of the packages that a figure may depend on."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def revision() -> Revision | None:
    """Give the git revision of the current folder, or None where there is no git or no repository."""
    try:
        commit = _git("rev-parse", "HEAD")
        return Revision(commit, dirty=bool(_git("status", "--porcelain", "--untracked-files=no")))
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*words: str) -> str:
    done = subprocess.run(  # noqa: S603 - fixed words, no shell
        ["git", *words],  # noqa: S607 - the user's own git
        capture_output=True,
        text=True,
        timeout=GIT_SECONDS,
        check=True,
    )
    return done.stdout.strip()
