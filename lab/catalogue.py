"""Find scenarios: those that ship, by name, and one's own, by path."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, ScenarioError, nearest
from lab.model.scenario_file import parse_scenario
from lab.model.source import Source
from lab.model.stage import parse_duration, parse_stage
from lab.model.threshold import parse_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.scenario import Scenario

USERS_FILE: Final = "users.py"
LONGEST_SCALE: Final = 1000


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
    for load in scenario.loads:
        source = Source(text, str(path))
        _require_class(load.user_class, users, source.section(f"scenarios.{load.name}") if load.name else source)
    return replace(scenario, users_file=str(users.resolve()))


def _require_class(name: str, users: Path, source: Source) -> None:
    """Look, without running it, whether a file has a class; one that cannot be parsed is told by the load process.

    Raises:
        ScenarioError: it has none of this name.
    """
    try:
        tree = ast.parse(users.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    imports = [each for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for each in node.names]
    # Whether an imported name is a user class is known only to who imports it: the load process.
    if name not in classes and name not in [each.asname or each.name for each in imports]:
        raise source.error(f'{users} has no class "{name}"{nearest(name, classes)}', "exec", name)


def planned(  # noqa: PLR0913 - each is an option of the command
    reference: str,
    folder: Path,
    *,
    stages: Sequence[str],
    thresholds: Sequence[str],
    time_scale: float = 1.0,
    duration: str = "",
) -> Scenario:
    """Read a scenario and change it as the command line says.

    Args:
        reference: as for `load`.
        folder: as for `load`.
        stages: `DURATION:USERS`, which replace the scenario's load.
        thresholds: `METRIC:EXPRESSION`, added to the scenario's own.
        time_scale: stretches the stages (below 1: shortens them).
        duration: how long all of it takes, by stretching the hold; "" for as long as it is.

    Raises:
        ConfigError: one of them cannot be read, or there is no hold to stretch.
    """
    if not 0 < time_scale <= LONGEST_SCALE:
        raise ConfigError(f"--time-scale {time_scale:g} must be more than 0 and at most {LONGEST_SCALE}")
    found = load(reference, folder)
    if stages:
        found = found.with_stages([parse_stage(text) for text in stages])
    if duration:
        try:
            found = found.with_duration(parse_duration(duration))
        except ConfigError as error:
            raise ConfigError(f"--duration {duration}: {error}") from None
    return found.scaled(time_scale).with_thresholds([parse_option(text) for text in thresholds])
