"""Who may ask the page for anything: the browser of somebody who opened it, and no other site's script. Pure WSGI.

Three doors that a page on loopback leaves open are closed here. Another site's form or script may post to it: a request
that changes something must come from the page itself. A name of another site may be made to lead here (DNS rebinding):
the `Host` must be an address or this machine's own name. And Locust's page lets any site read it (CORS): it may not.
"""

from __future__ import annotations

import socket
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

SAFE: Final = {"GET", "HEAD", "OPTIONS"}
POLICY: Final = "Content-Security-Policy"
_OWN_SITE: Final = {"same-origin", "none"}
_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),  # without one, browsers say of a form of its own that it came from nowhere
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
_LOCUST_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""For what says nothing stricter of itself: Locust's page has scripts and styles within it."""


def refusal(environ: WSGIEnvironment, names: Iterable[str]) -> str:
    """Say why a request is refused; "" when it is not.

    Args:
        environ: the request.
        names: what this machine may be called, beside its addresses.
    """
    host = environ.get("HTTP_HOST", "")
    if not _ours(host, names):
        return f"The page is not called {host[:100]!r}. Open it by the machine's address or name."
    if environ.get("REQUEST_METHOD", "GET") in SAFE:
        return ""
    site, origin = environ.get("HTTP_SEC_FETCH_SITE"), environ.get("HTTP_ORIGIN")
    if site is not None and site not in _OWN_SITE:
        return "This came from another site. Only the page itself may start, change or stop a run."
    if origin is not None and origin != f"{environ.get('wsgi.url_scheme', 'http')}://{host}":
        return "This came from another site. Only the page itself may start, change or stop a run."
    return ""


def own_names(bound: str) -> frozenset[str]:
    """Give the names that a page may be opened by: the one it listens on, and this machine's."""
    return frozenset(name.lower() for name in (bound, "localhost", socket.gethostname(), socket.getfqdn()) if name)


def _ours(host: str, names: Iterable[str]) -> bool:
    try:
        name = (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return False
    if name in names:
        return True
    try:
        ip_address(name.partition("%")[0])
    except ValueError:
        return False
    return True


class Guard:
    """Stands before an application: refuses, and says in every answer what a browser may do with it."""

    def __init__(self, app: WSGIApplication, bound: str) -> None:
        self._app = app
        self._names = own_names(bound)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request."""

        def start(
            status: str,
            headers: list[tuple[str, str]],
            error: tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None] | None = None,
        ) -> Callable[[bytes], object]:
            return start_response(status, [*_closed(headers)], error)

        why = refusal(environ, self._names)
        if why:
            start("403 Forbidden", [("Content-Type", "text/plain; charset=utf-8")])
            return [why.encode()]
        return self._app(environ, start)


def _closed(headers: list[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    said = {name.lower() for name, _ in headers}
    yield from ((name, value) for name, value in headers if not name.lower().startswith("access-control-"))
    yield from _HEADERS
    if POLICY.lower() not in said:
        yield POLICY, _LOCUST_POLICY
