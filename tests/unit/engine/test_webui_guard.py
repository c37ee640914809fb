"""Whose requests the web page takes, and what it says to browsers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lab.engine.webui.guard import POLICY, Guard

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

HERE = "127.0.0.1:8089"


def asked(bound: str = "127.0.0.1", **request: str) -> tuple[str, list[tuple[str, str]]]:
    """Send a request through the guard of an application that lets every site read it."""
    seen: list[tuple[str, list[tuple[str, str]]]] = []

    def app(_: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        start("200 OK", [("Access-Control-Allow-Origin", "*"), ("Content-Type", "text/plain")])
        return [b"fine"]

    def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], object]:
        seen.append((status, headers))
        return lambda _: None

    environ = {"REQUEST_METHOD": "POST", "HTTP_HOST": HERE, "wsgi.url_scheme": "http", **request}
    list(Guard(app, bound)(environ, start))
    return seen[0]


@pytest.mark.parametrize(
    "request_",
    [
        {"HTTP_ORIGIN": f"http://{HERE}", "HTTP_SEC_FETCH_SITE": "same-origin"},
        {"HTTP_ORIGIN": f"http://{HERE}"},
        {},  # no browser: those always say where they come from
        {"HTTP_HOST": "localhost:9000"},
        {"HTTP_HOST": "[::1]:8089"},
        {"REQUEST_METHOD": "GET", "HTTP_SEC_FETCH_SITE": "cross-site"},  # a link from elsewhere
    ],
)
def test_what_the_page_itself_asks_is_taken(request_: dict[str, str]) -> None:
    """Posts of its own, by an address or by this machine's name, and pages that are only read."""
    assert asked(**request_)[0] == "200 OK"


@pytest.mark.parametrize(
    "request_",
    [
        {"HTTP_ORIGIN": "http://evil.example"},
        {"HTTP_ORIGIN": "null"},
        {"HTTP_ORIGIN": f"https://{HERE}"},
        {"HTTP_ORIGIN": "http://127.0.0.1:9999"},
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_HOST": "evil.example:8089", "HTTP_ORIGIN": "http://evil.example:8089"},
        {"HTTP_HOST": "evil.example", "REQUEST_METHOD": "GET"},
        {"HTTP_HOST": "127.0.0.1.evil.example", "REQUEST_METHOD": "GET"},
        {"HTTP_HOST": "["},
        {"HTTP_HOST": ""},
    ],
)
def test_what_another_site_asks_is_refused(request_: dict[str, str]) -> None:
    """A post from another origin, and any request under a name that is not this machine's."""
    assert asked(**request_)[0] == "403 Forbidden"


def test_the_name_that_it_listens_on_is_its_own() -> None:
    """A page that was opened under a name may be asked by it."""
    assert asked("lab.example", HTTP_HOST="LAB.example:8089")[0] == "200 OK"


def test_no_other_site_may_read_or_frame_it() -> None:
    """Locust's leave for every site is taken out, and every answer has a policy."""
    _, headers = asked()
    said = {name.lower(): value for name, value in headers}
    assert not [name for name in said if name.startswith("access-control")]
    assert said["x-frame-options"] == "DENY"
    assert "default-src 'none'" in said[POLICY.lower()]
