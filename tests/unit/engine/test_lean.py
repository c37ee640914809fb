"""The lean client against a server that answers in every way, and against the client that it stands in for."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parent / "lean_requests.py"
UNTRUE = ("/half", "/slow", "/spoilt")
"""Whose failures Locust's client words otherwise, or loses: see decision 6."""


@cache
def run(case: str) -> dict[str, Any]:
    """Run a case and read what it printed."""
    done = subprocess.run([sys.executable, str(SCRIPT), case], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_both_clients_record_the_same() -> None:
    """One body of a user, once on Locust's client and once on the lean one: the same lines, failures, and checks."""
    found = run("both")
    lab, lean = found["lab"], found["lean"]

    def kept(rows: list[str]) -> list[str]:
        return [row for row in rows if not any(path in row for path in UNTRUE)]

    assert lean["totals"] == [31, 16, 14, 1, 0]
    assert lean["checks"] == lab["checks"] == [2, 0]
    assert kept(lean["lines"]) == kept(lab["lines"])
    assert kept(lean["counters"]) == kept(lab["counters"])
    reasons = [row.partition("'reason': ")[2] for row in lean["counters"] if any(path in row for path in UNTRUE)]
    assert reasons == [
        "'error: Error -# while decompressing data: incomplete or truncated stream'} 1",
        "'HTTPParseError: Incomplete response.'} 1",
        "'TimeoutError: timed out'} 1",
    ]


def test_connections_are_kept_and_reopened() -> None:
    """One connection serves request after request; one that the server closed, or that is half read, is replaced."""
    found = run("connections")

    kept = ["0 POST /ok", "0 POST /kept", "0 GET /chunked", "0 HEAD /none", "0 GET /ok"]
    assert found["kept"] == {"seen": kept, "codes": [200, 200, 200, 204, 200], "totals": [5, 5, 0, 0, 0]}
    assert found["closed"]["seen"] == ["0 GET /last", "1 POST /ok"]
    assert found["idle"]["seen"] == ["0 GET /leaves", "1 POST /ok"]
    assert found["slow"] == {"seen": ["0 POST /slow", "1 POST /ok"], "codes": [0, 200], "totals": [2, 1, 1, 0, 0]}
    assert found["broken"] == {"seen": ["0 POST /half", "1 POST /ok"], "codes": [0, 200], "totals": [2, 1, 1, 0, 0]}


def test_a_post_is_never_sent_twice() -> None:
    """A request that got no answer is sent again only if it may be, and only when its connection had been idle."""
    found = run("connections")

    get, post = found["get lost"], found["post lost"]
    assert get == {
        "seen": ["0 GET /ok", "0 GET /second", "1 GET /second"],
        "codes": [200, 200],
        "totals": [2, 2, 0, 0, 0],
    }
    assert post == {"seen": ["0 GET /ok", "0 POST /second"], "codes": [200, 0], "totals": [2, 1, 1, 0, 0]}
    assert found["fresh get lost"] == {"seen": ["0 GET /silent"], "codes": [0], "totals": [1, 0, 1, 0, 0]}


def test_answers_are_read_in_every_form() -> None:
    """By length, in chunks, packed, until the end, after a 100, in their character set; redirects are shown."""
    found = run("answers")

    body = '{"message": "seat 12 is taken", "data": {"id": 7}}\n'
    for path in ("/ok", "/early", "/packed"):
        assert found[path] == [200, True, body, None]
    assert found["/chunked"] == [200, True, '{"a": 1}', None]
    assert found["/latin"] == [200, True, "é", None]
    assert found["/old"] == [200, True, "until the end", None]
    assert found["/none"] == [204, True, "", None]
    assert found["/moved"] == [302, True, "", "/ok"]
    assert found["/noise"] == [0, False, "", None]
    assert found["/broken"] == [500, False, "no JSON", None]
    assert found["long"]
    assert found["json"] == [json.loads(body), {"a": 1}]
    assert found["no JSON"] == found["nothing"] == "JSONDecodeError"
    assert found["error"] == "ConnectionRefusedError"
    assert found["time"]


def test_a_judgement_needs_a_block_and_nothing_is_lost_without_one() -> None:
    """`success()` outside a with block is refused, and an answer that nobody judged counts by its status."""
    found = run("answers")

    assert found["no block"] == ["LocustError", "LocustError"]
    assert found["totals"] == [20, 15, 5, 0, 0]


def test_requests_say_what_they_were_told_to() -> None:
    """JSON, forms, texts, one's own headers, a login in the URL, and a URL with letters of all kinds."""
    found = run("requests")
    host = f"Host: 127.0.0.1:{found['port']}"
    lines = {name: text.split("\r\n") for name, text in found.items() if isinstance(text, str) and "HTTP" in text}

    assert lines["json"] == [
        "POST /echo HTTP/1.1",
        host,
        "User-Agent: airbourne-lab",
        "Content-Type: application/json",
        "Accept: application/json",
        "X-Key: 1 %d",
        "X-Number: 7",
        "Content-Length: 35",
        "",
        '{"a": "\\u00e9%s", "b": [1.5, null]}',
    ]
    assert lines["own"][1:] == ["content-type: text/x", "user-agent: me", "HOST: there", "Content-Length: 2", "", "é"]
    assert lines["form"][3:] == [
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Length: 9",
        "",
        "a=b+c&d=1",
    ]
    assert lines["get"] == ["GET /echo HTTP/1.1", host, "User-Agent: airbourne-lab", "", ""]
    assert lines["empty"][3:] == ["Content-Length: 0", "", ""]
    assert "Authorization: Basic YW5uOnBAc3M=" in lines["login"]
    assert found["odd"] == "/find/M%C3%BCnchen?name=New%20York&a=50%25"


def test_what_would_be_another_request_is_refused() -> None:
    """A line's end in a URL, a header's name or its value, or a length of one's own: a ValueError, and nothing sent."""
    found = run("requests")

    assert found["refused"] == {
        "value": "ValueError",
        "name": "ValueError",
        "URL": "ValueError",
        "length": "ValueError",
        "letter": "UnicodeEncodeError",
        "scheme": "ValueError",
    }
    assert found["loop"] == "ValueError"
    assert found["totals"] == [7, 7, 0, 0, 0]


def test_others_may_listen_and_nothing_counts_twice() -> None:
    """Locust's event is fired for a listener of somebody else's; the lab's own has the request already."""
    found = run("listeners")

    assert found == {
        "heard": ["GET", "/named", {"operation": "search"}, 51, 2],
        "failed": "LocustBadStatusCode",
        "took": True,
        "totals": [3, 1, 2, 0, 0],
    }


def test_an_open_model_has_both_clocks_and_is_paced() -> None:
    """Lateness goes to the response clock, the user's tags to every line, and the pace is asked before each request."""
    found = run("late")

    assert found["counted"] == [
        "fail response GET /missing {'operation': 'other', 'tier': 'gold'} x1",
        "fail service GET /missing {'operation': 'other', 'tier': 'gold'} x1",
        "ok response GET /ok {'operation': 'search', 'tier': 'gold'} x1",
        "ok service GET /ok {'operation': 'search', 'tier': 'gold'} x1",
    ]
    assert found["paced"] == 2


def test_a_user_who_is_stopped_leaves_nothing_open() -> None:
    """The request that it was at counts as unfinished, and its connections are closed, used or idle."""
    found = run("leaving")

    assert found == {"before": [1, 2], "open": 0, "totals": [3, 2, 0, 1, 0]}


def test_certificates_are_checked() -> None:
    """A server that shows a certificate of its name is spoken with, another is not, unless the user minds nothing."""
    found = run("secure")

    assert found == {
        "right": [200, 200, 200, 200],
        "seen": ["0 POST /ok", "0 POST /long", "0 POST /last", "1 POST /ok", "2 GET /ok"],
        "wrong": [0, "SSLCertVerificationError"],
        "unminded": 200,
        "totals": [6, 5, 1, 0, 0],
    }


def test_an_ipv6_address_is_a_host() -> None:
    """It stands in brackets in the URL and in the Host header."""
    found = run("sixth")
    if "none" in found:
        pytest.skip(f"no IPv6 here: {found['none']}")

    assert found == {"code": 200, "named": True}


def test_both_clients_hear_where_the_targets_time_went() -> None:
    """From one header or several, in any form of answer, of successes alone; from then on they say when they ask."""
    found = run("timing")

    assert found["lean"] == {
        "parts": ["a.db [(2, 3)]", "a.own [(1, 3)]", "b.own [(4, 1)]", "client.gap 4"],
        "said": [False, True],
    }
    assert found["lab"] == found["lean"]
