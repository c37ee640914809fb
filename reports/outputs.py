"""Where a report goes: a file, or standard output (`-`)."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

STANDARD_OUTPUT: Final = "-"


def is_standard_output(path: Path | None) -> bool:
    """Tell whether a report goes to standard output, where nothing else may go then."""
    return str(path) == STANDARD_OUTPUT


def asked(
    html: Path | None = None, md: Path | None = None, json: Path | None = None, junit: Path | None = None
) -> dict[str, Path]:
    """Give the reports that were asked for: where each goes, by its option.

    Raises:
        ConfigError: two are to go to one place.
    """
    named = {"--html": html, "--md": md, "--json": json, "--junit": junit}
    found = {option: path for option, path in named.items() if path is not None}
    check(found)
    return found


def check(paths: Mapping[str, Path]) -> None:
    """Refuse two reports in one place, before either is made.

    Args:
        paths: where each goes, by its option.

    Raises:
        ConfigError: two options name the same file, or standard output twice.
    """
    by_place: dict[str, str] = {}
    for option, path in paths.items():
        place = STANDARD_OUTPUT if is_standard_output(path) else str(path.resolve())
        if place in by_place:
            raise ConfigError(f"{by_place[place]} and {option} both go to {path}; name another file for one of them")
        by_place[place] = option


def write(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and the folder that it is to be in; `-` is standard output.

    Raises:
        RunError: the disk does not take it.
    """
    if is_standard_output(path):
        sys.stdout.write(text)
        return
    with refused(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists() and not path.is_file():  # a pipe or a device stays what it is
            path.write_text(text, encoding="utf-8")
            return
        end = path.resolve()
        temporary = end.with_name(f".{end.name}.new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(end)


@contextmanager
def refused(path: Path) -> Iterator[None]:
    """Say in one sentence what keeps a file from being written within the block.

    Raises:
        RunError: the disk does not take it.
    """
    try:
        yield
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}; name another file") from None
