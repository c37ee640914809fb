"""What a service tells of its own time, and how it goes on with a trace."""

from __future__ import annotations

import re
import threading
import time
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from reference_services.common import timing
from reference_services.common.timing import Timed
from reference_services.common.trace import continued

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

TRACE = "0af7651916cd43dd8448eb211c80319c"
GIVEN = f"00-{TRACE}-b7ad6b7169203331-00"
PART = re.compile(r"([a-z.]+)(?:;desc=([a-z]+))?;dur=(\d+\.\d{3})")


def asked(work: Callable[[], None], *, told: bool = True, **environ: str) -> dict[str, str]:
    """Let a service do some work for a request; gives its answer's headers."""
    answered: dict[str, str] = {}

    def inner(_environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        work()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b""]

    def start_response(_status: str, headers: list[tuple[str, str]]) -> None:
        answered.update(headers)

    list(Timed(inner, "here", told=told)(dict(environ), start_response))
    return answered


def parts(headers: dict[str, str]) -> dict[str, int]:
    """Give the header's parts in µs."""
    return {name: round(float(ms) * 1000) for name, _, ms in PART.findall(headers["Server-Timing"])}


def adds_up(found: dict[str, int]) -> bool:
    """Tell whether the parts of a request that waited for nobody add up to the whole, to the µs."""
    return sum(us for name, us in found.items() if "." in name) == found["here"]


def test_what_was_spent_and_what_is_left_add_up_to_the_whole() -> None:
    """Time in the database has that to get a connection taken out of it; the rest is the service's own."""

    def work() -> None:
        begin = time.monotonic_ns()
        time.sleep(0.004)
        timing.spent("pool", begin, within="db")
        time.sleep(0.004)
        timing.spent("db", begin)

    found = parts(asked(work))
    assert set(found) == {"here", "here.own", "here.pool", "here.db"}
    assert found["here.pool"] >= 4000
    assert found["here.db"] >= 4000
    assert adds_up(found)


def test_a_call_is_folded_in_with_all_that_the_other_one_told() -> None:
    """The other service's parts stand in the header as it told them, and what was lost on the way beside them."""
    begin = time.monotonic_ns() - 20_000_000
    there = "there;dur=15.000, there.queue;dur=2.000, there.own;dur=5.000, third.net;desc=there;dur=10.000"
    found = parts(asked(lambda: timing.called("there", begin, there)))
    assert found["there"] == 15_000
    assert (found["there.own"], found["third.net"], found["there.queue"]) == (5000, 10_000, 2000)
    assert found["there.net"] >= 3000


@pytest.mark.parametrize(
    "told", [None, "", "nonsense", "there;dur=999.000, there.own;dur=999.000", "there;dur=1.000" + "x" * 4000]
)
def test_a_call_whose_header_is_no_use_is_all_lost_on_the_way(told: str | None) -> None:
    """A service that tells nothing, or more than was waited for it, has its whole wait on the way."""
    found = parts(asked(lambda: timing.called("there", time.monotonic_ns() - 5_000_000, told)))
    assert set(found) == {"here", "here.own", "there.net"}
    assert found["there.net"] >= 5000


def test_the_wait_for_the_other_service_is_never_more_than_was_left() -> None:
    """A clock that is ahead on the other machine makes no time that nobody waited."""
    there = "there;dur=4.000, there.queue;dur=50000.000, there.own;dur=4.000"
    found = parts(asked(lambda: timing.called("there", time.monotonic_ns() - 5_000_000, there)))
    assert found["there.net"] == 0
    assert found["there.queue"] < 50_000_000


def test_a_service_tells_how_long_a_request_waited_for_it() -> None:
    """It knows when its caller began to send; a time that cannot be is no time."""
    earlier = time.time_ns() // 1000 - 30_000
    assert 30_000 <= parts(asked(lambda: None, HTTP_X_REQUEST_START=f"t={earlier}"))["here.queue"] < 60_000_000
    for wrong in ("t=9999999999999999", "t=0000000000000001", "yesterday"):
        assert "here.queue" not in parts(asked(lambda: None, HTTP_X_REQUEST_START=wrong))


def test_work_in_another_thread_counts_where_it_has_the_requests_context() -> None:
    """Time that a helper spends for a request is the request's; other threads' is nobody's."""

    def work() -> None:
        for kind, run in (("db", copy_context().run), ("pool", lambda do: do())):
            note = partial(timing.spent, kind, time.monotonic_ns())
            thread = threading.Thread(target=run, args=(note,))
            thread.start()
            thread.join()

    assert set(parts(asked(work))) == {"here", "here.own", "here.db"}
    timing.spent("db", time.monotonic_ns())
    assert timing.outgoing() == {}


def test_switched_off_answers_tell_nothing_and_the_trace_goes_on() -> None:
    """Without the header a service still passes `traceparent` on."""
    sent: dict[str, str] = {}
    headers = asked(lambda: sent.update(timing.outgoing()), told=False, HTTP_TRACEPARENT=GIVEN)
    assert "Server-Timing" not in headers
    assert sent["traceparent"].startswith(f"00-{TRACE}-")


def test_calls_of_one_request_are_of_one_trace() -> None:
    """The trace that came is passed on with a parent of the service's own, and its state with it."""
    sent: list[dict[str, str]] = []

    def work() -> None:
        sent.extend([timing.outgoing(), timing.outgoing()])

    asked(work, HTTP_TRACEPARENT=GIVEN, HTTP_TRACESTATE="a=1")
    assert sent[0]["traceparent"] == sent[1]["traceparent"]
    assert sent[0]["tracestate"] == "a=1"
    assert re.fullmatch(rf"00-{TRACE}-(?!b7ad6b7169203331)[0-9a-f]{{16}}-00", sent[0]["traceparent"])


@pytest.mark.parametrize(
    "given", ["", "nonsense", f"ff-{TRACE}-b7ad6b7169203331-00", f"00-{'0' * 32}-b7ad6b7169203331-01", GIVEN.upper()]
)
def test_a_traceparent_that_is_none_begins_a_new_trace(given: str) -> None:
    """Who gives none, or nothing valid, gets a trace that is sampled."""
    made = continued(given)
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-01", made)
    assert TRACE not in made


def test_a_later_version_is_read_by_what_this_one_knows() -> None:
    """What a later version has to say beyond four fields is left out."""
    assert re.fullmatch(rf"00-{TRACE}-[0-9a-f]{{16}}-00", continued(f"01-{GIVEN[3:]}-more"))
