"""What services tell of their work while they are too busy to answer anything else."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import TimeoutError as NoAnswerError

from lab.asked import DOOR, Asked
from lab.model.sample import SeriesKey
from lab.model.target import Target
from tests.integration.services.platform import wait_until

if TYPE_CHECKING:
    from tests.integration.services.lone import Nursery
    from tests.integration.services.platform import Platform

THREADS: Final = 2
BUSY: Final = SeriesKey("threads_busy", (("service", "gateway"),))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_gateway_whose_threads_are_all_busy_tells_so(safe: Platform, nursery: Nursery, workers: int) -> None:
    """While no request is answered any more, the gateway's figures are, and they count the threads of all processes."""
    with ExitStack() as until_the_end:
        silent = until_the_end.enter_context(socket.create_server(("127.0.0.1", 0)))
        nowhere = f"http://127.0.0.1:{silent.getsockname()[1]}"
        urls = dict.fromkeys(("AUTH_URL", "FLIGHTS_URL", "BOOKING_URL", "REMINDER_URL"), nowhere)
        more = {"PROFILE": "safe+scaled", "WORKERS": str(workers), "THREADS": str(THREADS)}
        gateway = nursery.start("gateway", UPSTREAM_TIMEOUT_S="300", **more, **urls)
        asked = Asked(Target(gateway.service.url, booking=safe.booking.url), answer_s=20.0)
        until_the_end.callback(asked.close)
        wait_until(lambda: DOOR in gateway.service.call("GET", "/figures").data, "the gateway's door is open")
        wait_until(lambda: asked.ask().get(BUSY) == 0, "the gateway tells its figures")

        def another_and_all_are_busy() -> bool:
            client = until_the_end.enter_context(socket.create_connection(("127.0.0.1", gateway.port)))
            client.sendall(b"GET /auth/api/v1/isAdmin?id=1 HTTP/1.1\r\nHost: gateway\r\n\r\n")
            return asked.ask().get(BUSY) == THREADS * workers

        wait_until(another_and_all_are_busy, "the figures say that all threads are busy")
        with PoolManager(timeout=Timeout(0.3), retries=False) as pool, pytest.raises(NoAnswerError):
            pool.request("GET", f"{gateway.service.url}/figures")


def test_a_service_that_others_may_reach_has_no_door(nursery: Nursery) -> None:
    """Where a service listens on more than the loopback address, it opens no other port beside its own."""
    lone = nursery.start("auth", HOST="0.0.0.0", DATABASE_URL=nursery.database("a"), **key(nursery))  # noqa: S104 - the setting that is tested
    assert DOOR not in lone.service.call("GET", "/figures").data


def key(nursery: Nursery) -> dict[str, str]:
    """Give a file with a key."""
    path = nursery.folder / "jwt.key"
    path.write_text("k" * 40, encoding="ascii")
    return {"JWT_SECRET_FILE": str(path)}
