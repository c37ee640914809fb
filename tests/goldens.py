"""Expected texts in `tests/golden/`; UPDATE_GOLDEN=1 writes them anew, and their difference is then looked at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "golden"


def check(name: str, text: str) -> None:
    """Compare a text with the expected one, or replace that when UPDATE_GOLDEN is set."""
    file = FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"no {file}: write it with UPDATE_GOLDEN=1"
    assert text == file.read_text(encoding="utf-8"), f"{name} differs; if that is meant, run with UPDATE_GOLDEN=1"
