"""A worker's side of the wire: Locust's worker, which takes only the orders that the lab knows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any, Final

import zmq
from locust.runners import STATE_RUNNING, WorkerRunner
from zmq.utils.monitor import parse_monitor_message

from lab.engine import wire
from lab.errors import RunError, StoppedError
from lab.model.crew import KEY_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from locust.env import Environment
    from locust.rpc.protocol import Message

LOOK: Final = 0.1
SILENCE: Final = 10.0
"""Seconds without a word of the master, which speaks every second, after which it is gone."""
ENOUGH_FAILURES: Final = 3
_BROKEN: Final = (
    int(zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL),
    int(zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL),
    int(zmq.EVENT_HANDSHAKE_FAILED_AUTH),
)
log: Final = logging.getLogger("lab.engine")


class Follower(WorkerRunner):
    """A runner that a master leads."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that connecting takes
        self,
        environment: Environment,
        master: tuple[str, int],
        hello: Mapping[str, object],
        wait: float,
        stopped: Callable[[], bool],
        orders: Mapping[str, Callable[[Any], None]],
    ) -> None:
        """Connect.

        Args:
            environment: Locust's.
            master: host and port.
            hello: who this is; see `lab.engine.roster`.
            wait: seconds for a master to be there.
            stopped: tells whether the user asked to stop meanwhile.
            orders: what to do when the master says this; its plan may come in one breath with its welcome.

        Raises:
            RunError: no master came, it has another key, or it refused this worker.
            StoppedError: the user asked to stop.
        """
        self._stopped = stopped
        self._hello = dict(hello)
        self._wait = wait
        self.place = f"{master[0]}:{master[1]}"
        self.refused = ""
        self.heard = time.monotonic()
        self._orders = {wire.PING: self._pong, **orders}
        super().__init__(environment, *master)
        # Locust would send a message for every exception of a user; the lab counts them, and sends the counts.
        environment.events.user_error._handlers.clear()  # noqa: SLF001 - there is no other way to a single listener

    @property
    def master_gone(self) -> bool:
        """Tell whether the master has said nothing for long."""
        return time.monotonic() - self.heard > SILENCE

    def connect_to_master(self) -> None:
        """Say hello and wait for the answer."""
        end = time.monotonic() + self._wait
        self.send_message(wire.HELLO, self._hello)
        failures = 0
        while not self.connection_event.wait(LOOK):
            if self._stopped():
                raise StoppedError(f"stopped before a master answered at {self.place}")
            failures += self._broken_handshakes()
            if failures >= ENOUGH_FAILURES:
                raise RunError(
                    f"the master at {self.place} has another key: give both sides the same {KEY_VARIABLE}, or none"
                )
            if time.monotonic() > end:
                raise RunError(
                    f"no master answered at {self.place} within {self._wait:g} s; start one there with: "
                    "airbourne-lab run --scenario NAME --master --bind ADDRESS --expect-workers N"
                )
        if self.refused:
            raise RunError(f"the master at {self.place} refused this worker: {self.refused}")
        self.connected = True

    def begun(self) -> None:
        """Fire what Locust's listeners await before the first user."""
        self.worker_state = STATE_RUNNING
        self.environment.events.test_start.fire(environment=self.environment)
        self.update_state(STATE_RUNNING)

    def report(self) -> None:
        """Send Locust's report, with what the listeners of `report_to_master` add."""
        self._send_stats()

    def handle_message(self, msg: Message) -> None:
        """Do what the master says; what is no order of the lab's is left."""
        self.heard = time.monotonic()
        if msg.type in {"ack", "heartbeat"}:
            super().handle_message(msg)
        elif msg.type == wire.REFUSED:
            self.refused = str(msg.data)
            self.connection_event.set()
        elif order := self._orders.get(msg.type):
            order(msg.data)
        else:
            log.warning("the master said %r, which is no order of the lab's", msg.type)

    def heartbeat_timeout_checker(self) -> None:  # type: ignore[override]  # Locust's never returns
        """Leave the master's absence to `master_gone`, which needs no minute."""

    def stats_reporter(self) -> None:  # type: ignore[override]  # as above
        """Leave the time of reports to the run's own seconds."""

    def logs_reporter(self) -> None:
        """Keep this machine's log on this machine."""

    def _pong(self, number: object) -> None:
        self.send_message(wire.PONG, {"number": number, "clock": time.perf_counter()})

    def _broken_handshakes(self) -> int:
        monitor: Any = self.client.monitor  # type: ignore[attr-defined]  # the lab's own socket has one
        found = 0
        while monitor.poll(0):
            found += int(parse_monitor_message(monitor.recv_multipart())["event"]) in _BROKEN
        return found
