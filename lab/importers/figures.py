"""What another tool's file says of itself, kept as it stands there: `imported.json` beside `run.json`.

Nothing in it is computed here. A percentile of a summary was somebody else's, and no sample is left to check it by.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from lab import store
from lab.errors import RunError

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from lab.store import RunFolder

FILE: Final = "imported.json"
FIGURES_VERSION: Final = 1

Cell = str | int | float | None
"""A figure or a name, as the file has it; None where the file says that it has none."""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures of one kind; the first column names what they belong to, and headings carry the unit."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Where a run was imported from.

    Attributes:
        tool: k6, Locust or JMeter.
        form: which of its files it was, in words.
        file: the file's name, without its folder.
        samples: whether it held single requests; without them there is nothing to compare.
        tables: its figures, where it held no samples.
        notes: what a reader of the figures has to know, each a sentence.
    """

    tool: str
    form: str
    file: str
    samples: bool
    tables: tuple[Table, ...] = ()
    notes: tuple[str, ...] = ()
    version: int = FIGURES_VERSION


def save(folder: RunFolder, figures: Figures) -> None:
    """Write `imported.json`.

    Raises:
        RunError: the disk does not take it.
    """
    path = folder.path / FILE
    with store.written(path):
        raw = store.writable(asdict(figures))
        path.write_text(json.dumps(raw, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load(folder: RunFolder) -> Figures | None:
    """Read `imported.json`; None for a run of this lab's own.

    Raises:
        RunError: it is damaged or of another version.
    """
    path = folder.path / FILE
    if not path.exists():
        return None
    try:
        raw = path.read_bytes()
        version = json.loads(raw)["version"]
        if version == FIGURES_VERSION:
            return _adapter().validate_json(raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path} cannot be read: {str(error).splitlines()[0]}; import the file again") from None
    raise RunError(f"{path} has version {version}; this airbourne-lab reads version {FIGURES_VERSION}: import it again")


@cache
def _adapter() -> TypeAdapter[Figures]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - only for runs that were imported

    return TypeAdapter(Figures)
