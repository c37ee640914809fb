"""Finding scenarios and the file of their user class."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab import catalogue
from lab.errors import ConfigError, ScenarioError

TEXT = 'executor = "constant-vus"\nexec = "B"\nvus = 1\nduration = "1s"\n'
USERS = "class B:\n    pass\n"
SHIPPED = Path(__file__).parents[2] / "scenarios"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder of scenarios that ship, with a file of users."""
    place = tmp_path / "scenarios"
    place.mkdir()
    for name in ("smoke", "ramp"):
        (place / f"{name}.toml").write_text(TEXT, encoding="utf-8")
    (place / "users.py").write_text(USERS, encoding="utf-8")
    return place


def test_scenarios_are_listed_by_name(folder: Path) -> None:
    """Only `.toml` files count."""
    assert catalogue.names(folder) == ["ramp", "smoke"]


def test_the_shipped_ones_load() -> None:
    """Each name that is listed is a scenario with the shipped user classes."""
    names = catalogue.names(SHIPPED)

    assert {"smoke", "baseline", "ramp"} <= set(names)
    for name in names:
        found = catalogue.load(name, SHIPPED)
        assert (found.name, found.users_file) == (name, str(SHIPPED / "users.py"))
        assert f"class {found.loads[0].user_class}(" in (SHIPPED / "users.py").read_text(encoding="utf-8")


def test_ones_own_scenario_is_found_by_path(folder: Path, tmp_path: Path) -> None:
    """A path that ends in .toml; users.py beside it, else the one that ships."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.toml").write_text(TEXT, encoding="utf-8")

    assert catalogue.load(str(own / "mine.toml"), folder).users_file == str(folder / "users.py")
    (own / "users.py").write_text(USERS, encoding="utf-8")
    found = catalogue.load(str(own / "mine.toml"), folder)
    assert (found.name, found.users_file) == ("mine", str(own / "users.py"))


def test_a_scenario_may_name_its_file_of_users(folder: Path) -> None:
    """`users` is taken from the scenario's own folder, and must be there."""
    (folder / "smoke.toml").write_text(TEXT + 'users = "others.py"\n', encoding="utf-8")

    with pytest.raises(ScenarioError, match=r'users = "others\.py": there is no file .*others\.py'):
        catalogue.load("smoke", folder)
    (folder / "others.py").write_text(USERS, encoding="utf-8")
    assert catalogue.load("smoke", folder).users_file == str(folder / "others.py")


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ("rmap", 'unknown scenario "rmap"; did you mean "ramp"'),
        ("xyz", 'unknown scenario "xyz"; known are: ramp, smoke'),
        ("", 'unknown scenario ""'),
        ("none.toml", "there is no scenario file none.toml"),
        ("x" * 300, "cannot be read"),
        ("{folder}", "unknown scenario"),
    ],
)
def test_an_unknown_scenario_is_told(folder: Path, reference: str, sentence: str) -> None:
    """The nearest name, or all of them."""
    with pytest.raises(ScenarioError, match=sentence):
        catalogue.load(reference.format(folder=folder), folder)


def test_a_file_that_cannot_be_read_is_told(folder: Path) -> None:
    """A folder of that name, and bytes that are no text."""
    (folder / "dir.toml").mkdir()
    (folder / "bytes.toml").write_bytes(b"\xff\xfe")

    for name in ("dir", "bytes"):
        with pytest.raises(ScenarioError, match=f"{name}.toml cannot be read"):
            catalogue.load(name, folder)


def test_an_error_names_the_file_as_the_user_does(folder: Path) -> None:
    """By its name for a shipped one, by the path that was written for one's own."""
    (folder / "ramp.toml").write_text(TEXT + "vsu = 1\n", encoding="utf-8")

    with pytest.raises(ScenarioError, match=r'^ramp\.toml, line 5: unknown key "vsu"'):
        catalogue.load("ramp", folder)
    with pytest.raises(ScenarioError, match=rf"^{folder / 'ramp.toml'}, line 5: "):
        catalogue.load(str(folder / "ramp.toml"), folder)


def test_a_mistyped_class_is_told_with_its_line_before_anything_is_started(folder: Path) -> None:
    """The users file is read, not run: the error names the scenario's line, the word and the nearest class."""
    (folder / "users.py").write_text("raise SystemExit\n\nclass Booker:\n    pass\n", encoding="utf-8")
    (folder / "smoke.toml").write_text(TEXT.replace('"B"', '"Boker"'), encoding="utf-8")

    with pytest.raises(
        ScenarioError, match=r'smoke\.toml, line 2: .*users\.py has no class "Boker"; did you mean "Booker"'
    ):
        catalogue.load("smoke", folder)


def test_a_class_that_the_users_file_imports_may_be_named(folder: Path) -> None:
    """By the name that it has in the file: `as` counts."""
    (folder / "users.py").write_text("from elsewhere import A as B, C\n", encoding="utf-8")

    assert catalogue.load("smoke", folder).loads[0].user_class == "B"
    (folder / "smoke.toml").write_text(TEXT.replace('"B"', '"A"'), encoding="utf-8")
    with pytest.raises(ScenarioError, match='has no class "A"'):
        catalogue.load("smoke", folder)


def test_duration_stretches_the_hold_before_all_is_scaled() -> None:
    """`--duration` is the length of the whole test, of which `--time-scale` then makes a shorter one."""
    soak = catalogue.planned("soak", SHIPPED, stages=[], thresholds=[], duration="1h", time_scale=0.1)
    assert soak.duration == pytest.approx(360)


@pytest.mark.parametrize(
    ("name", "duration", "words"),
    [
        ("soak", "5x", '--duration 5x: "5x" is no duration'),
        ("soak", "1s", "--duration 1s: soak cannot take 1 s: its ramps alone take"),
        ("ramp", "5m", "--duration 5m: ramp never holds its peak"),
    ],
)
def test_a_duration_that_cannot_be_is_refused(name: str, duration: str, words: str) -> None:
    """The sentence names the option, what was written and why it cannot be."""
    with pytest.raises(ConfigError, match=words):
        catalogue.planned(name, SHIPPED, stages=[], thresholds=[], duration=duration)
