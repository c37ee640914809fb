"""What a Chromium may be called, and how it is started without a screen and without talking to anybody."""

from __future__ import annotations

from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
"""tests/servers.sh looks for the same."""
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
