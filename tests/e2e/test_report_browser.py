"""The report in a real browser: it opens offline, without a complaint, on a desk and on a phone, light and dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from reports import html
from tests import synthetic
from tests.e2e.visit import DESK, PHONE, Visit

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of an ordinary run."""
    seconds = synthetic.ticks()
    run = synthetic.run(synthetic.tally(seconds))
    return html.write_html(synthetic.folder(tmp_path_factory.mktemp("plain"), run, seconds))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a run whose every text is hostile."""
    seconds = synthetic.ticks(hostile=synthetic.HOSTILE)
    run = synthetic.hostile_run(synthetic.tally(seconds))
    return html.write_html(synthetic.folder(tmp_path_factory.mktemp("hostile"), run, seconds))


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a run that recorded nothing."""
    return html.write_html(synthetic.folder(tmp_path_factory.mktemp("empty"), synthetic.run(verdict=None)))


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a run in which nothing succeeded."""
    seconds = synthetic.failing(synthetic.ticks())
    run = synthetic.run(synthetic.tally(seconds), verdict=synthetic.FAILED)
    return html.write_html(synthetic.folder(tmp_path_factory.mktemp("failed"), run, seconds))


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Path:
    """Give the report that a test names."""
    path: Path = request.getfixturevalue(request.param)
    return path


ALL = pytest.mark.parametrize("report", ["plain", "hostile", "empty", "failed"], indirect=True)


@ALL
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_opens_offline_and_in_silence(browser: Browser, report: Path, size: dict[str, int], scheme: str) -> None:
    """No console line, no error, no dialog, and not a single request but for the file itself."""
    visit = Visit(browser, report, size, scheme)
    assert visit.events == []
    assert visit.requests == [report.as_uri()]
    visit.close()


@ALL
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, report: Path) -> None:
    """At 390 px the page is as wide as the screen; wide tables scroll in their own box."""
    visit = Visit(browser, report, PHONE)
    assert visit.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    visit.close()


@pytest.mark.parametrize("report", ["plain", "hostile", "failed"], indirect=True)
def test_a_phone_shows_every_percentile(browser: Browser, report: Path) -> None:
    """At 390 px no figure of the operations lies beside the screen, and each says what it is."""
    visit = Visit(browser, report, PHONE)
    hidden = visit.page.evaluate(
        """() => [...document.querySelectorAll('.operations td')].filter((cell) => {
            const box = cell.getBoundingClientRect();
            const name = getComputedStyle(cell, '::before').content;
            return box.left < 0 || box.right > innerWidth || cell.scrollWidth > cell.clientWidth + 1 || name.length < 4;
        }).length"""
    )
    assert hidden == 0
    assert visit.page.locator(".operations tr.whole td").count() == 12
    visit.close()


@pytest.mark.parametrize("report", ["plain", "failed"], indirect=True)
@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_figures_at_a_glance_stay_apart(browser: Browser, report: Path, size: dict[str, int]) -> None:
    """Not even "no answer" runs into what stands beside it."""
    visit = Visit(browser, report, size)
    wide = visit.page.evaluate(
        "() => [...document.querySelectorAll('.glance dd')].filter((d) => d.scrollWidth > d.clientWidth).length"
    )
    assert wide == 0
    visit.close()


@pytest.mark.parametrize("report", ["failed"], indirect=True)
def test_a_chart_with_nothing_in_it_is_not_drawn(browser: Browser, report: Path) -> None:
    """Where nothing succeeded there is no empty frame for latency, but a box that says why."""
    visit = Visit(browser, report, DESK)
    assert [chart.get_attribute("id") for chart in visit.page.locator(".chart").all()] == ["load"]
    said = " ".join(visit.page.locator(".empty").all_text_contents())
    assert "No request succeeded" in said
    assert "No operation has the 20 successful requests" in said
    visit.close()


@pytest.mark.parametrize("report", ["hostile"], indirect=True)
def test_hostile_texts_do_nothing(browser: Browser, report: Path) -> None:
    """No script of theirs ran, no element came of them, and a chart's legend shows them letter by letter."""
    visit = Visit(browser, report, DESK)
    visit.page.hover("#distribution .nsewdrag")
    assert visit.page.evaluate("window.stolen") is None
    assert visit.page.locator("img, iframe, main a, .chart b, .chart a").count() == 0
    legend = " ".join(visit.page.locator("#distribution .legendtext").all_text_contents())
    assert "<b>bold</b> & <a href" in legend
    assert visit.events == []
    visit.close()


@pytest.mark.parametrize("report", ["plain"], indirect=True)
def test_every_chart_is_drawn(browser: Browser, report: Path) -> None:
    """Three charts with lines in them, each named for who cannot see it, and the bands of the four stages."""
    visit = Visit(browser, report, DESK)
    charts = visit.page.locator(".chart")
    assert charts.count() == 3
    for place in range(3):
        assert charts.nth(place).locator("path.js-line").count() >= 3
        assert len(charts.nth(place).get_attribute("aria-label") or "") > 40
    assert visit.page.locator("#load .annotation-text").all_text_contents() == [
        "→ 20 users", "→ 50 users", "→ 100 users", "→ 0 users"
    ]  # fmt: skip
    visit.close()


@pytest.mark.parametrize("report", ["plain"], indirect=True)
def test_lines_stay_inside_their_chart(browser: Browser, report: Path) -> None:
    """Every point lies between the start and the end of the load (plotly takes small dates for years)."""
    visit = Visit(browser, report, DESK)
    outside = visit.page.evaluate(
        """() => [...document.querySelectorAll('#load path.js-line, #latency path.js-line')].filter((line) => {
            const own = line.getBoundingClientRect();
            const box = line.closest('.chart').getBoundingClientRect();
            return own.right > box.right + 1 || own.left < box.left - 1;
        }).length"""
    )
    assert outside == 0
    visit.close()


def colours(page: Page) -> tuple[str, ...]:
    """Give the colours of the page's ground, its text, and a chart's text and first line."""
    found: list[str] = page.evaluate(
        """() => [
            getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color,
            getComputedStyle(document.querySelector('#load .xtick text')).fill,
            getComputedStyle(document.querySelector('#load path.js-line')).stroke,
        ]"""
    )
    return tuple(found)


@pytest.mark.parametrize("report", ["plain"], indirect=True)
def test_page_and_charts_follow_the_scheme_and_the_button(browser: Browser, report: Path) -> None:
    """Dark differs from light in the page and in the charts, and the button gives the other one."""
    light, dark = Visit(browser, report, DESK, "light"), Visit(browser, report, DESK, "dark")
    bright, dim = colours(light.page), colours(dark.page)
    assert all(one != other for one, other in zip(bright, dim, strict=True))
    light.page.click("#theme")
    assert colours(light.page) == dim
    dark.page.emulate_media(color_scheme="light")
    dark.page.wait_for_selector("html[data-theme=light]")
    assert colours(dark.page) == bright
    light.close()
    dark.close()


@pytest.mark.parametrize("report", ["plain"], indirect=True)
def test_paper_is_light(browser: Browser, report: Path) -> None:
    """A report that is read in the dark is printed in light colours, and dark again afterwards."""
    visit = Visit(browser, report, DESK, "dark")
    before = colours(visit.page)
    visit.page.evaluate("dispatchEvent(new Event('beforeprint'))")
    printed = colours(visit.page)
    visit.page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert printed[0] == "rgb(255, 255, 255)"
    assert colours(visit.page) == before
    visit.close()
