"""A trend for the command line: runs are chosen, read and written to files."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from lab import store
from lab.errors import RunError
from reports import listing, outputs
from reports.trend import export, reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reports.trend.result import Trend


@dataclass(frozen=True, slots=True)
class Which:
    """Which runs are asked for; an empty text asks for nothing."""

    scenario: str = ""
    label: str = ""
    profile: str = ""


def trend(out: Path, metric: str, which: Which, on_words: Callable[[str], None]) -> Trend:
    """Follow a metric over the runs in a folder.

    Args:
        out: where run folders are.
        metric: `operation:metric`.
        which: which of them.
        on_words: hears how far it is.

    Raises:
        ConfigError: there is no such metric.
        RunError: there is no such run.
    """
    operation, wanted = reading.asked(metric)
    unreadable: list[RunError] = []
    found = store.runs(out, unreadable.append)
    chosen = listing.chosen(found, **asdict(which))
    if found and not chosen:
        raise RunError(f"in {out}, {listing.none_chosen(found, **asdict(which))}")
    if not found:
        raise RunError(f"there is no run in {out} yet; make one with: airbourne-lab run --scenario smoke")
    made = reading.trend(
        chosen, operation, wanted, lambda number, among: on_words(f"Reading runs: {number} of {among}")
    )
    return replace(made, left_out=(*made.left_out, *reading.unread(unreadable)))


def write(found: Trend, html: Path | None, json: Path | None) -> None:
    """Write a trend where it was asked for.

    Raises:
        ConfigError: both are to go to one place.
        RunError: a file cannot be written.
    """
    outputs.check({option: path for option, path in (("--html", html), ("--json", json)) if path is not None})
    if html is not None:
        from reports.trend import page  # noqa: PLC0415 - plotly is heavy, and only a page needs it

        outputs.write(html, page.render(found))
    if json is not None:
        outputs.write(json, export.render(found))
