"""A comparison as Markdown that fits into a comment on a pull request (under 65,000 characters)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lab.model.words import counted
from reports.attribution.table import lines
from reports.comparison import words
from reports.comparison.headline import main_operation
from reports.comparison.ledger import SHOWN, ledger
from reports.comparison.notes import OFTEN, keyed, notes
from reports.markdown import LIMIT, bullets, escaped
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reports.comparison.result import Comparison, Row

MOST_SIDES: Final = 20
MOST_TABLES: Final = 3
"""With more candidates than this there is no table of parts for each; the JSON and the page have them."""
_ALIGNED: Final = (" --- ", *(" ---: " for _ in words.HEADINGS[1:-1]), " --- ")
_FIRST: Final = (Answer.REGRESSED, Answer.IMPROVED, Answer.INCONCLUSIVE, Answer.EQUIVALENT, Answer.NO_VERDICT)
"""Which rows are kept first where not all of them fit."""
_CODE: Final = re.compile(r"`([^`]*)`")


def render(found: Comparison, limit: int = LIMIT) -> str:
    """Write a comparison as Markdown.

    Args:
        found: the comparison.
        limit: it stays shorter than this many characters; where rows have to go, those that say least go first.
    """
    rows = sorted(found.rows, key=lambda row: _FIRST.index(row.ruling.answer))
    kept = len(rows)
    while True:
        text = "\n".join(_lines(found, {id(row) for row in rows[:kept]})) + "\n"
        if len(text) < limit or not kept:
            return text[: limit - 1]
        # Every row has about the same length, so that one or two rounds are enough.
        kept = min(kept - 1, int(kept * limit / len(text) * 0.95))


def _lines(found: Comparison, kept: set[int]) -> Iterator[str]:
    yield f"### {_sentence(found.headline)}"
    yield ""
    if found.forced:
        yield "**Not comparable, and forced:**"
        yield ""
        yield from bullets(found.forced)
    for side in found.candidates[:MOST_SIDES]:
        yield f"**{escaped(side.label, 60)}** against **{escaped(found.baseline.label, 60)}**"
        yield ""
        yield from _table(found, [row for row in found.rows if row.candidate == side.label and id(row) in kept])
        yield from _because(found, side.label)
    left_out = len(found.rows) - len(kept)
    if left_out:
        yield f"… and {counted(left_out, 'more row')}, in the JSON."
        yield ""
    yield from _ledger(found)
    for side in (found.baseline, *found.candidates[:MOST_SIDES]):
        about = ", ".join(escaped(text, 80) for text in (side.revision, side.note) if text)
        yield f"- **{escaped(side.label, 60)}**: {words.health(side)}{f' ({about})' if about else ''}"
    yield ""
    if known := notes(found):
        yield f"<details><summary>To be known ({len(known)})</summary>"
        yield ""
        yield from bullets([str(note) for note in known])
        yield "</details>"
        yield ""
    yield f"<sub>{escaped(words.method(found), 1000)}</sub>"


def _table(found: Comparison, rows: Sequence[Row]) -> Iterator[str]:
    yield f"| {' | '.join(words.headings(found))} |"
    yield f"|{'|'.join(_ALIGNED)}|"
    letters = keyed(rows, OFTEN)
    for row in rows:
        *figures, verdict = (escaped(cell) for cell in words.cells(row, letters))
        yield f"| {' | '.join(figures)} | {words.MARKS[row.ruling.answer]} {verdict} |"
    yield ""
    if letters:
        yield from (f"{escaped(f'({letter}) {reason}', 400)}  " for reason, letter in letters.items())
        yield ""


def _because(found: Comparison, label: str) -> Iterator[str]:
    """Say what explains the difference, with the table of the main operation's p95 where there is room for it."""
    causes, steps = found.causes(label), words.main_causes(found.causes(label, step=True))
    if not causes and not steps:
        return
    yield f"{words.capital(words.WHERE)} ({words.TOGETHER}):"
    yield ""
    yield from bullets([*map(str, causes), *(words.stepped(cause) for cause in steps)])
    main = words.main_causes(causes)[-1:]
    if not main or len(found.candidates) > MOST_TABLES:
        return
    what = escaped(f"{main[0].operation} {main[0].difference.ranks.name}", 80)
    yield f"<details><summary>{what} by part, ms</summary>"
    yield ""
    yield "| part | baseline | candidate | change |"
    yield "| --- | ---: | ---: | ---: |"
    for line in lines(main[0].difference):
        yield f"| {' | '.join(escaped(cell) for cell in (line.name, line.before, line.after, line.change))} |"
    yield ""
    yield "</details>"
    yield ""


def _ledger(found: Comparison) -> Iterator[str]:
    operation = main_operation(found.rows)
    for metric in SHOWN:
        entries = list(ledger(found, operation, metric))[:MOST_SIDES]
        if not entries:
            continue
        yield f"**Iterations: {escaped(words.subject(entries[0].cumulative))}**"
        yield ""
        yield "| iteration | revision | hypothesis | step | from the start |"
        yield "| --- | --- | --- | --- | --- |"
        for entry in entries:
            cells = (
                escaped(entry.candidate, 60),
                escaped(entry.revision, 20),
                escaped(entry.note, 200),
                *(f"{words.movement(row)} {row.ruling.answer}" for row in (entry.step, entry.cumulative)),
            )
            yield f"| {' | '.join(cells)} |"
        yield ""


def _sentence(text: str) -> str:
    """Escape a sentence, and set what stands between backticks, a label, in bold: in code, HTML would show as codes."""
    pieces = [escaped(piece, 2000) for piece in _CODE.split(text)]
    return "".join(f"**{piece}**" if place % 2 else piece for place, piece in enumerate(pieces))
