"""Lines for a terminal: spans of text with a style, wrapped to a width and laid out in k6's dotted columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from reports import units

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from rich.console import Console

GOOD, BAD, WARN, DIM, BOLD, FIGURE = "green", "red", "yellow", "dim", "bold", "cyan"
LABEL: Final = 30


class Span(NamedTuple):
    """A piece of a line and its style (Rich's words, or none)."""

    text: str
    style: str = ""


Line = tuple[Span, ...]


def plain(lines: Iterable[Line]) -> str:
    """Write lines as plain text, without colour; it ends with a line break."""
    return "".join("".join(span.text for span in line).rstrip() + "\n" for line in lines)


def draw(lines: Iterable[Line], console: Console) -> None:
    """Write lines to a console: in colour on a terminal, as plain text to a file or a pipe."""
    from rich.text import Text  # noqa: PLC0415 - Rich is loaded only by who draws

    for line in lines:
        text = Text.assemble(*((span.text, span.style) for span in line))
        text.rstrip()
        console.print(text, soft_wrap=True, highlight=False)


def title(text: str) -> Iterator[Line]:
    """Give the heading of a block, as k6 marks it."""
    yield ()
    yield (Span("  █ ", BOLD), Span(text, BOLD))
    yield ()


def wrapped(head: Line, text: str, width: int, style: str = "", hang: int = 6) -> Iterator[Line]:
    """Break a sentence at blanks, its further lines indented by `hang`; a word without end is broken too."""
    start, left = head, max(width - sum(units.cells(span.text) for span in head), 0)
    line = ""
    for word in _pieces(text, width - hang):
        needed = units.cells(word) + (units.cells(line) + 1 if line else 0)
        if needed > left and (line or start is head):
            yield (*start, Span(line, style))
            start, left, line = (Span(" " * hang),), width - hang, word
        else:
            line = f"{line} {word}" if line else word
    yield (*start, Span(line, style))


def _pieces(text: str, room: int) -> Iterator[str]:
    for word in text.split(" "):
        rest = word
        while units.cells(rest) > room:
            piece = _fitting(rest, room)
            yield piece
            rest = rest[len(piece) :]
        yield rest


def _fitting(text: str, room: int) -> str:
    """Give as much of the start of a text as fits into `room` columns."""
    used = 0
    for number, char in enumerate(text):
        used += units.cells(char)
        if used > room:
            return text[:number]
    return text


def dots(label: str, indent: int = 4, room: int = LABEL) -> Span:
    """Give a label, filled with dots up to where the figures begin."""
    fill = "." * max(room - units.cells(label) - (indent - 4), 2)
    return Span(f"{' ' * indent}{label}{fill}: ")


def trend_rows(rows: Sequence[tuple[str, int, list[str]]], width: int) -> Iterator[Line]:
    """Lay trends out in columns; where a line is too short for them all, the rest goes under the first of them."""
    longest = max(units.cells(label) + indent - 4 for label, indent, _ in rows)
    room = min(max(LABEL, longest + 2), max(width // 2, LABEL))
    columns = max(len(values) for _, _, values in rows)
    sizes = [max((len(values[n]) for _, _, values in rows if n < len(values) > 1), default=0) for n in range(columns)]
    for label, indent, values in rows:
        head: tuple[Span, ...] = (dots(_short(label, room - (indent - 4) - 2), indent, room),)
        start = sum(units.cells(span.text) for span in head)
        for chunk in _chunks(values, sizes, width - start):
            yield (*head, Span(chunk, FIGURE))
            head = (Span(" " * start),)


def _short(text: str, room: int) -> str:
    if units.cells(text) <= room:
        return text
    return _fitting(text, room - 1) + "…"


def _chunks(values: Iterable[str], sizes: Sequence[int], room: int) -> Iterator[str]:
    line = ""
    for value, size in zip(values, sizes, strict=False):
        if line and len(line) + size > room:
            yield line
            line = ""
        line += f"{value:<{size}} "
    yield line
