"""Load the user class that a scenario names, and count its iterations."""

from __future__ import annotations

import functools
import importlib.util
import inspect
import sys
from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from gevent import GreenletExit
from locust import TaskSet, User
from locust.exception import InterruptTaskSet, RescheduleTask, RescheduleTaskImmediately, StopTest, StopUser

from lab.engine.recorder import US
from lab.errors import ScenarioError, ScriptError, nearest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

    from lab.engine.recorder import Recorder

FLOW: Final = (GreenletExit, StopUser, StopTest, RescheduleTask, RescheduleTaskImmediately, InterruptTaskSet)
"""What Locust raises to steer users; not an error of the user's own code."""


def load_user_class(path: Path, name: str) -> type[User]:
    """Import a file and take a user class from it.

    Raises:
        ScenarioError: the file or the class is missing.
        ScriptError: the file raised while it was imported.
    """
    module = _import(path)
    classes = {
        key: value
        for key, value in vars(module).items()
        if inspect.isclass(value) and issubclass(value, User) and value.__module__ == module.__name__
    }
    found = classes.get(name)
    if found is None:
        raise ScenarioError(f'{path} has no user class "{name}"{nearest(name, classes)}')
    found.abstract = False
    return found


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


def count_iterations(user_class: type[User], recorder: Recorder) -> None:
    """Let every task of a class, in nested task sets too, count as an iteration with its duration."""
    _wrap(user_class, recorder)


def _wrap(owner: Any, recorder: Recorder) -> None:  # noqa: ANN401 - a user class or a task set
    tasks: list[Any] = []
    done: dict[Any, Any] = {}
    for task in owner.tasks:
        if task not in done:
            if inspect.isclass(task) and issubclass(task, TaskSet):
                _wrap(task, recorder)
                done[task] = task
            else:
                done[task] = _timed(task, recorder)
        tasks.append(done[task])
    owner.tasks = tasks


def _timed(task: Callable[[Any], object], recorder: Recorder) -> Callable[[Any], None]:
    @functools.wraps(task)
    def iteration(user: Any) -> None:  # noqa: ANN401 - a user or a task set
        begin = perf_counter()
        try:
            task(user)
        except FLOW:
            raise
        except Exception:
            recorder.iteration(task.__name__, int((perf_counter() - begin) * US), ok=False)
            raise
        recorder.iteration(task.__name__, int((perf_counter() - begin) * US), ok=True)

    return iteration
