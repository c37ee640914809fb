"""Where a command works: the target that the user names, the platform that is up, or one that is started for a run."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from lab import targets
from lab.errors import StackError
from lab.stack import control
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.owned import running
from lab.stack.profiles import DEFAULT
from lab.stack.state import StackEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from lab.model.target import Target
    from lab.stack.state import StackState

LOCAL: Final = "local"


def named(reference: str, urls: Mapping[str, str], root: Path, *, allow_public: bool) -> Target | None:
    """Give the target that the options name, checked to be safe and to answer; None when they name none (or `local`).

    Raises:
        TargetError: it cannot be found, is public, or does not answer.
    """
    if reference in {"", LOCAL} and not any(urls.values()):
        return None
    found = targets.load("" if reference == LOCAL else reference, root, urls)
    targets.require_private(found, allow_public=allow_public)
    targets.require_answering(found)
    return found


def standing(root: Path) -> StackState:
    """Give the platform that is up.

    Raises:
        StackError: none is.
    """
    state = control.find(root)
    if state is None:
        raise StackError("no platform is up here; start one with: airbourne-lab up (or name a --target)")
    return state


@contextmanager
def platform(
    target: Target | None,
    profile: str | None,
    root: Path,
    on_event: Callable[[StackEvent], None],
    backend: Backend | None = None,
) -> Iterator[tuple[Target, StackState | None]]:
    """Give where to run: the named target, else the platform that is up, else one of this run's own.

    Raises:
        StackError: it does not come up, or one with another profile or backend is up than asked for.
    """
    state = None if target else control.find(root)
    if target is not None:
        yield target, None
    elif state is not None:
        state = control.attach(state, profile, backend, on_event)
        yield state.target(), state
    else:
        on_event(StackEvent("stack", "starting", 0.0, "starting the platform for this run"))
        with running(root, profile or DEFAULT, on_event, backend=backend or EMBEDDED) as state:
            on_event(StackEvent("stack", "ready", 0.0, "the platform is up, for this run"))
            yield state.target(), state
