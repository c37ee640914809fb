"""A Markdown page whose console blocks are played: its commands, what becomes of their output, and its pictures.

A block holds one command, `$ airbourne-lab …`, and what it printed. A comment above it may say how it ends and which of
its lines stay (`<!-- play: exit 98 or 99; keep first 3, from "INTEGRITY" to "THRESHOLDS", 4 from "x", last 2 -->`);
what is left out becomes a line `…`. A comment above a picture says which part of which file of the newest run it shows:
`<!-- picture: report.html; .verdict -->`, from the first to the last of the elements that are named.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

CUT: Final = "…"
_FENCE: Final = "```"
_OPENED: Final = "```console"
_COMMENT: Final = re.compile(r"<!-- (play|picture): (.*) -->")
_LINK: Final = re.compile(r"!\[.*\]\((.+\.png)\)")
_PART: Final = re.compile(
    r"first (?P<first>\d+)|last (?P<last>\d+)"
    r'|(?P<count>\d+) from "(?P<at>[^"]+)"|from "(?P<low>[^"]+)" to "(?P<high>[^"]+)"'
)


class PageError(Exception):
    """The page cannot be played as it stands."""


@dataclass(frozen=True, slots=True)
class Block:
    """A command of the page.

    Attributes:
        key: the command, and which one it is where it stands more than once.
        section: the heading that it stands under.
        command: without the prompt.
        exits: the codes that it may end with.
        keep: which lines of its output stay; "" for all.
        start: the first line of the page that is its output.
        end: the line that closes the block.
    """

    key: str
    section: str
    command: str
    exits: tuple[int, ...]
    keep: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the page.

    Attributes:
        after: the key of the command before it.
        path: where it is, from the page.
        file: what it shows, by its name in the newest run's folder that has it.
        parts: CSS selectors of what it shows.
    """

    after: str
    path: str
    file: str
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A page that was read: its lines, and what is to be played and shot, in order."""

    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    pictures: tuple[Picture, ...]

    def cut_already(self, block: Block) -> Page:
        """Give the page with all lines of this block's output kept."""
        return replace(self, blocks=tuple(replace(one, keep="") if one == block else one for one in self.blocks))

    def filled(self, outputs: Mapping[str, str]) -> str:
        """Give the page with what the commands printed, by their keys; the others' blocks stay.

        Raises:
            PageError: what is to be kept of an output is not in it.
        """
        lines = [*self.lines]
        for block in reversed(self.blocks):
            if block.key in outputs:
                lines[block.start : block.end] = cut(outputs[block.key], block.keep)
        return "\n".join(lines) + "\n"


def read(text: str) -> Page:
    """Read a page.

    Raises:
        PageError: a block is not closed or has no command, or a comment cannot be read.
    """
    lines = text.splitlines()
    blocks: list[Block] = []
    pictures: list[Picture] = []
    seen: Counter[str] = Counter()
    section, told = "", ""
    for number, line in enumerate(lines):
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif found := _COMMENT.fullmatch(line):
            if found[1] == "play":
                told = found[2]
            else:
                pictures.append(_picture(found[2], lines[number + 1], blocks))
        elif line == _OPENED:
            prompt, _, command = lines[number + 1].partition(" ")
            if prompt != "$" or _FENCE not in lines[number:]:
                raise PageError(f"line {number + 1}: a console block begins with `$ airbourne-lab …`, and ends")
            seen[command] += 1
            exits, keep = _told(told)
            end = lines.index(_FENCE, number)
            key = command if seen[command] == 1 else f"{command} ({seen[command]})"
            blocks.append(Block(key, section, command, exits, keep, number + 2, end))
            told = ""
    return Page(tuple(lines), tuple(blocks), tuple(pictures))


def _told(text: str) -> tuple[tuple[int, ...], str]:
    """Give how a command may end, and which lines are kept."""
    exits: tuple[int, ...] = (0,)
    keep = ""
    for part in filter(None, text.split("; ")):
        what, _, value = part.partition(" ")
        if what == "exit":
            exits = tuple(map(int, value.split(" or ")))
        elif what == "keep":
            keep = value
        else:
            raise PageError(f'"play: {text}": say exit and keep')
    return exits, keep


def _picture(text: str, line: str, blocks: list[Block]) -> Picture:
    file, *parts = text.split("; ")
    link = _LINK.fullmatch(line)
    if not parts or not link or not blocks:
        raise PageError(f'"picture: {text}": name a file and its parts, after a command and above the picture')
    return Picture(blocks[-1].key, link[1], file, tuple(parts))


def cut(output: str, keep: str) -> list[str]:
    """Give the lines of an output that are kept, with `…` where some were left out.

    Raises:
        PageError: it has no line with the text that is named.
    """
    lines = [line.rstrip() for line in output.strip("\n").splitlines()]
    if not keep:
        return lines
    chosen = {number for part in keep.split(", ") for number in _chosen(lines, part)}
    found: list[str] = []
    left_out = False
    for number, line in enumerate(lines):
        if number in chosen:
            found += ([CUT] if left_out else []) + [line]
        left_out = number not in chosen and (bool(line) or left_out)
    return [*found, CUT] if left_out else found


def _chosen(lines: list[str], part: str) -> range:
    found = _PART.fullmatch(part)
    if not found:
        raise PageError(f'keep: "{part}" is none of: first 3; last 3; 3 from "text"; from "text" to "text"')
    if found["first"]:
        return range(min(int(found["first"]), len(lines)))
    if found["last"]:
        return range(max(len(lines) - int(found["last"]), 0), len(lines))
    begin = _line(lines, found["at"] or found["low"], 0)
    end = begin + int(found["count"]) if found["count"] else _line(lines, found["high"], begin)
    return range(begin, min(end, len(lines)))


def _line(lines: list[str], text: str, begin: int) -> int:
    for number, line in enumerate(lines[begin:], begin):
        if text in line:
            return number
    raise PageError(f'keep: no line has "{text}" in it')
