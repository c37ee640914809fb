"""Time that costs nothing: an event loop whose clock jumps to the next timer whenever nobody has anything to do.

Importing this, before Locust and the lab's engine, replaces gevent's loop and the clocks of `time`. A run of a minute
then takes as long as its users' code, and goes the same way every time. Only for processes of their own.
"""

from __future__ import annotations

import time
from collections import deque
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, Any, Final, Self

import gevent

if TYPE_CHECKING:
    from collections.abc import Callable

BEGIN: Final = 1024.0
"""The first moment: a power of two, so that the times of a run lose few digits."""


class Clock:
    """What time it is, in seconds."""

    def __init__(self) -> None:
        self.now = BEGIN

    def read(self) -> float:
        """Give the time."""
        return self.now


class Callback:
    """A call that the loop is to make soon; gevent may take it back."""

    __slots__ = ("args", "callback")

    def __init__(self, callback: Callable[..., object], args: tuple[Any, ...]) -> None:
        self.callback: Callable[..., object] | None = callback
        self.args: tuple[Any, ...] | None = args

    def stop(self) -> None:
        """Take it back."""
        self.callback = self.args = None

    close = stop

    def __bool__(self) -> bool:
        """Tell whether it is still to be made, or being made."""
        return self.args is not None

    @property
    def pending(self) -> bool:
        """Tell whether it is still to be made."""
        return self.callback is not None


class Timer:
    """A call that the loop is to make at its time."""

    __slots__ = ("_after", "_loop", "args", "callback")

    def __init__(self, loop: Loop, after: float) -> None:
        self._loop, self._after = loop, max(after, 0.0)
        self.callback: Callable[..., object] | None = None
        self.args: tuple[Any, ...] = ()

    def start(self, callback: Callable[..., object], *args: object, **_: object) -> None:
        """Let it run."""
        self.callback, self.args = callback, args
        self._loop.add(self, self._after)

    def stop(self) -> None:
        """Let it not come."""
        self.callback, self.args = None, ()

    close = stop

    @property
    def active(self) -> bool:
        """Tell whether it runs."""
        return self.callback is not None

    pending = False

    def __enter__(self) -> Self:
        """Use it for a while."""
        return self

    def __exit__(self, *_: object) -> None:
        """Be done with it."""
        self.stop()


class Idle(Timer):
    """What gevent asks for and never comes here: a file, a signal, a fork, another thread."""

    def start(self, callback: Callable[..., object], *args: object, **_: object) -> None:
        """Keep what to call, and do not call it."""
        self.callback, self.args = callback, args

    def send(self) -> None:
        """Hear of another thread."""


class Loop:
    """An event loop as gevent's hub uses it."""

    default = True
    approx_timer_resolution = 0.0
    error_handler: Any = None

    def __init__(self, flags: object = None, default: object = None) -> None:
        del flags, default  # a hub gives them
        self._soon: deque[Callback] = deque()
        self._timers: list[tuple[float, int, Timer, object]] = []
        self._order = count()

    def run(self) -> None:
        """Make calls, and move the clock on when there are none, until nothing is left to wait for."""
        while self._soon or self._timers:
            while self._soon:
                call = self._soon.popleft()
                callback, args = call.callback, call.args
                if callback is not None and args is not None:
                    call.callback = None
                    self._call(callback, args)
                    call.args = None
            self._fire()

    def _fire(self) -> None:
        while self._timers:
            due, _, timer, callback = heappop(self._timers)
            if timer.callback is not None and timer.callback is callback:
                CLOCK.now = max(CLOCK.now, due)
                args = timer.args
                timer.stop()
                self._call(callback, args)
                return

    def _call(self, callback: Any, args: tuple[Any, ...]) -> None:  # noqa: ANN401 - what gevent gave
        try:
            callback(*args)
        except BaseException as error:  # noqa: BLE001 - the hub says what becomes of it
            self.error_handler.handle_error(None, type(error), error, error.__traceback__)

    def add(self, timer: Timer, after: float) -> None:
        """Let a timer come after so many seconds."""
        heappush(self._timers, (CLOCK.now + after, next(self._order), timer, timer.callback))

    def run_callback(self, callback: Callable[..., object], *args: object) -> Callback:
        """Call something soon."""
        call = Callback(callback, args)
        self._soon.append(call)
        return call

    run_callback_threadsafe = run_callback

    def timer(self, after: float, *_: object, **__: object) -> Timer:
        """Make a timer."""
        return Timer(self, after)

    def idle(self, *_: object, **__: object) -> Idle:
        """Make what never comes."""
        return Idle(self, 0.0)

    io = async_ = fork = signal = child = stat = check = prepare = idle

    def closing_fd(self, _: int) -> bool:
        """Tell that nobody waits for this file."""
        return False

    def now(self) -> float:
        """Give the time."""
        return CLOCK.now

    def update_now(self) -> None:
        """Look at the time: it moves by itself here."""

    update = update_now

    def destroy(self) -> None:
        """Leave nothing behind."""
        self._soon.clear()
        self._timers.clear()


CLOCK: Final = Clock()
gevent.config.loop = Loop  # type: ignore[assignment]  # has what a hub needs of a loop, and no more
time.perf_counter = time.monotonic = time.time = CLOCK.read
