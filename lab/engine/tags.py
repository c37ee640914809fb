"""From what a request was called with to its tags, each different set of them made once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.model.sample import Tags

UNTAGGED: Final = "other"
LATE: Final = "_late"
"""The key of a context under which the lateness of an iteration stands, in µs; no tag."""
UNCOUNTED: Final = "_uncounted"
"""The key of a context that marks a request whose client does not count what it sends; no tag."""
GROUP: Final = "group"


def tags_of(context: Mapping[str, Any]) -> Tags:
    """Give the tags of a context: its text keys that do not begin with "_", sorted."""
    tags = {key: str(value) for key, value in context.items() if isinstance(key, str) and not key.startswith("_")}
    return tuple(sorted(tags.items()))
