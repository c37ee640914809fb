"""When is a part of the stack ready? A question to each, asked until the answer is yes."""

from __future__ import annotations

import socket
from functools import partial
from typing import TYPE_CHECKING, Final

from lab.stack import logins, mariadb, rabbitmq
from lab.stack.layout import MAIL, MARIADB, Layout
from lab.stack.passwords import password
from lab.stack.ports import LOOPBACK

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

_POLL_SECONDS: Final = 0.05


def wait(ask: Callable[[], str | None], stopped: threading.Event, interval: float = _POLL_SECONDS) -> str | None:
    """Ask until the answer is None or `stopped` is set; gives the last reason then."""
    while True:
        reason = ask()
        if reason is None or stopped.wait(interval):
            return reason


def of_server(name: str, port: int, layout: Layout) -> Callable[[], str | None]:
    """Give the question to one of the stack's own servers: does it let its users in?"""
    if name == MARIADB:
        return partial(
            logins.mariadb, port, mariadb.ADMIN, password(layout.secrets, mariadb.key(mariadb.ADMIN)), "mysql"
        )
    return partial(logins.rabbitmq, port, rabbitmq.url(port, password(layout.secrets, rabbitmq.SECRET)))


def of_service(name: str, port: int) -> Callable[[], str | None]:
    """Give the question to a service, or to the mail sink."""
    if name == MAIL:
        return partial(_greets, port)
    # Imported here, while the services import theirs.
    from lab.stack.health import check  # noqa: PLC0415 - see above

    return partial(check, f"http://{LOOPBACK}:{port}")


def _greets(port: int) -> str | None:
    """Give None when a mail server greets on the port, otherwise why not."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=1.0) as connection:
            return None if connection.recv(3) == b"220" else "does not greet as a mail server does"
    except OSError as error:
        return f"does not greet yet ({error})"
