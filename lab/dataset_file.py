"""The dataset file: what a seeder made, kept between commands. It holds tokens and passwords, so mode 0600."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from contextlib import suppress
from dataclasses import asdict, fields
from pathlib import Path
from typing import Final, TypeVar

from lab.errors import DatasetError
from lab.model.dataset import DATASET_VERSION, Dataset, Flight, Member, SeedPlan

FORMAT: Final = "airbourne-dataset"
REMEDY: Final = "make a new one with `airbourne-lab seed`"

_T = TypeVar("_T", Flight, Member, SeedPlan)


def save(dataset: Dataset, path: Path) -> None:
    """Write a dataset so that the file is, at any moment, the old one or the new one, and never readable by others.

    Raises:
        DatasetError: the file cannot be written.
    """
    text = dump(dataset)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes its file with mode 0600, whatever the umask is.
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise DatasetError(f"dataset {path}: cannot be written: {error.strerror or error}") from None


def dump(dataset: Dataset) -> str:
    """Give a dataset as the text of its file; it holds tokens and passwords."""
    return json.dumps({"format": FORMAT, **asdict(dataset)}, indent=1)


def load(path: Path) -> Dataset:
    """Read a dataset.

    Raises:
        DatasetError: there is no file, it is no dataset file, it is damaged, or it is of another version.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise DatasetError(f"dataset {path}: there is no such file; {REMEDY}") from None
    except UnicodeDecodeError:
        raise DatasetError(f"dataset {path}: is no dataset file; {REMEDY}") from None
    except OSError as error:
        raise DatasetError(f"dataset {path}: cannot be read: {error.strerror or error}") from None
    return parse(text, str(path))


def parse(text: str, where: str) -> Dataset:
    """Read a dataset's text; `where` is what an error calls it.

    Raises:
        DatasetError: it is no dataset, damaged, or of another version.
    """
    try:
        values = json.loads(text)
    except (ValueError, RecursionError):
        raise DatasetError(f"dataset {where}: is damaged or no dataset file (broken JSON); {REMEDY}") from None
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise DatasetError(f"dataset {where}: is no dataset file; {REMEDY}")
    if values.get("version") != DATASET_VERSION:
        raise DatasetError(
            f"dataset {where}: is of version {values.get('version')!r}, and this lab reads version "
            f"{DATASET_VERSION}; {REMEDY}"
        )
    try:
        return _dataset(values)
    except (TypeError, ValueError, KeyError) as error:
        raise DatasetError(f"dataset {where}: is damaged ({error}); {REMEDY}") from None


def digest(dataset: Dataset) -> str:
    """Give a short fingerprint of which flights (number, seats) and users (e-mail) there are; no secret goes in.

    The ids that a platform gave them do not count: users sign up several at a time, and a second platform that is
    filled with the same data gives other ids.
    """
    facts = {
        "flights": sorted([flight.number, flight.capacity] for flight in dataset.flights),
        "users": sorted(user.email for user in dataset.users),
    }
    text = json.dumps(facts, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _dataset(values: dict[str, object]) -> Dataset:
    counts = {name: _typed(values, name, int) for name in ("cities", "airports", "airplanes")}
    return Dataset(
        target=_typed(values, "target", str),
        plan=_item(SeedPlan, values["plan"]),
        flights=tuple(_item(Flight, value) for value in _typed(values, "flights", list)),
        users=tuple(_item(Member, value) for value in _typed(values, "users", list)),
        complete=_typed(values, "complete", bool),
        **counts,
    )


_V = TypeVar("_V")


def _typed(values: dict[str, object], name: str, kind: type[_V]) -> _V:
    value = values[name]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError(f"{name} is no {kind.__name__}")
    return value


_KINDS: Final[dict[str, tuple[type, ...]]] = {
    "int": (int,),
    "str": (str,),
    "float": (int, float),
    "int | str": (int, str),
}


def _item(kind: type[_T], values: object) -> _T:
    """Build a frozen value from a JSON object that must have its fields, each of its type, and no others."""
    if not isinstance(values, dict):
        raise TypeError(f"a {kind.__name__} is no object")
    for field in fields(kind):
        # Annotations are text, since the model's modules postpone their evaluation.
        value = values[field.name]
        if not isinstance(value, _KINDS[str(field.type)]) or isinstance(value, bool):
            raise TypeError(f"{field.name} of a {kind.__name__} is no {field.type}")
    return kind(**values)
