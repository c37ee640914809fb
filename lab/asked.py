"""What services tell of their own work at `/figures`: threads, connections, queues, and the database server's state."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeGuard
from urllib.parse import urlsplit

from lab.model.sample import SeriesKey

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.model.target import Target

ANSWER_S: Final = 0.8
"""What has no answer in this time is no figure. A service whose threads are all busy answers late."""
LOOPBACK: Final = frozenset({"127.0.0.1", "localhost"})
LARGEST: Final = 64 * 1024
LARGEST_FIGURE: Final = 1e15
"""More is no figure; nor is what is no number, which no comparison holds for."""
SERVICES: Final = ("booking", "flights", "auth", "reminder")
GATEWAY: Final = "gateway"
DOOR: Final = "figuresPort"
"""Where a service that is on this machine alone answers, too, while all its threads are busy."""
PORTS: Final = range(1, 1 << 16)
SERVER: Final = "dbServer"
"""The figure by which services that share a database server are known; one of them is asked about it."""
ALSO_SERVER: Final = "?server=on"


class Gauge(NamedTuple):
    """Where a figure is kept: in which gauge, with which tag (the service's name where it has none), in which unit.

    `counted` is counted since a database server's start, and kept as how much came since the last look.
    """

    metric: str
    tag: tuple[str, str] | None = None
    scale: float = 1.0
    counted: bool = False


NOTIFICATIONS: Final = ("queue", "notifications")
OUTBOX: Final = ("queue", "outbox")
GAUGES: Final[Mapping[str, Gauge]] = {
    "threadsBusy": Gauge("threads_busy"),
    "poolInUse": Gauge("pool_in_use"),
    "poolWaiting": Gauge("pool_waiting"),
    "queueDepth": Gauge("queue_depth", NOTIFICATIONS),
    "queueAgeMs": Gauge("queue_age", NOTIFICATIONS, 0.001),
    "outboxDepth": Gauge("queue_depth", OUTBOX),
    "dbThreadsRunning": Gauge("db_threads_running"),
    "dbRowLockWaits": Gauge("db_row_lock_waits", counted=True),
    "dbSlowQueries": Gauge("db_slow_queries", counted=True),
}


class Asked:
    """Asks the services that can be reached by themselves, all at once.

    None is asked through the gateway, which is under load. The gateway itself is asked once another service has told
    figures, since only then is it one that has any. A service that tells of a door of its own for figures is asked
    there, as long as somebody is behind it.
    """

    def __init__(self, target: Target, answer_s: float = ANSWER_S) -> None:
        """Say whom to ask, and how long to wait for an answer, in seconds."""
        from urllib3 import PoolManager  # noqa: PLC0415 - not needed by `--help`

        own = {service: target.url(service) for service in SERVICES}
        self._urls = {
            service: f"{url}/figures" for service, url in own.items() if not url.startswith(f"{target.gateway}/")
        }
        self._gateway = f"{target.gateway}/figures"
        self._answer_s = answer_s
        self._doors: dict[str, str] = {}
        self._tellers: set[str] = set()
        self._before: dict[SeriesKey, float] = {}
        self._pool: Any = PoolManager(retries=False, timeout=answer_s)
        self._threads = ThreadPoolExecutor(len(SERVICES) + 1, thread_name_prefix="figures")

    def ask(self) -> dict[SeriesKey, float]:
        """Ask; what is not said in time is left out."""
        told = self._told(self._urls)
        if GATEWAY not in self._urls and any(told.values()):
            self._urls[GATEWAY] = self._gateway
            told |= self._told([GATEWAY])
        for service, figures in told.items():
            self._note_door(service, figures.get(DOOR))
        self._tellers = set(_first_of_each_server(told).values()) or self._tellers
        return dict(self._gauges(told))

    def close(self) -> None:
        """Ask no more; a question that is on its way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._pool.clear()

    def _told(self, services: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        asked = {service: self._threads.submit(self._ask_one, service) for service in services}
        done, _ = wait(asked.values(), self._answer_s)
        return {service: answer.result() for service, answer in asked.items() if answer in done}

    def _ask_one(self, service: str) -> Mapping[str, Any]:
        query = ALSO_SERVER if service in self._tellers else ""
        door = self._doors.get(service)
        told = self._data((door or self._urls[service]) + query)
        if told is None and door is not None:
            # It was another process's, which is gone. One that is late is behind it still.
            self._doors.pop(service, None)
            told = self._data(self._urls[service] + query)
        return told or {}

    def _note_door(self, service: str, port: object) -> None:
        host = urlsplit(self._urls[service]).hostname
        if isinstance(port, int) and not isinstance(port, bool) and port in PORTS and host in LOOPBACK:
            self._doors[service] = f"http://{host}:{port}/figures"

    def _gauges(self, told: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[SeriesKey, float]]:
        for service, figures in told.items():
            for name, gauge in GAUGES.items():
                value = figures.get(name)
                if not _is_figure(value):
                    continue
                key = SeriesKey(gauge.metric, (gauge.tag or ("service", service),))
                if not gauge.counted:
                    yield key, float(value) * gauge.scale
                    continue
                before, self._before[key] = self._before.get(key), float(value)
                if before is not None:
                    # Less than before is a server that was started again.
                    yield key, float(value) - before if value >= before else float(value)

    def _data(self, url: str) -> Mapping[str, Any] | None:
        """Give what is told at a URL; nothing when it is not told in time, None when nobody there tells anything."""
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ReadTimeoutError  # noqa: PLC0415 - as above

        try:
            answer = self._pool.request("GET", url, redirect=False, preload_content=False)
            text = answer.read(LARGEST)
            answer.close()  # which ends no connection that has given its whole answer
            found = json.loads(text)
        except NewConnectionError:  # one kind of the next ones
            return None
        except (ConnectTimeoutError, ReadTimeoutError):
            return {}
        except (HTTPError, ValueError, RecursionError):
            return None
        data = found.get("data") if isinstance(found, dict) else None
        return data if isinstance(data, dict) else None


def _first_of_each_server(told: Mapping[str, Mapping[str, Any]]) -> dict[int, str]:
    """Give for each database server the service that is to tell of it."""
    found: dict[int, str] = {}
    for service, figures in told.items():
        server = figures.get(SERVER)
        if isinstance(server, int):
            found.setdefault(server, service)
    return found


def _is_figure(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= LARGEST_FIGURE
