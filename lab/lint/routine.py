"""What a user class does in an iteration, as it says itself in `routine`. The file is parsed and never run."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from lab.errors import ScenarioError, nearest
from lab.gates.limits import AUTH_OPERATIONS

if TYPE_CHECKING:
    from pathlib import Path

NAME: Final = "routine"
FLIGHTS: Final = ("all", "one", "none")
HASH_S: Final = 0.05
"""What a sign-up or a sign-in takes of one core: bcrypt at cost 10."""
PLAIN_S: Final = 0.01
"""What any other request is taken to cost: an assumption, and said as one wherever a remark rests on it."""
ASSUMED: Final = f"at about {HASH_S * 1000:g} ms for a sign-up or sign-in and {PLAIN_S * 1000:g} ms for all else"


@dataclass(frozen=True, slots=True)
class Routine:
    """An average iteration.

    Attributes:
        requests: how many by operation.
        checks: the names of the checks.
        metrics: metrics of the user's own.
        think: seconds between two iterations.
        sleep: seconds asleep inside one.
        seats: how many it asks for.
        flights: which of the dataset's flights it books: `all` (each as likely), `one` or `none`.
        tags: the keys of the tags that it gives to requests, checks and metrics by itself.
    """

    requests: Mapping[str, float] = field(default_factory=dict)
    checks: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    think: float = 0.0
    sleep: float = 0.0
    seats: float = 0.0
    flights: str = "none"
    tags: tuple[str, ...] = ()

    @property
    def hashing(self) -> float:
        """Give the seconds of password hashing in an iteration."""
        return sum(self.requests.get(operation, 0.0) for operation in AUTH_OPERATIONS) * HASH_S

    @property
    def busy(self) -> float:
        """Give the seconds that its requests take on an idle platform, about."""
        others = sum(number for operation, number in self.requests.items() if operation not in AUTH_OPERATIONS)
        return self.hashing + others * PLAIN_S

    @property
    def inside(self) -> float:
        """Give the seconds that an iteration itself takes, at best: what a user of an open load is taken up for."""
        return self.sleep + self.busy

    @property
    def idle(self) -> float:
        """Give the seconds that a user waits by itself."""
        return self.think + self.sleep

    @property
    def cycle(self) -> float:
        """Give the seconds from the begin of an iteration to that of the next, at best."""
        return max(self.idle + self.busy, 1e-3)


def declared(file: Path, name: str) -> Routine | None:
    """Read the routine of a class, or of a class in the same file that it inherits from; None when there is none.

    Raises:
        ScenarioError: there is one, and it cannot be read.
    """
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, SyntaxError):
        return None  # the load process tells, with the line
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        found = classes.get(waiting.pop(0))
        if found is None or found.name in seen:
            continue
        seen.add(found.name)
        for node in found.body:
            value = _assigned(node)
            if value is not None:
                return _read(value, f"{file}, line {node.lineno}: {NAME} of {found.name}")
        waiting += [base.id for base in found.bases if isinstance(base, ast.Name)]
    return None


def _assigned(node: ast.stmt) -> ast.expr | None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    named = any(isinstance(target, ast.Name) and target.id == NAME for target in targets)
    return node.value if named and isinstance(node, (ast.Assign, ast.AnnAssign)) else None


def _read(value: ast.expr, where: str) -> Routine:
    try:
        table = ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError):
        raise ScenarioError(f"{where} must be written out, as a table of plain values") from None
    if not isinstance(table, dict):
        raise ScenarioError(f'{where} must be a table, like {{"requests": {{"booking": 1}}, "think": 1}}')
    known = Routine.__slots__
    for key in table:
        if key not in known:
            raise ScenarioError(f'{where}: unknown key "{key}"{nearest(str(key), known)}')
    for key in ("checks", "metrics", "tags"):
        table[key] = _names(table.get(key, []), f"{where}: {key}")
    for key in ("think", "sleep", "seats"):
        table[key] = _number(table.get(key, 0), f"{where}: {key}")
    requests = table.get("requests", {})
    if not isinstance(requests, Mapping) or not all(isinstance(operation, str) for operation in requests):
        raise ScenarioError(f'{where}: requests is a table by operation, like {{"booking": 1}}')
    table["requests"] = {name: _number(number, f"{where}: requests: {name}") for name, number in requests.items()}
    if table.get("flights", "none") not in FLIGHTS:
        raise ScenarioError(f"{where}: flights is one of {', '.join(FLIGHTS)}, not {table['flights']!r}")
    return Routine(**table)


def _number(value: Any, where: str) -> float:  # noqa: ANN401 - whatever was written
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ScenarioError(f"{where} must be a number of 0 or more, not {value!r}")
    return float(value)


def _names(value: Any, where: str) -> tuple[str, ...]:  # noqa: ANN401 - whatever was written
    if not isinstance(value, (list, tuple)) or not all(isinstance(name, str) for name in value):
        raise ScenarioError(f"{where} must be a list of names")
    return tuple(value)
