"""Run a command that the kernel kills when its parent dies: `tether.py PARENT_PID COMMAND…` (Linux; no more elsewhere).

A script of its own, not a `preexec_fn`: Python code between fork and exec can deadlock, this cannot. The order
matters: the wish is registered first and the parent looked at second, so that a parent that died in between is seen.
The kernel forgets the wish when a process changes its user; a launcher that does so ties itself again.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
_PR_GET_PDEATHSIG = 2


def tie(parent: int) -> None:
    """Have the kernel kill this process when its parent dies; end at once when the parent is not the given one."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


def is_tied() -> bool:
    """Tell whether the kernel kills this process when its parent dies."""
    number = ctypes.c_int(0)
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value != 0


def main(arguments: list[str]) -> None:
    """Tie this process to its parent and become the command."""
    parent, *command = arguments
    tie(int(parent))
    os.execv(command[0], command)  # noqa: S606 - no shell is what is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
