"""Outlive the supervisor by a moment, and take down what it left: the last line against stray processes.

`guard.py` reads one process group per line from its standard input, which the supervisor holds open. When that ends,
the supervisor has ended, and every group is killed. This covers what a death signal cannot: systems without one, and
the workers of a WSGI server whose master was killed. Only the standard library, so that it starts at once.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress


def kill(group: int) -> None:
    """Kill a group of this session; a number that another session's process has got since is somebody else's."""
    with suppress(ProcessLookupError, PermissionError):
        if _leader_is_ours(group):
            os.killpg(group, signal.SIGKILL)


def _leader_is_ours(group: int) -> bool:
    try:
        return os.getsid(group) == os.getsid(0)
    except ProcessLookupError:
        # It has ended, and its workers may not have: while one of them lives, nobody else gets the number.
        return True


def main() -> None:
    """Wait for the end of the input and kill the groups that were named."""
    for interrupt in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interrupt, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin if line.strip()]
    for group in groups:
        kill(group)


if __name__ == "__main__":
    main()
