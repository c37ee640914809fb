"""Where a report goes: a file, standard output (`-`), or the summary of a step in GitHub Actions."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

STANDARD_OUTPUT: Final = "-"
VARIABLE: Final = "GITHUB_STEP_SUMMARY"
MOST_BYTES: Final = 1024 * 1024
"""GitHub shows no summary of a step that is larger."""
FEWEST_BYTES: Final = 4096
LONGEST_CHARACTER: Final = 4
"""Bytes, in UTF-8."""


def check(paths: Mapping[str, Path]) -> None:
    """Refuse two reports in one place, before either is made.

    Args:
        paths: where each goes, by its option.

    Raises:
        ConfigError: two options name the same file, or standard output twice.
    """
    by_place: dict[str, str] = {}
    for option, path in paths.items():
        place = str(path) if str(path) == STANDARD_OUTPUT else str(path.resolve())
        if place in by_place:
            raise ConfigError(f"{by_place[place]} and {option} both go to {path}; name another file for one of them")
        by_place[place] = option


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and the folder that it is to be in; `-` is standard output.

    Raises:
        RunError: the disk does not take it.
    """
    if str(path) == STANDARD_OUTPUT:
        sys.stdout.write(text)
        return
    with _written(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a pipe or a device stays what it is
            path.write_text(text, encoding="utf-8")
            return
        end = path.resolve()
        temporary = end.with_name(f".{end.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(end)


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
    with _written(path), path.open("ab") as summary:
        summary.write(raw)


@contextmanager
def _written(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; name another file") from None
