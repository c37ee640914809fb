"""The dataset file."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from lab import dataset_file
from lab.errors import DatasetError
from lab.model.dataset import Dataset, Flight, Member, SeedPlan

if TYPE_CHECKING:
    from pathlib import Path

DATASET = Dataset(
    target="http://127.0.0.1:3005",
    plan=SeedPlan(users=2),
    flights=(Flight(1, "AB1", 400, 12.5), Flight("x-2", "AB2", 500, 80)),
    users=(Member(1, "a@airbourne.test", "pw-a", "token-a", 99.5), Member("u2", "b@airbourne.test", "pw-b")),
    cities=20,
    airports=40,
    airplanes=10,
    complete=True,
)


def test_a_dataset_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Nothing is lost on the way through the file, and its folder is made when it is missing."""
    path = tmp_path / "new" / "dataset.json"
    dataset_file.save(DATASET, path)
    assert dataset_file.load(path) == DATASET


def test_only_the_owner_may_read_the_file(tmp_path: Path) -> None:
    """The mode is 0600, also when the umask is open and the file was open before; nothing else stays behind."""
    path = tmp_path / "dataset.json"
    path.write_text("{}")
    path.chmod(0o644)
    before = os.umask(0)
    try:
        dataset_file.save(DATASET, path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset.json"]


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk at the last moment costs neither the old content nor a stray file."""
    path = tmp_path / "dataset.json"
    dataset_file.save(DATASET, path)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DatasetError, match=r"dataset\.json: cannot be written: No space left on device"):
        dataset_file.save(replace(DATASET, cities=1), path)
    assert dataset_file.load(path) == DATASET
    assert [entry.name for entry in tmp_path.iterdir()] == ["dataset.json"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no such file"),
        ('{"format": "airbourne-dataset", "vers', "damaged or no dataset file"),
        ("", "damaged or no dataset file"),
        ("[" * 100_000, "damaged or no dataset file"),
        (b"\xff\xfe\x00", "is no dataset file"),
        ("[1, 2]", "is no dataset file"),
        ('{"name": "a package"}', "is no dataset file"),
        ('{"format": "airbourne-dataset", "version": 0}', "is of version 0, and this lab reads version 1"),
        ('{"format": "airbourne-dataset", "version": 1}', "is damaged"),
    ],
)
def test_a_file_that_is_no_dataset_is_refused_with_the_remedy(
    tmp_path: Path, content: str | bytes | None, sentence: str
) -> None:
    """Missing, truncated, foreign and of another version: the error names the file and says what to do."""
    path = tmp_path / "d.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(DatasetError) as caught:
        dataset_file.load(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)
    assert "airbourne-lab seed" in str(caught.value)


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        ("flights", "capacity", "many"),
        ("flights", "id", None),
        ("users", "token", 5),
        ("plan", "users", True),
        ("", "complete", "yes"),
        ("", "cities", 1.5),
    ],
)
def test_a_value_of_another_type_is_damage(tmp_path: Path, where: str, name: str, value: object) -> None:
    """A field that was edited by hand into another type is found at once, and named."""
    path = tmp_path / "d.json"
    dataset_file.save(DATASET, path)
    values = json.loads(path.read_text())
    place = values[where] if where else values
    (place[0] if isinstance(place, list) else place)[name] = value
    path.write_text(json.dumps(values))
    with pytest.raises(DatasetError, match=f"is damaged .*{name}"):
        dataset_file.load(path)


def test_a_folder_in_the_files_place_is_said_so(tmp_path: Path) -> None:
    """Reading and writing name the path and the system's reason."""
    with pytest.raises(DatasetError, match="cannot be read: Is a directory"):
        dataset_file.load(tmp_path)
    with pytest.raises(DatasetError, match="cannot be written"):
        dataset_file.save(DATASET, tmp_path)


def test_the_digest_is_of_flights_and_users_and_of_no_secret() -> None:
    """Tokens, passwords, ids and order do not count; a capacity or an e-mail does. It is the same for ever."""
    same = replace(
        DATASET,
        users=tuple(
            replace(user, id=f"{user.id}0", token="other", password="other") for user in reversed(DATASET.users)
        ),
        complete=False,
    )
    assert dataset_file.digest(DATASET) == dataset_file.digest(same) == "3aa3c04f015e"
    for other in (
        replace(DATASET, flights=DATASET.flights[:1]),
        replace(DATASET, flights=(replace(DATASET.flights[0], capacity=401), DATASET.flights[1])),
        replace(DATASET, users=(replace(DATASET.users[0], email="c@airbourne.test"), DATASET.users[1])),
    ):
        assert dataset_file.digest(other) != dataset_file.digest(DATASET)


def test_secrets_are_not_shown_by_repr() -> None:
    """A dataset in a traceback or a log shows neither passwords nor tokens."""
    assert "pw-a" not in repr(DATASET)
    assert "token-a" not in repr(DATASET)
