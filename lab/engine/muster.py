"""Before a run: wait for the workers, and give each the run and its own part of the data."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import gevent

from lab import dataset_file, store
from lab.engine import wire
from lab.engine.roster import State
from lab.errors import RunError
from lab.load import failure
from lab.model.crew import KEY_VARIABLE, is_loopback
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from locust.rpc.protocol import Message

    from lab.engine.cell import Stops
    from lab.engine.children import Children
    from lab.engine.leader import Leader
    from lab.engine.roster import Roster
    from lab.errors import LabError
    from lab.model.crew import Crew
    from lab.model.dataset import Dataset
    from lab.model.run import Run

READY_S: Final = 30.0
"""Seconds for a worker to load the user class and to find the target."""
GONE_S: Final = 15.0
"""Seconds without a word after which a worker is gone: longer than in a run, since loading a users file takes time."""
LAST_WORDS_S: Final = 1.0
"""Seconds for what a worker said before it ended."""
LOOK: Final = 0.05


def wait_until(done: Callable[[], bool], seconds: float = float("inf")) -> bool:
    """Wait, at most so long, until something is so; tells whether it is."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        gevent.sleep(LOOK)
    return True


def part_of(dataset: Dataset, place: int, among: int) -> Dataset:
    """Give one process's part: all flights, and users that no other process has, as long as there are enough."""
    users = dataset.users
    few = 0 < len(users) < among
    return replace(dataset, users=(users[place % len(users)],) if few else users[place::among])


class Muster:
    """Calls the workers together."""

    def __init__(
        self, leader: Leader, roster: Roster, children: Children, stops: Stops, say: Callable[[str], None]
    ) -> None:
        self._leader, self._roster, self._children, self._stops, self._say = leader, roster, children, stops, say
        self._failure: LabError | None = None

    def hear(self, client: str, msg: Message) -> None:
        """Take in what a worker says before the run begins."""
        peer = self._roster.get(client)
        if peer is None and msg.type == wire.HELLO:
            sentence = self._roster.hear(client, msg.data)
            if sentence:
                self._say(f"A worker was refused: {sentence}")
                self._leader.tell(client, wire.REFUSED, sentence)
            else:
                self._leader.welcome(client)
        elif peer and msg.type == wire.READY:
            peer.state = State.READY
        elif peer and msg.type == wire.FAILED:
            where = "" if peer.local else f"{peer.name}: "
            self._failure = failure(int(msg.data["exit_code"]), where + str(msg.data["sentence"]))
            self._leader.tell(client, wire.BYE)

    def gather(self, crew: Crew, port: int) -> bool:
        """Wait until all workers are there; tells whether to go on (and not that the user asked to stop).

        Raises:
            RunError: they did not come in time, or one of this machine's ended.
        """
        told = -1
        end = time.monotonic() + crew.timeout
        while len(self._roster) < crew.size:
            if self._stops.soon.is_set():
                return False
            if told != len(self._roster):
                told = len(self._roster)
                self._say(f"Waiting for workers: {told} of {crew.size} are there")
            if time.monotonic() > end:
                raise RunError(self._missing(crew, port))
            self._look_after()
            gevent.sleep(LOOK)
        self._roster.close()
        return True

    def hand_out(self, run: Run, dataset: Dataset) -> bool:
        """Give every worker its plan and wait until all are ready; tells whether to go on.

        Raises:
            LabError: a worker cannot do it, went away, or took too long.
        """
        among = len(self._roster)
        self._say(f"Giving {counted(among, 'worker')} the scenario and the data")
        for peer in self._roster:
            plan = {
                "run": store.dump(run).decode(),
                "dataset": dataset_file.dump(part_of(dataset, peer.place, among)),
                "place": peer.place,
                "among": among,
                "name": peer.name,
            }
            self._leader.tell(peer.client, wire.PLAN, json.dumps(plan))
        end = time.monotonic() + READY_S
        while any(peer.state is not State.READY for peer in self._roster):
            if self._failure:
                raise self._failure
            if self._stops.soon.is_set():
                return False
            if time.monotonic() > end:
                slow = ", ".join(peer.name for peer in self._roster if peer.state is not State.READY)
                raise RunError(f"{slow} could not get ready within {READY_S:g} s; look at its log, and run it again")
            self._look_after()
            gevent.sleep(LOOK)
        return not self._stops.soon.is_set()

    def _look_after(self) -> None:
        """Notice who went away: one of this machine ends the run, another may still come again.

        Raises:
            RunError: a worker of this machine ended, or one that had its plan already.
        """
        ended = self._children.first_ended()
        if ended and not wait_until(lambda: self._failure is not None, LAST_WORDS_S):
            raise RunError(f"worker {ended[0] + 1} could not start: {ended[1]}; the run folder's engine.log says why")
        for peer in [peer for peer in self._roster if peer.silent(GONE_S)]:
            if peer.place >= 0:
                raise RunError(f"{peer.name} went away before the run began")
            self._say(f"A worker on {peer.hello.host} went away again")
            self._roster.forget(peer)

    def _missing(self, crew: Crew, port: int) -> str:
        refused = self._roster.refusals
        said = f"; {len(refused)} refused, the last one because {refused[-1]}" if refused else ""
        host = crew.bind if crew.bind not in {"0.0.0.0", "::", "*"} else socket.gethostname()  # noqa: S104 - compared
        here = " (on this machine: the master listens on loopback without --bind)" if is_loopback(crew.bind) else ""
        key = f", with the master's {KEY_VARIABLE}" if crew.key else ""
        return (
            f"{len(self._roster)} of {crew.size} workers came within {crew.timeout:g} s{said}; start the others"
            f"{here} with: airbourne-lab worker --master {host}:{port}{key}"
        )
