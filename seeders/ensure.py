"""Find what is there, create what is missing: the one way in which every kind of thing is seeded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lab.errors import SeedError
from lab.platform import Client, identity
from seeders.events import OnProgress, Progress

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

TAKEN = 409

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
Row = dict[str, Any]


def _ignore(_row: Row) -> None:
    """Take no note of a row."""


@dataclass(frozen=True, slots=True)
class Work:
    """What all kinds share: the client, how many calls may be under way at once, and who hears of progress."""

    client: Client
    workers: int
    on_progress: OnProgress


@dataclass(frozen=True, slots=True)
class Kind(Generic[_Item]):
    """One kind of thing: its list on the target, and how a planned item is recognised and created.

    `body` gives what is posted; `item_key` and `row_key` give equal keys for a planned item and its row on the target.
    """

    name: str
    path: str
    body: Callable[[_Item], dict[str, object]]
    item_key: Callable[[_Item], object]
    row_key: Callable[[Row], object]


def ensure(
    work: Work, kind: Kind[_Item], items: Sequence[_Item], on_row: Callable[[Row], None] = _ignore
) -> tuple[list[Row], list[Row]]:
    """Make sure that every planned item is on the target; items with equal keys are as many different rows.

    `on_row` is called with the row of every planned item, as soon as it is known.

    Returns:
        the items' rows, in the order of the items, and all rows that the target has.

    Raises:
        CallError: the target refused, or went away.
    """
    listed = work.client.listing("flights", kind.path)
    there = dict(_numbered(listed, kind.row_key))
    wanted = list(_numbered(items, kind.item_key))
    rows = {key: there[key] for key, _ in wanted if key in there}
    missing = [pair for pair in wanted if pair[0] not in rows]
    found, created = len(rows), 0

    def tell() -> None:
        work.on_progress(Progress(kind.name, found + created, len(items), created, found))

    def create(pair: tuple[str, _Item]) -> Row | None:
        answer = work.client.post("flights", kind.path, kind.body(pair[1]), accept=(TAKEN,))
        return None if answer.status == TAKEN else _row(answer.data, kind.path)

    def note(pair: tuple[str, _Item], row: Row | None) -> None:
        nonlocal found, created
        if row is None:
            found += 1
        else:
            created += 1
            rows[pair[0]] = row
            on_row(row)
        tell()

    for row in rows.values():
        on_row(row)
    tell()
    each(work, create, missing, note)
    if len(rows) < len(items):
        # Somebody else was quicker between our look and our call: it is there now.
        listed = work.client.listing("flights", kind.path)
        there = dict(_numbered(listed, kind.row_key))
        for key, item in missing:
            if key not in rows:
                if key not in there:
                    raise SeedError(f"{kind.path}: the target calls {kind.body(item)} taken, and does not list it")
                rows[key] = there[key]
                on_row(there[key])
    return [rows[key] for key, _ in wanted], [*listed, *rows.values()]


def each(
    work: Work,
    task: Callable[[_Item], _Result],
    items: Iterable[_Item],
    on_done: Callable[[_Item, _Result], None],
) -> None:
    """Do a task for every item, at most `work.workers` at once; `on_done` runs in the calling thread.

    After a failure nothing new begins, what is under way is still noted, and the first failure is raised. When the
    caller is interrupted, what has been done is noted, and what is under way is left to end by its time-outs.
    """
    failures: list[BaseException] = []
    halt = work.client.halt

    def guarded(item: _Item) -> _Result:
        if halt.is_set():
            raise CancelledError
        try:
            return task(item)
        except BaseException as problem:
            failures.append(problem)
            halt.set()
            raise

    pool = ThreadPoolExecutor(work.workers, thread_name_prefix="seeder")
    pending = {pool.submit(guarded, item): item for item in items}

    def note(future: Future[_Result]) -> None:
        item = pending.pop(future)
        if not future.cancelled() and future.exception() is None:
            on_done(item, future.result())

    try:
        for future in as_completed(tuple(pending)):
            note(future)
    except BaseException:
        for future in [one for one in pending if one.done()]:
            note(future)
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    if failures:
        raise failures[0]


def _row(data: object, path: str) -> Row:
    if not isinstance(data, dict):
        raise SeedError(f"POST {path}: the answer's data is no object")
    identity(data, f"POST {path}")
    return data


def _numbered(items: Iterable[_Item], key: Callable[[_Item], object]) -> Iterator[tuple[str, _Item]]:
    """Give items with a key that tells equal ones apart: the first of its kind, the second, …."""
    counts: Counter[str] = Counter()
    for item in items:
        name = repr(key(item))  # text, since what a target sent may have no hash
        counts[name] += 1
        yield f"{name}#{counts[name]}", item
