"""The web page in a real browser: a run is started, watched, changed and stopped on it, and its report is opened."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab import store
from lab.model.run import Status
from lab.ui import PASSWORD_VARIABLE, Door, Order, Page
from tests import synthetic
from tests.e2e.following import wait_for
from tests.e2e.visit import DESK

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path

    from playwright.sync_api import Browser
    from playwright.sync_api import Page as PlaywrightPage

    from tests.e2e.conftest import Lab

pytestmark = [pytest.mark.browser, pytest.mark.e2e]
PATIENCE = 60_000


@pytest.fixture
def steady(tmp_path: Path) -> str:
    """A scenario of one's own, longer than the test: it is the page's Stop that ends it."""
    path = tmp_path / "steady.toml"
    path.write_text(
        'executor = "constant-vus"\nexec = "PoolBooker"\nvus = 2\nduration = "2m"\ngracefulStop = "5s"\n'
        "[data]\nflights = 3\nusers = 6\n[thresholds]\nchecks = ['rate==1']\n"
    )
    return path.name


def _url(process: subprocess.Popen[str]) -> str:
    """Give the address that the command prints when it is ready."""
    said = []
    for line in process.stderr or ():
        said.append(line)
        if found := re.search(r"Start a run at (\S+)\. ", line):
            return found[1]
    raise AssertionError("".join(said))


def test_a_run_is_started_changed_and_stopped_on_the_page(browser: Browser, lab: Lab, steady: str) -> None:
    """Start, two seconds' figures, Edit to four users, Stop, the verdict and the report, without a complaint."""
    process = lab.start("run", "--ui", "--port", "0", "--scenario", steady)
    url = _url(process)
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]  # a literal
    page, own = context.new_page(), context.new_page()
    complaints: list[str] = []
    for shown in (page, own):
        shown.on("console", lambda line: complaints.append(line.text))
        shown.on("pageerror", lambda error: complaints.append(str(error)))
        shown.set_default_timeout(PATIENCE)
    page.goto(url)
    assert page.locator('main [name="scenario"]').input_value() == steady
    assert not page.locator('main [name="userCount"]').is_visible()
    page.fill('main [name="label"]', "from the page")
    page.click('main button[type="submit"]')
    own.goto(f"{url}/lab/")
    # A page that is drawn late may leave a second out.
    wait_for(lambda: _seconds(own) >= 2, "two seconds' figures on the page")
    before = _seconds(own)
    wait_for(lambda: _seconds(own) > before, "figures that move")
    assert int(own.locator("#operations tr.whole td").first.inner_text()) > 0
    page.click('button:has-text("Edit")')
    page.fill('[role="presentation"] [name="userCount"]', "4")
    page.click('[role="presentation"] button[type="submit"]')
    own.wait_for_selector("#glance div:nth-child(2) dd:has-text('4')")
    page.click('button:has-text("Stop")')
    own.wait_for_selector("#word:has-text('STOPPED')")
    page.wait_for_selector('button:has-text("New")')
    with context.expect_page() as opened:
        own.click("#to-report a")
    opened.value.wait_for_selector("html[data-ready]")
    assert "steady" in opened.value.title()
    assert complaints == []
    context.close()
    process.send_signal(signal.SIGINT)
    ended = lab.ended(process)
    run = json.loads(next(lab.folder.glob("runs/*/run.json")).read_text())
    assert (run["label"], run["status"], ended.code) == ("from the page", "stopped", 105), ended.err
    assert run["totals"]["iterations"] > 4


def _seconds(page: PlaywrightPage) -> int:
    """Give up to which second the page shows the run; 0 before it shows any."""
    return int(page.locator("html").get_attribute("data-seconds") or 0)


def test_hostile_texts_do_nothing_on_the_lab_page(browser: Browser, tmp_path: Path) -> None:
    """What a target or a scenario's author wrote stands there letter by letter: nothing runs, nothing is fetched."""
    seconds = synthetic.ticks(20, hostile=synthetic.HOSTILE)
    folder = store.create(tmp_path, "hostile")
    folder.save(replace(synthetic.hostile_run(synthetic.tally(seconds)), verdict=None, status=Status.RUNNING))
    folder.ticks.write_text("".join(f"{tick.to_json()}\n" for tick in seconds))
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]  # a literal
    own = context.new_page()
    own.set_default_timeout(PATIENCE)
    complaints, asked = [], []
    own.on("console", lambda line: complaints.append(line.text))
    own.on("dialog", lambda dialog: complaints.append(dialog.message))
    own.on("request", lambda request: asked.append(request.url))
    with Page(Door(port=0), ["smoke"], Order("smoke")) as page:
        page.tell(ready={"target": "http://127.0.0.1:1"}, starting="<b>bold</b>")
        page.begun(folder)
        own.goto(f"{page.url}/lab/")
        own.wait_for_selector('html[data-seconds="20"]')
        assert "<img src=x" in own.locator("#operations").inner_text()
        assert own.evaluate("() => window.stolen") is None
        assert own.locator("main img, main b, main script, main iframe").count() == 0
        assert own.evaluate("() => document.documentElement.scrollWidth") == DESK["width"]
        assert complaints == []
        assert {url for url in asked if not url.startswith(page.url)} == set()
    context.close()


def test_a_person_signs_in(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The form says that a password is wrong, and leads to the page with the right one."""
    monkeypatch.setenv(PASSWORD_VARIABLE, "a long password")
    context = browser.new_context(viewport=DESK)  # type: ignore[arg-type]  # a literal
    shown = context.new_page()
    shown.set_default_timeout(PATIENCE)
    with Page(Door(port=0, login=True), ["smoke"], Order("smoke")) as page:
        page.tell(ready={"target": "http://127.0.0.1:1"})
        shown.goto(f"{page.url}/lab/")
        for password, then in (("wrong", "text=not the password"), ("a long password", 'main [name="scenario"]')):
            shown.fill('[name="password"]', password)
            shown.click('button[type="submit"]')
            shown.wait_for_selector(then)
    context.close()
