"""The waterfall: what each iteration did to the main operation's latency, from the baseline to where it stands now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from reports import units
from reports.comparison import words
from reports.comparison.ledger import followed, ledger
from reports.comparison.metrics import Unit
from reports.drawing import MS, Chart, inert
from reports.stats.ruling import Answer

if TYPE_CHECKING:
    from reports.comparison.ledger import Entry
    from reports.comparison.result import Comparison

_COLOURS: Final = {Answer.IMPROVED: "good", Answer.REGRESSED: "bad"}
_NAME: Final = 18
_NAMED: Final = 3
"""With more bars than this there is less room for a name."""
_SHORT: Final = 12
_WIDE: Final = 0.65
"""Of a bar. Left to itself a chart chooses it by how far a trace's bars are from each other."""


def waterfall(found: Comparison, operation: str) -> Chart | None:
    """Draw it; None where there is only one candidate, or nothing that could be drawn."""
    entries = [
        entry for entry in ledger(found, operation, followed(found, operation)) if entry.cumulative.change is not None
    ]
    start = entries[0].cumulative.before if entries else None
    if not entries or not start or entries[0].metric.unit is not Unit.TIME:
        return None
    start /= MS
    levels = [start, *(start * (entry.cumulative.change or 1.0) for entry in entries)]
    labels = [found.baseline.label, *(entry.candidate for entry in entries)]
    names = [inert(units.plain(label, _SHORT if len(labels) > _NAMED else _NAME)) for label in labels]
    traces = [_bar("baseline", "series-1", [(0, start)], [0])]
    for answer in dict.fromkeys(entry.step.ruling.answer for entry in entries):
        mine = [place for place, entry in enumerate(entries, 1) if entry.step.ruling.answer is answer]
        spans = [(levels[place - 1], levels[place] - levels[place - 1]) for place in mine]
        traces.append(_bar(f"{words.MARKS[answer]} {answer}", _COLOURS.get(answer, "planned"), spans, mine))
    whiskers = _whiskers(entries, levels, start)
    texts = [
        _ms(start),
        *(
            f"{words.MARKS[entry.step.ruling.answer]} {_ms(level)}"
            for entry, level in zip(entries, levels[1:], strict=True)
        ),
    ]
    tops = [
        start,
        *(max(levels[place], levels[place + 1] + above) for place, above in enumerate(whiskers["error_y"]["array"])),
    ]
    traces += [whiskers, _texts(tops, texts)]
    figure = {
        "data": traces,
        "layout": {
            "hovermode": "closest",
            "showlegend": True,
            "barmode": "overlay",
            "meta": {"narrow": ["base", *map(str, range(1, len(labels)))] if len(labels) > _NAMED else None},
            "xaxis": {"tickvals": list(range(len(names))), "ticktext": names, "range": [-0.6, len(names) - 0.4]},
            "yaxis": {"title": {"text": "ms"}, "rangemode": "tozero", "nticks": 6},
        },
    }
    subject = words.subject(entries[0].cumulative)
    steps = "; ".join(f"{units.plain(entry.candidate, 40)}: {words.movement(entry.cumulative)}" for entry in entries)
    note = (
        "Each bar goes from where the iteration before it stood to where this one stands, in the colour and with the "
        f"mark of the step's verdict; whiskers are the {words.level(found)} interval of the effect from the start."
    )
    return Chart("waterfall", f"{words.capital(subject)} from the start", f"{steps}.", note, figure)


def _ms(value: float) -> str:
    return units.duration(value * MS)


def _bar(name: str, colour: str, spans: list[tuple[float, float]], places: list[int]) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": inert(name),
        "x": places,
        "base": [round(begin, 4) for begin, _ in spans],
        "y": [round(height, 4) for _, height in spans],
        "width": _WIDE,
        "hoverinfo": "skip",
        "marker": {},
        "meta": {"colour": colour},
    }


def _whiskers(entries: list[Entry], levels: list[float], start: float) -> dict[str, Any]:
    above, below = [], []
    for entry, level in zip(entries, levels[1:], strict=True):
        low, high = entry.cumulative.interval or (level / start, level / start)
        above.append(round(start * high - level, 4))
        below.append(round(level - start * low, 4))
    return {
        "type": "scatter",
        "mode": "markers",
        "x": list(range(1, len(levels))),
        "y": [round(level, 4) for level in levels[1:]],
        "error_y": {
            "type": "data",
            "symmetric": False,
            "array": above,
            "arrayminus": below,
            "thickness": 1.5,
            "width": 5,
        },
        "marker": {"size": 5},
        "showlegend": False,
        "hoverinfo": "skip",
        "meta": {"colour": "users"},
    }


def _texts(tops: list[float], texts: list[str]) -> dict[str, Any]:
    """Write what each bar ends at above the bar and its whisker."""
    return {
        "type": "scatter",
        "mode": "text",
        "x": list(range(len(tops))),
        "y": [round(top, 4) for top in tops],
        "text": texts,
        "textposition": "top center",
        "cliponaxis": False,
        "showlegend": False,
        "hoverinfo": "skip",
        "meta": {"colour": "users"},
    }
