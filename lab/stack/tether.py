"""Run a command that the kernel kills when its parent dies: `tether.py PARENT_PID COMMAND…` (Linux; no more elsewhere).

A script of its own, not a `preexec_fn`: Python code between fork and exec can deadlock, this cannot. The order
matters: the wish is registered first and the parent looked at second, so that a parent that died in between is seen.
The kernel forgets the wish when a set-uid program is executed; the platform's services are none.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the command."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
