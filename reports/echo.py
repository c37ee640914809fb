"""Keep a terminal from writing `^C` into a panel that is drawn in place."""

from __future__ import annotations

import sys
import termios
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCAL_FLAGS: Final = 3


@contextmanager
def silent_controls() -> Iterator[None]:
    """Have the terminal show no control characters that are typed within the block; without a terminal, do nothing."""
    try:
        keyboard = sys.stdin.fileno()
        before = termios.tcgetattr(keyboard)
    except (AttributeError, OSError, ValueError, termios.error):  # no terminal, or none at all
        yield
        return
    quiet = [*before]
    quiet[_LOCAL_FLAGS] &= ~termios.ECHOCTL
    termios.tcsetattr(keyboard, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        with suppress(termios.error):  # the terminal may have been closed meanwhile
            termios.tcsetattr(keyboard, termios.TCSANOW, before)
