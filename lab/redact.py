"""Taking secrets out of what is kept or shown: nothing that a run folder, a log or an error holds may have one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "***"
_SECRET_OPTIONS: Final = frozenset({"--influx-token"})
_WEB_USERINFO: Final = re.compile(r"(https?://)[^/?#\s]*@", re.IGNORECASE)
# Of other URLs everything up to the last @ goes: a password may hold a slash that its owner forgot to encode.
_USERINFO: Final = re.compile(r"((?!https?:)\b[a-z][a-z0-9+.-]*://)\S*@", re.IGNORECASE)
# In a text that is such a URL from its begin, or an option with one, blanks are part of it, too.
_WHOLE: Final = re.compile(r"\A((?:--[a-z-]+=)?(?!https?:)[a-z][a-z0-9+.-]*://).*@", re.IGNORECASE | re.DOTALL)
_QUERY: Final = re.compile(r"(?<=[?&])([^=&#\s]*(?:token|passw|secret|key)[^=&#\s]*=)[^&#\s]*", re.IGNORECASE)


def url(text: str) -> str:
    """Give a URL, or a text with URLs in it, without users, passwords and tokens."""
    for pattern in (_WHOLE, _WEB_USERINFO, _USERINFO):
        text = pattern.sub(rf"\1{HIDDEN}@", text)
    return _QUERY.sub(rf"\1{HIDDEN}", text)


def command(words: Iterable[str]) -> list[str]:
    """Give a command line without the secrets in it."""
    shown: list[str] = []
    hide = False
    for word in words:
        name, equals, _ = word.partition("=")
        if hide:
            shown.append(HIDDEN)
        elif equals and name in _SECRET_OPTIONS:
            shown.append(f"{name}={HIDDEN}")
        else:
            shown.append(url(word))
        hide = not hide and word in _SECRET_OPTIONS
    return shown
