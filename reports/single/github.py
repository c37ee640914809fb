"""The summary of a step in GitHub Actions: a file that Markdown is appended to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, RunError
from reports.outputs import refused

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

VARIABLE: Final = "GITHUB_STEP_SUMMARY"
MOST_BYTES: Final = 1024 * 1024
"""GitHub shows no summary of a step that is larger."""
FEWEST_BYTES: Final = 4096
LONGEST_CHARACTER: Final = 4
"""Bytes, in UTF-8."""


def summarize(environ: Mapping[str, str], rendered: Callable[[int], str]) -> None:
    """Append Markdown to the summary of the step that this runs in, shortened to what is left of its room.

    Args:
        environ: the environment, in which GitHub Actions names the file.
        rendered: gives the Markdown, shorter than so many characters.

    Raises:
        ConfigError: this is no step of GitHub Actions.
        RunError: the summary is full, or the file cannot be written.
    """
    name = environ.get(VARIABLE, "")
    if not name:
        raise ConfigError(f"--github: {VARIABLE} is not set, so this is no step of GitHub Actions; use --md FILE")
    path = Path(name)
    before = path.stat().st_size if path.exists() else 0
    # A blank line ends whatever stands there.
    begin = "\n\n" if before else ""
    room = MOST_BYTES - before - len(begin)
    raw = (begin + rendered(max(room // LONGEST_CHARACTER, FEWEST_BYTES))).encode("utf-8", "replace")
    if before + len(raw) > MOST_BYTES:
        raise RunError(f"--github: {path} holds {before:,} of {MOST_BYTES:,} bytes, and takes no more; use --md FILE")
    with refused(path), path.open("ab") as summary:
        summary.write(raw)
