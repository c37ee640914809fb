"""The kinds of samples that a run has: which of them are requests, of which operation, and by which clock."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import pandas as pd

from lab.model.sample import DROPPED, FAIL, OK, RESPONSE, SERVICE, TrendKey

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

REQUESTS: Final = "http_req_duration"
OUTCOMES: Final = (OK, FAIL, DROPPED)
NONE: Final = -1
"""The place of an operation in what belongs to none."""


class Kind(NamedTuple):
    """What a histogram counts; `tags` is JSON."""

    metric: str
    name: str
    tags: str
    outcome: str
    clock: str

    @property
    def key(self) -> TrendKey:
        """Give the key that a tally has it under."""
        return TrendKey(self.metric, self.name, tuple(tags_of(self.tags).items()), self.outcome, self.clock)


@dataclass(frozen=True)  # no slots: what follows from the kinds is worked out once
class Kinds:
    """The kinds in the order in which they first came; what a property gives is by their places in it."""

    all: tuple[Kind, ...]

    @cached_property
    def operations(self) -> tuple[str, ...]:
        """Name the operations of the requests."""
        return tuple(dict.fromkeys(operation_of(kind.name, kind.tags) for kind in self.all if _timed(kind)))

    @cached_property
    def served(self) -> Ints:
        """Give the operation's place of each kind of request by the service clock, NONE of every other kind."""
        return self._places([kind.clock == SERVICE for kind in self.all])

    @cached_property
    def late(self) -> Ints:
        """Give the same by the response clock."""
        return self._places([kind.clock == RESPONSE for kind in self.all])

    @cached_property
    def felt(self) -> Ints:
        """Give the same by the clock that users would have felt: the response clock where a request has one."""
        twice = {kind[:-1] for kind in self.all if kind.clock == RESPONSE}
        return self._places([kind.clock == RESPONSE or kind[:-1] not in twice for kind in self.all])

    @cached_property
    def outcomes(self) -> Ints:
        """Give each kind's outcome, as its place in OUTCOMES."""
        return np.array([OUTCOMES.index(kind.outcome) for kind in self.all], dtype=np.int64)

    def _places(self, chosen: list[bool]) -> Ints:
        places = {operation: place for place, operation in enumerate(self.operations)}
        found = [
            places[operation_of(kind.name, kind.tags)] if wanted and _timed(kind) else NONE
            for kind, wanted in zip(self.all, chosen, strict=True)
        ]
        return np.array(found, dtype=np.int64)


def _timed(kind: Kind) -> bool:
    return kind.metric == REQUESTS and kind.clock in {SERVICE, RESPONSE}


class Known:
    """Gives samples the number of their kind, batch by batch."""

    def __init__(self) -> None:
        """Know none."""
        self._places: dict[Kind, int] = {}

    @property
    def kinds(self) -> Kinds:
        """Give the kinds that came so far."""
        return Kinds(tuple(self._places))

    def places(self, samples: pa.Table) -> Ints:
        """Give the place of each row's kind in `kinds`."""
        codes = np.zeros(len(samples), np.int64)
        words = []
        for name in Kind._fields:
            column, texts = coded(samples[name])
            codes = codes * max(len(texts), 1) + column
            words.append(texts)
        rows, distinct = pd.factorize(codes)
        found = []
        for code in distinct.tolist():
            left, parts = code, []
            for texts in reversed(words):
                left, place = divmod(left, len(texts))
                parts.append(texts[place])
            found.append(self._places.setdefault(Kind(*reversed(parts)), len(self._places)))
        return np.array(found, dtype=np.int64)[rows]


def coded(column: pa.ChunkedArray) -> tuple[Ints, list[str]]:
    """Give a column of texts as its distinct texts, and for each row the place of its text among them."""
    if not hasattr(column.type, "value_type"):
        column = column.dictionary_encode()
    chunks = column.unify_dictionaries().chunks
    if not chunks:
        return np.zeros(0, np.int64), []
    codes = np.concatenate([chunk.indices.to_numpy() for chunk in chunks])
    return codes.astype(np.int64), [str(word) for word in chunks[0].dictionary.to_pylist()]


def operation_of(name: str, tags: str) -> str:
    """Give the operation that a request counts for: its tag `operation`, or else its name."""
    return str(tags_of(tags).get("operation", name))


def tags_of(text: str) -> dict[str, str]:
    """Read the JSON of a `tags` column."""
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}
