"""What the image's scripts do, without an image: run here, with a stand-in for the programs that they start."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Final

DOCKER: Final = Path(__file__).resolve().parents[1] / "docker"


def sh(script: str, *arguments: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run one of the folder's scripts, with this environment and a PATH."""
    return subprocess.run(
        [str(DOCKER / script), *arguments],
        env={"PATH": os.environ["PATH"]} | env,
        capture_output=True,
        text=True,
        check=False,
    )


def stand_in(folder: Path, name: str) -> None:
    """Make a program of this name that writes its arguments, one a line."""
    program = folder / name
    program.write_text("#!/bin/sh\nfor word; do printf '%s\\n' \"$word\"; done\n", encoding="utf-8")
    program.chmod(0o755)
