"""What all Markdown of the lab keeps to: what stands in it is shown and not obeyed, and it fits into a comment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports import units

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LIMIT: Final = 65_000
"""A comment on a pull request is shorter than this many characters."""
MOST_NOTES: Final = 30
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|~])")


def escaped(text: str, limit: int = 300) -> str:
    """Write a text so that Markdown shows it as it is: no markup, no HTML, and nobody mentioned."""
    marked = _SPECIAL.sub(r"\\\1", units.plain(text, limit).replace("&", "&amp;").replace("<", "&lt;"))
    return marked.replace(">", "&gt;").replace("@", "&#64;")


def bullets(texts: Sequence[str]) -> Iterator[str]:
    """Give a list, line by line, and a blank line; of very many, the first."""
    for text in texts[:MOST_NOTES]:
        yield f"- {escaped(text, 400)}"
    if len(texts) > MOST_NOTES:
        yield f"- … and {counted(len(texts) - MOST_NOTES, 'more note')}, in the JSON"
    yield ""
