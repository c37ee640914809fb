"""Find scenarios: those that ship, by name, and one's own, by path."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from lab.errors import ScenarioError, nearest
from lab.model.scenario import Scenario, parse_scenario

USERS_FILE: Final = "users.py"


def names(folder: Path) -> list[str]:
    """List the scenarios of a folder, by name."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load(reference: str, folder: Path) -> Scenario:
    """Read a scenario by its name in `folder`, or by a path that ends in `.toml`.

    The file of the user class is the one that the scenario names with `users = "FILE.py"`, else `users.py` beside the
    scenario, else the one that ships.

    Raises:
        ScenarioError: there is no such scenario, or its file cannot be used.
    """
    path = Path(reference) if reference.endswith(".toml") else folder / f"{reference}.toml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        if reference.endswith(".toml"):
            raise ScenarioError(f"there is no scenario file {path}") from None
        raise ScenarioError(f'unknown scenario "{reference}"{nearest(reference, names(folder))}') from None
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{path} cannot be read: {error}") from None
    scenario = parse_scenario(text, path.stem, str(path) if reference.endswith(".toml") else path.name)
    beside = path.parent / (scenario.users_file or USERS_FILE)
    users = beside if scenario.users_file or beside.exists() else folder / USERS_FILE
    if not users.is_file():
        raise ScenarioError(f'{path}: users = "{scenario.users_file}": there is no file {users}')
    return replace(scenario, users_file=str(users.resolve()))
