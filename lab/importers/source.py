"""A foreign file: opened, packed or not, and read line by line, with errors that say in which line what was found."""

from __future__ import annotations

import csv
import gzip
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

from lab.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

GZIP: Final = b"\x1f\x8b"
LONGEST_LINE: Final = 1 << 20
MOST_SHOWN: Final = 60


@contextmanager
def opened(path: Path) -> Iterator[IO[str]]:
    """Open a file as text; one that gzip packed is unpacked on the way.

    Raises:
        ConfigError: it cannot be read, or its packing is damaged or cut off.
    """
    try:
        with path.open("rb") as raw:
            packed = raw.read(len(GZIP)) == GZIP
        # Bytes that are no text become a line that cannot be read, which says where.
        with (gzip.open if packed else open)(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as text:
            yield text
    except gzip.BadGzipFile as error:
        raise ConfigError(f"{path}: expected a file packed by gzip; found a damaged one ({error})") from None
    except (EOFError, zlib.error) as error:
        raise ConfigError(f"{path}: expected a whole file packed by gzip; found one cut off ({error})") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror or error}; name the file to import") from None


def lines(path: Path) -> Iterator[tuple[int, str]]:
    """Give the lines of a file with their numbers, one at a time.

    Raises:
        ConfigError: as `opened`, or a line has no end within reason.
    """
    with opened(path) as text:
        number = 0
        while line := text.readline(LONGEST_LINE):
            number += 1
            if len(line) == LONGEST_LINE and not line.endswith("\n"):
                raise ConfigError(
                    f"{path}, line {number}: expected a line of text; found more than a MiB without an end"
                )
            yield number, line


def rows(path: Path, required: tuple[str, ...]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Give the rows of a CSV file with a header, each by its columns, with the line that it ends in.

    Args:
        path: the file.
        required: columns that must be there.

    Raises:
        ConfigError: as `opened`; a column is missing, or a row has another number of fields than the header.
    """
    with opened(path) as text:
        reader = csv.reader(text)
        try:
            header = next(reader, [])
            if missing := [name for name in required if name not in header]:
                raise ConfigError(f"{path}: expected the columns {', '.join(required)}; found no {', '.join(missing)}")
            for fields in reader:
                if not fields:
                    continue
                if len(fields) != len(header):
                    raise wrong(path, reader.line_num, f"{len(header)} fields", f"{len(fields)}: is it cut off?")
                yield reader.line_num, dict(zip(header, fields, strict=True))
        except csv.Error as error:
            raise wrong(path, reader.line_num, "CSV", str(error)) from None


def wrong(path: Path, line: int, expected: str, found: object) -> ConfigError:
    """Make the error of a line: what was expected there, and what was found."""
    return ConfigError(f"{path}, line {line}: expected {expected}; found {shown(found)}")


def shown(value: object) -> str:
    """Write what was found, so short that it fits into a sentence, and without signs that a terminal would obey."""
    text = "".join(char if char.isprintable() else "�" for char in str(value).strip())
    return text if len(text) <= MOST_SHOWN else text[: MOST_SHOWN - 1] + "…"
