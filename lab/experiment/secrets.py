"""Passwords in the command of a side: it is written down with the experiment, and nothing written may hold one."""

from __future__ import annotations

import re
from typing import Final

from lab import redact

_VALUE: Final = r"""["']?(?!["']?[$`])[^\s"'$`;|&)]"""
"""The begin of something that is written out; `$NAME`, `$(…)` and nothing at all are no secrets."""
_NAME: Final = r"(?:[\w-]*(?:passwor[dt]|passwd|passphrase|secret|token|api[_-]?key|_pwd)|(?:[\w-]*[_-])?pass)s?"
_WRITTEN: Final = tuple(
    re.compile(text, re.IGNORECASE)
    for text in (
        rf"(?<![\w$-])-{{0,2}}{_NAME}={_VALUE}",
        rf"(?<!\S)--?{_NAME}\s+(?!-){_VALUE}",
        rf"\bauthorization:\s*(?:basic|bearer)\s+{_VALUE}",
        rf"\bcurl\b.*\s(?:-u|--user)[\s=]*[^\s:]+:{_VALUE}",
        rf"\b(?:mysql|mariadb)[\w-]*\b.*\s-p{_VALUE}",
    )
)


def holds_one(command: str) -> bool:
    """Tell whether a command seems to have a password in it: in a URL, an assignment, an option, a header."""
    return redact.url(command) != command or any(found.search(command) for found in _WRITTEN)
