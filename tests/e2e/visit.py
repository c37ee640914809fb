"""A page of the reports' in a real browser, and all that it does there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Dialog, Page

DESK: Final = {"width": 1280, "height": 900}
PHONE: Final = {"width": 390, "height": 844}


class Visit:
    """A page that was opened, and all that it did: console lines, errors, dialogs, requests."""

    def __init__(self, browser: Browser, report: Path, size: dict[str, int], scheme: str = "light") -> None:
        self.events: list[str] = []
        self.requests: list[str] = []
        context = browser.new_context(viewport=size, color_scheme=scheme)  # type: ignore[arg-type]  # a literal
        self.page: Page = context.new_page()
        self.page.on("console", lambda line: self.events.append(f"{line.type}: {line.text}"))
        self.page.on("pageerror", lambda error: self.events.append(f"error: {error}"))
        self.page.on("dialog", self.dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(report.as_uri())
        self.page.wait_for_selector("html[data-ready]")
        self.report = report

    def dismiss(self, dialog: Dialog) -> None:
        """Note a dialog, and close it."""
        self.events.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def close(self) -> None:
        """Close the page and its context."""
        self.page.context.close()
