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


def main() -> None:
    """Wait for the end of the input and kill the groups that were named."""
    for interrupt in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(interrupt, signal.SIG_IGN)
    groups = [int(line) for line in sys.stdin if line.strip()]
    for group in groups:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    main()
