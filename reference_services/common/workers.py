"""What the worker processes of one service share; it is made before they are forked."""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import os
import select
import struct
from contextlib import contextmanager
from multiprocessing import Lock
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from reference_services.common.profile import Profile

MOST_WORKERS: Final = 8
ALONE: Final = frozenset({"reminder"})
"""Services whose work is in the background, and so in one process: more of them would only answer questions."""
SLOTS: Final = 1 << 16
PROBES: Final = 16
ENTRY: Final = struct.Struct("<QIi")
DOOR: Final = struct.Struct("<H")
NUMBERS: Final = 3
"""So many a process tells of itself (figures.py)."""
ROW: Final = struct.Struct(f"<{NUMBERS}q")
LOCK_WITHIN_S: Final = 0.1


def workers_of(profile: Profile, service: str, cores: int) -> int:
    """Give how many processes serve a service.

    A booking passes three services, and the database, the broker and the mails want cores as well: half of the cores
    for each service keeps all of them busy without a crowd at any.
    """
    if profile.workers == "one" or service in ALONE:
        return 1
    return min(max(1, cores // 2), MOST_WORKERS)


class Counts:
    """Requests of each client address in the present window, counted by all processes together.

    Addresses are told apart by 64 bits of a hash, in a table that never grows: when the 16 places that an address may
    have are taken, the one that was counted least is given away.
    """

    def __init__(self) -> None:
        self._table = mmap.mmap(-1, SLOTS * ENTRY.size)
        self._lock = Lock()

    def add(self, address: str, window: int) -> int:
        """Count a request in a window; give how many there were, with this one."""
        digest = int.from_bytes(hashlib.blake2b(address.encode(), digest_size=8).digest(), "little")
        with self._locked():
            least, free = 1 << 32, digest % SLOTS
            for probe in range(PROBES):
                slot = (digest + probe) % SLOTS
                whose, count, when = ENTRY.unpack_from(self._table, slot * ENTRY.size)
                if whose == digest and when == window:
                    return self._put(slot, digest, count + 1, window)
                worth = count if when == window else 0
                if worth < least:
                    least, free = worth, slot
            return self._put(free, digest, 1, window)

    def _put(self, slot: int, digest: int, count: int, window: int) -> int:
        ENTRY.pack_into(self._table, slot * ENTRY.size, digest, min(count, 0xFFFFFFFF), window)
        return count

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Wait for the lock, but not for ever: a process may have been killed while it had it."""
        held = self._lock.acquire(timeout=LOCK_WITHIN_S)
        try:
            yield
        finally:
            if held:
                self._lock.release()


class Board:
    """Numbers that each process tells of itself, so that whichever is asked can tell of all.

    A process that ends takes the others along, and their board: no row outlives whoever wrote it.
    """

    def __init__(self, rows: int) -> None:
        self._rows = range(rows)
        self._table = mmap.mmap(-1, rows * ROW.size)

    def tell(self, row: int, numbers: Sequence[int]) -> None:
        """Write one's own row."""
        ROW.pack_into(self._table, row * ROW.size, *numbers)

    def of_others(self, row: int) -> tuple[int, ...]:
        """Add up what all rows but one's own say."""
        others = [ROW.unpack_from(self._table, other * ROW.size) for other in self._rows if other != row]
        return tuple(map(sum, zip(*others, strict=True)))


class Workers:
    """The processes of one service.

    Attributes:
        count: how many.
        counts: of requests, where several processes must count together.
        board: what they tell of themselves, where there are several.
    """

    def __init__(self, count: int = 1, *, counting: bool = False) -> None:
        self.count = count
        self.counts = Counts() if counting and count > 1 else None
        self.board = Board(count) if count > 1 else None
        self._door = mmap.mmap(-1, DOOR.size)
        self._duty = os.memfd_create("duty") if count > 1 else -1
        self._bell = os.eventfd(0, os.EFD_NONBLOCK) if count > 1 else -1

    def on_duty(self) -> bool:
        """Tell whether this process is the one that does the background work: the first one that asks is."""
        if self.count == 1:
            return True
        try:
            fcntl.lockf(self._duty, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except OSError:
            return False
        return True

    def place(self) -> int:
        """Give which of them this process is, from 0; that one is on duty."""
        for number in range(self.count - 1):
            try:
                fcntl.lockf(self._duty, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
            except OSError:
                continue
            return number
        return self.count - 1

    @property
    def door(self) -> int:
        """The port at which one of them answers for all (sidedoor.py); 0 where none does."""
        return int(DOOR.unpack_from(self._door)[0])

    def open_door(self, port: int) -> None:
        """Let all of them know the port."""
        DOOR.pack_into(self._door, 0, port)

    def ring(self) -> None:
        """Say that there is background work."""
        os.eventfd_write(self._bell, 1)

    def heard(self, wait_s: float) -> bool:
        """Wait until somebody rings, at most this long."""
        if not select.select([self._bell], [], [], wait_s)[0]:
            return False
        try:
            os.eventfd_read(self._bell)
        except BlockingIOError:
            return False
        return True
