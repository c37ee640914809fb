"""A file that a user wrote, to say in which line of it a word stands."""

from __future__ import annotations

import re

from lab.errors import ScenarioError

_HEADING = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*$")


class Source:
    """A scenario's text; `where` is what to call it in an error."""

    def __init__(self, text: str, where: str) -> None:
        self.where = where
        self._lines = [line.split("#", 1)[0] for line in text.splitlines()]
        self._heading: int | None = None

    def section(self, name: str) -> Source:
        """Give the part that stands in a table, its inner tables too; the whole where it has no heading of its own."""
        inside, lines, first = False, [], None
        for number, line in enumerate(self._lines, start=1):
            if heading := _HEADING.match(line):
                path = ".".join(part.strip(" \"'") for part in heading[1].split("."))
                inside = path == name or path.startswith(f"{name}.")
                first = first or (number if inside else None)
            lines.append(line if inside else "")
        part = Source("", self.where)
        part._lines, part._heading = (lines, first) if any(lines) else (self._lines, None)
        return part

    def line_of(self, word: str, value: object = None) -> int | None:
        """Find the line where a key has this value, else where the word is a key, else where it stands at all."""
        text = rf'["\']?{re.escape(word)}["\']?'
        key = rf"(?:^|[{{,\[.])\s*{text}\s*"
        # A key of the table itself before one of a table that is written inside a line, such as a stage.
        patterns = [rf"^\s*{text}\s*[=.]", rf"{key}[=.\]]", rf"(?<![\w-]){text}(?![\w-])"]
        if isinstance(value, str | int):
            patterns.insert(0, rf"{key}=\s*{_literal(value)}\s*(?:[,}}]|$)")
        for pattern in patterns:
            for number, line in enumerate(self._lines, start=1):
                if re.search(pattern, line):
                    return number
        return None

    def error(self, sentence: str, word: str = "", value: object = None) -> ScenarioError:
        """Make an error that names the file, the line of the word (with this value) and what is wrong.

        What stands in no line is told by that of the section's heading.
        """
        number = (self.line_of(word, value) if word else None) or self._heading
        place = f"{self.where}, line {number}" if number else self.where
        return ScenarioError(f"{place}: {sentence}")


def shown(value: object) -> str:
    """Write a value for an error's sentence."""
    try:
        return repr(value)
    except ValueError:  # Python refuses to write a number of thousands of digits
        return "a number of thousands of digits"


def _literal(value: str | int) -> str:
    """Give the pattern of a value as TOML writes it."""
    if isinstance(value, str):
        return rf'["\']{re.escape(value)}["\']'
    return str(value).lower() if isinstance(value, bool) else re.escape(shown(value))
