"""Load the user classes that a scenario names."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from typing import TYPE_CHECKING

from locust import User

from lab.errors import ScenarioError, ScriptError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import ModuleType


def load_user_classes(path: Path, names: Iterable[str]) -> dict[str, type[User]]:
    """Import a file and take user classes from it, by name: its own, and those that it imports ready to run.

    Raises:
        ScenarioError: the file or a class is missing.
        ScriptError: the file raised while it was imported.
    """
    module = _import(path)
    classes = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, User)
        and (value.__module__ == module.__name__ or not value.abstract)
    }
    for name in names:
        if name not in classes:
            raise ScenarioError(f'{path} has no user class "{name}"{nearest(name, classes)}')
    return {name: classes[name] for name in names}


def _import(path: Path) -> ModuleType:
    if not path.is_file():
        raise ScenarioError(f'there is no file {path}; a scenario names it with users = "FILE.py"')
    spec = importlib.util.spec_from_file_location(f"users_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ScenarioError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        line = _line_in(path, error)
        raise ScriptError(f"{path}{line}: {type(error).__name__}: {error}") from error
    return module


def _line_in(path: Path, error: BaseException) -> str:
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}"
    trace, line = error.__traceback__, ""
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = f", line {trace.tb_lineno}"
        trace = trace.tb_next
    return line
