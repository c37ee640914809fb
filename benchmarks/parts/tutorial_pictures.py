"""Pictures of parts of the lab's pages, made with the Chromium that is installed."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

from playwright.sync_api import sync_playwright

from benchmarks.parts.chromium import FLAGS, NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from playwright.sync_api import FloatRect, Page

WIDTH: Final = 900
MARGIN: Final = 12
SETTLED_MS: Final = 2500
"""Until charts that are drawn when they come into view have been drawn."""


def shoot(wanted: Mapping[Path, tuple[Path, Sequence[str]]]) -> None:
    """Make pictures.

    Args:
        wanted: by where each goes, its page and the selectors of its parts.

    Raises:
        RuntimeError: no Chromium is installed, or a page has no such part.
    """
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise RuntimeError("no Chromium is installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        for to, (source, parts) in wanted.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
            page.goto(source.absolute().as_uri())
            page.wait_for_selector("html[data-ready]")
            to.parent.mkdir(parents=True, exist_ok=True)
            _draw(page, parts)
            page.screenshot(path=to, full_page=True, clip=_box(page, parts))
            page.close()
        browser.close()


def _draw(page: Page, parts: Sequence[str]) -> None:
    for part in parts:
        page.locator(part).first.scroll_into_view_if_needed()
        page.wait_for_timeout(SETTLED_MS)
    page.evaluate("window.scrollTo(0, 0)")


def _box(page: Page, parts: Sequence[str]) -> FloatRect:
    """Give the rectangle from the first to the last part."""
    boxes: list[Any] = [page.locator(part).first.bounding_box() for part in parts]
    if None in boxes:
        raise RuntimeError(f"{page.url} has no {', '.join(parts)} that can be seen")
    left = max(min(box["x"] for box in boxes) - MARGIN, 0)
    top = max(min(box["y"] for box in boxes) - MARGIN, 0)
    right = min(max(box["x"] + box["width"] for box in boxes) + MARGIN, WIDTH)
    bottom = max(box["y"] + box["height"] for box in boxes) + MARGIN
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}
