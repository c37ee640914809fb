"""The comparison's page in a real browser: offline, in silence, on a desk and on a phone, light and dark."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from reports.compare import compare
from reports.comparison import page
from reports.comparison.figures import Side
from reports.comparison.reading import figures_of
from tests import synthetic
from tests.e2e.visit import DESK, PHONE, Visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from reports.comparison.figures import RunFigures

LABELS = ("as-found", synthetic.HOSTILE[1], "third")
PAIRS = 6

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page of three sides of six runs, one of them with a label that wants to be obeyed."""
    out = tmp_path_factory.mktemp("compared")
    seconds = synthetic.ticks(60)
    run = synthetic.run(synthetic.tally(seconds))
    places = [synthetic.folder(out / f"r{number}", replace(run, id=f"r{number}"), seconds) for number in range(3)]
    sides = []
    for place, label in enumerate(LABELS):
        read = figures_of(places[place])
        runs = [_again(read, place, pair) for pair in range(PAIRS)]
        sides.append(Side(label, tuple(runs), note=label))
    path = out / "compared.html"
    page.write_html(compare(sides[0], sides[1:]), places, path)
    return path


def _again(read: RunFigures, place: int, pair: int) -> RunFigures:
    """Make a run of an experiment out of one that was read: its own figures, a little off, at its own time."""
    moved = {
        key: value and value * (1 - place / 5 + (pair * 7 + place * 3) % 5 / 100) for key, value in read.values.items()
    }
    when = pair * len(LABELS) + (place + pair) % len(LABELS)
    started = f"2026-11-23T10:{when:02}:00+00:00"
    run_id = read.run_id if not pair else f"{read.run_id}-{pair}"
    return replace(read, run_id=run_id, values=moved, pair=str(pair), started=started, weak={})


@pytest.mark.parametrize(("size", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_it_opens_offline_in_silence_and_fits(
    browser: Browser, compared: Path, size: dict[str, int], scheme: str
) -> None:
    """No console line, no request but for the file, no sideways scrolling, every chart drawn, and nothing obeyed."""
    visit = Visit(browser, compared, size, scheme)
    assert visit.events == []
    assert visit.requests == [compared.as_uri()]
    assert visit.page.evaluate("document.documentElement.scrollWidth") == size["width"]
    charts = visit.page.locator(".chart")
    assert charts.count() >= 8
    assert visit.page.locator(".chart .main-svg").count() >= charts.count()
    assert visit.page.evaluate("window.stolen") is None
    assert visit.page.locator("main img").count() == 0
    outside = visit.page.evaluate(
        """() => [...document.querySelectorAll('.strip > .at, .strip > .ci')].filter((mark) => {
            const own = mark.getBoundingClientRect();
            const box = mark.parentElement.getBoundingClientRect();
            return own.width && (own.left > box.right + 10 || own.right < box.left - 10);
        }).length"""
    )
    assert outside == 0
    askew = visit.page.evaluate(
        """() => [...document.querySelectorAll('.forest')].filter((plot) => {
            const strips = [...plot.querySelectorAll('.strip')].map((strip) => strip.getBoundingClientRect());
            const [first] = strips;
            return strips.some((own) => Math.abs(own.left - first.left) + Math.abs(own.right - first.right) > 1);
        }).length"""
    )
    assert askew == 0
    visit.close()
