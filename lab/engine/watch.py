"""During a run: workers' reports are added up, their clocks kept together, and who is lost is noticed and said."""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import gevent

from lab.engine import wire
from lab.engine.clock import LIMIT, offset
from lab.engine.merge import Merger
from lab.engine.muster import wait_until
from lab.engine.roster import State
from lab.engine.rows import Appended
from lab.model.sample import Tick
from lab.model.verdict import Finding, Validity
from lab.model.words import counted

if TYPE_CHECKING:
    from locust.rpc.protocol import Message

    from lab.engine.cell import Traces
    from lab.engine.children import Children
    from lab.engine.leader import Leader
    from lab.engine.roster import Peer, Roster
    from lab.model.dataset import Dataset
    from lab.store import RunFolder

GATE: Final = "load processes"
LOOK: Final = 0.1
PAUSE: Final = 1.0
"""Seconds between two looks after which this process itself was held up."""
PING_EVERY: Final = 1.0
FIRST_PINGS: Final = 12
BETWEEN: Final = 0.015
HEAD_START: Final = 0.25
"""Seconds between the start signal and second 0, so that it reaches all workers before."""
PATIENCE: Final = 8
"""Seconds after which a second is written without those who are alive and have not reported it."""


class Watch:
    """Knows every worker of a run that goes on."""

    def __init__(self, leader: Leader, roster: Roster, children: Children, folder: RunFolder) -> None:
        self._leader, self._roster, self._children, self._folder = leader, roster, children, folder
        self._merger: Merger | None = None
        self._zero = float("inf")
        self._pings: dict[int, float] = {}
        self._number = 0
        self._findings: list[Finding] = []
        self._ending = False
        self._rows = Appended(folder.ledger)
        self.traces: Traces = Counter()

    @property
    def elapsed(self) -> float:
        """Give the seconds since second 0 began; below 0 before."""
        return time.perf_counter() - self._zero

    @property
    def nobody_left(self) -> bool:
        """Tell whether all were lost, or stopped on their own, before the end."""
        return all(peer.state in {State.LOST, State.LEFT} for peer in self._roster)

    @property
    def over(self) -> bool:
        """Tell whether nobody's report is awaited any more."""
        return not any(peer.working for peer in self._roster)

    def hear(self, client: str, msg: Message) -> bool:
        """Take in a message of a worker that is known; tells whether it was one of a run's."""
        peer = self._roster.get(client)
        if peer is None:
            return False
        peer.heard = time.monotonic()
        if msg.type == wire.PONG:
            sent = self._pings.get(int(msg.data["number"]))
            if sent is not None:
                peer.clock.add(offset(sent, float(msg.data["clock"]), time.perf_counter()))
        elif msg.type == wire.LEDGER:
            self._rows.write(str(msg.data))
            self._rows.flush()
        elif msg.type == "stats":
            peer.users = int(msg.data.get("user_count") or 0) or peer.users  # who leaves had some before
            self._leader.heard(client, msg)
            self._take(peer, msg.data.get(wire.REPORT))
        elif msg.type == "heartbeat":
            self._leader.heard(client, msg)
        else:
            return False
        if peer.state is State.LOST and self._merger:
            # It was silent and is back: its users were given to others.
            self._leader.tell(client, wire.HALT)
        return True

    def begin(self) -> None:
        """Bring the workers' clocks together and give the start signal."""
        for _ in range(FIRST_PINGS):
            self._ping()
            gevent.sleep(BETWEEN)
        wait_until(lambda: all(peer.clock.best for peer in self._roster), PING_EVERY)
        self._zero = time.perf_counter() + HEAD_START
        self._merger = Merger(peer.name for peer in self._roster)
        peers = [peer for peer in self._roster if self._meets(peer)]
        for peer in peers:
            self._leader.tell(peer.client, wire.BEGIN, self._zero + peer.clock.use())
        self._leader.begin()

    def keep(self) -> None:
        """Look after everything, for ever."""
        due, looked = 0.0, time.monotonic()
        while True:
            gevent.sleep(LOOK)
            looked = self._allow_for(time.monotonic() - looked)
            if time.monotonic() >= due:
                due = time.monotonic() + PING_EVERY
                self._ping()
                self._correct_clocks()
            if self._merger:
                for peer in list(self._roster):
                    if peer.working:
                        self._look_at(peer)
                self._write(self._merger.close(int(self.elapsed) - PATIENCE))

    def drain(self) -> None:
        """Let everybody finish."""
        self._ending = True
        self.send_all(wire.DRAIN)

    def send_all(self, kind: str, data: object = None) -> None:
        """Send to everybody whose report is awaited."""
        for peer in self._roster:
            if peer.working:
                self._leader.tell(peer.client, kind, data)

    def finish(self) -> None:
        """Write what came, and say what did not."""
        for peer in list(self._roster):
            if peer.working:
                self._lose(peer, "its last report never came")
        if self._merger:
            self._write(self._merger.close(everything=True))

    def dismiss(self, why: str = "") -> None:
        """Let those go who still wait; tell them why, if there is a reason."""
        if why:
            self.send_all(wire.REFUSED, why)
        self.send_all(wire.BYE)
        self._leader.hang_up()
        self._rows.close()

    def findings(self, dataset: Dataset) -> tuple[Finding, ...]:
        """Give what must be said of how the load was made."""
        size = len(self._roster)
        found = self._findings or [Finding(GATE, Validity.VALID, f"{size} of {size} reported every second to the end")]
        worst = max(self._roster, key=lambda peer: peer.clock.worst)
        apart = f"{worst.clock.worst * 1000:.1f} ms"
        if worst.clock.worst > LIMIT:
            sentence = f"the clock of {worst.name} was within {apart} of the master's: its seconds may be a bit off"
            found.append(Finding("clocks", Validity.SUSPECT, sentence))
        else:
            found.append(Finding("clocks", Validity.VALID, f"all within {apart} of the master's"))
        if 0 < len(dataset.users) < size:
            users = counted(len(dataset.users), "user")
            found.append(
                Finding("users", Validity.VALID, f"{users} for {size} load processes: several use one at the same time")
            )
        return tuple(found)

    def _take(self, peer: Peer, text: Any) -> None:  # noqa: ANN401 - what came over the wire
        if self._merger is None or text is None:
            return
        try:
            report = json.loads(text)
            ticks = [Tick.from_json(line) for line in report["ticks"]]
            for message, trace, number in report["traces"]:
                self.traces[str(message), str(trace)] += int(number)
            last, asked = bool(report["last"]), bool(report["asked"])
        except Exception:
            self._findings.append(Finding(GATE, Validity.INVALID, f"a report of {peer.name} could not be read"))
            raise
        for tick in ticks:
            self._merger.add(peer.name, tick)
        if last:
            self._leader.tell(peer.client, wire.BYE)
        if last and peer.working:
            self._merger.end(peer.name)
            self._leader.leave_out(peer)
            peer.state = State.OVER
            if asked and not self._ending:
                peer.state = State.LEFT
                self._spread()
                self._say_gone(peer, "was stopped on its own", "everything that it recorded is in")

    def _look_at(self, peer: Peer) -> None:
        number = peer.hello.child
        if number is not None and (how := self._children.ended(number)):
            self._lose(peer, how)
        elif peer.silent():
            self._lose(peer, f"it said nothing for {time.monotonic() - peer.heard:.0f} s")

    def _lose(self, peer: Peer, how: str) -> None:
        peer.state = State.LOST
        if self._merger is None:
            return
        seconds, unanswered = self._merger.lose(peer.name)
        parts = [f"its first {counted(seconds, 'second')} came" if seconds else "nothing of what it recorded came"]
        parts.append(f"{counted(unanswered, 'request')} without an answer {'counts' if unanswered == 1 else 'count'} ")
        parts[-1] += "as unfinished"
        if not peer.local:
            parts.append("what it tried to book in its last moments may be missing from the ledger")
        self._leader.leave_out(peer)
        self._spread()
        self._say_gone(peer, f"was lost ({how})", ", ".join(parts))

    def _spread(self) -> None:
        """Give the load of who is gone to the others."""
        left = [peer for peer in self._roster if peer.working]
        for place, peer in enumerate(left):
            self._leader.tell(peer.client, wire.PART, {"place": place, "among": len(left)})

    def _say_gone(self, peer: Peer, what: str, rest: str) -> None:
        others = sum(other.working for other in self._roster)
        again = f"; its users went to the other {others}" if others and peer.users else ""
        sentence = f"{peer.name} {what} after {max(self.elapsed, 0):.0f} s, with {counted(peer.users, 'user')}: "
        self._findings.append(Finding(GATE, Validity.SUSPECT, sentence + rest + again))

    def _allow_for(self, pause: float) -> float:
        """Hold nobody's silence against him while this process itself could not listen; gives the time."""
        if pause > PAUSE:
            for peer in self._roster:
                peer.heard += pause
        return time.monotonic()

    def _meets(self, peer: Peer) -> bool:
        if peer.clock.best is None:
            self._lose(peer, "it never answered")
        return peer.clock.best is not None

    def _ping(self) -> None:
        self._number += 1
        self._pings = {n: at for n, at in self._pings.items() if n > self._number - 2 * FIRST_PINGS}
        self._pings[self._number] = time.perf_counter()
        for peer in self._roster:
            self._leader.tell(peer.client, wire.PING, self._number)

    def _correct_clocks(self) -> None:
        for peer in self._roster:
            if self._merger and peer.working and peer.clock.drifted:
                self._leader.tell(peer.client, wire.CLOCK, self._zero + peer.clock.use())

    def _write(self, ticks: list[Tick]) -> None:
        if ticks:
            with self._folder.ticks.open("a", encoding="utf-8") as file:
                file.writelines(tick.to_json() + "\n" for tick in ticks)
