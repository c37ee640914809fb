"""The names of the bundled services' profiles: rungs of a ladder, and single changes beside a rung.

The lab knows the platform by its contract, and these words; what they change is the services' own business.
"""

from __future__ import annotations

from typing import Final

from lab.errors import ConfigError, nearest

RUNGS: Final = ("as-found", "safe", "pooled", "local-tokens", "indexed", "lean", "scaled")
"""Each stands for a change on top of all before it."""

DEFAULT: Final = "scaled"
"""What the stack uses unless it is told otherwise: the fastest one that is safe."""

_ALSO: Final = "+"
_NEEDS: Final = {"lean": "safe"}
"""A change that is none without another."""


def check_profile(profile: str) -> None:
    """Refuse a profile that the services do not know: `RUNG`, or `RUNG+CHANGE…`.

    Raises:
        ConfigError: it is none.
    """
    rung, *more = profile.split(_ALSO)
    for word in (rung, *more):
        if word not in RUNGS:
            where = "" if word == profile else f' (in "{profile}")'
            raise ConfigError(f'unknown profile "{word}"{where}{nearest(word, RUNGS)}')
    has = RUNGS[: RUNGS.index(rung) + 1]
    for word in more:
        if word in has:
            raise ConfigError(f'profile "{profile}" has {word} twice; leave it out')
        has = (*has, word)
    for word, needed in _NEEDS.items():
        if word in has and needed not in has:
            raise ConfigError(f'profile "{profile}": {word} needs {needed}; write {rung}+{needed}+{word}')
