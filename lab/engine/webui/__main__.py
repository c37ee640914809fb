"""The page's process: what it is told first is where to listen; it ends when its parent is gone."""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import logging
import os
import socket
import sys
from typing import TYPE_CHECKING, Any, Final

import gevent
from gevent import pywsgi
from locust.log import LogReader
from locust.stats import stats_history

from lab.engine.webui import wire
from lab.engine.webui.desk import Choice, Desk
from lab.engine.webui.exact import Stats
from lab.engine.webui.guard import Guard
from lab.engine.webui.login import require_login
from lab.engine.webui.mirror import Mirror
from lab.engine.webui.pages import add_fields, add_pages, app_of
from lab.ui import PASSWORD_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust.web import WebUI

LOOK_S: Final = 0.25
LAST: Final = 10
"""The niceness of this process: nothing waits for a page."""


def site(setup: Mapping[str, Any]) -> tuple[WebUI, Desk]:
    """Build the page: Locust's, with the lab's parts.

    Args:
        setup: what the parent says first.
    """
    preset = setup["preset"]
    choice = Choice(setup["scenarios"], preset["scenario"], preset["label"], preset["time_scale"])
    add_fields(choice)
    stats = Stats()
    environment = Environment(locustfile=choice.scenario)
    environment.stats = stats
    mirror = environment._create_runner(Mirror)  # noqa: SLF001 - the only way to a runner of one's own
    web = environment.create_web_ui(setup["host"], setup["port"], web_login=bool(setup["login"]), delayed_start=True)
    desk = Desk(mirror, stats, choice, wire.say)
    add_pages(web, desk)
    if setup["login"]:
        require_login(web, os.environ[PASSWORD_VARIABLE])
    return web, desk


def listen(host: str, port: int) -> socket.socket:
    """Take the port.

    Raises:
        OSError: it is taken, or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def main() -> int:
    """Serve the page until the parent is gone; returns the exit code."""
    sys.argv[1:] = []  # Locust's page reads the options of its own command line
    os.nice(LAST)
    logs = LogReader()
    logs.name = "log_reader"
    logs.setFormatter(logging.Formatter("[%(asctime)s] %(levelname)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[logs])
    logging.getLogger("lab").setLevel(logging.INFO)
    news = wire.news()
    setup = next(news)["setup"]
    host, port = setup["host"], setup["port"]
    try:
        listener = listen(host, port)
    except OSError as error:
        why = "is taken" if error.errno in {98, 48} else f"cannot be listened on ({error.strerror or error})"
        wire.say(error=f"port {port} of {host} {why}: choose another with --port, or end what uses it")
        return 1
    web, desk = site(setup)
    server = pywsgi.WSGIServer(listener, Guard(app_of(web), host), log=None, error_log=logging.getLogger("lab.page"))
    server.start()
    gevent.spawn(stats_history, desk.mirror)
    gevent.spawn(_look, desk)
    shown = f"[{host}]" if ":" in host else host
    wire.say(listening=f"http://{shown}:{listener.getsockname()[1]}")
    for told in news:
        desk.hear(told)
    server.stop(timeout=0)
    return 0


def _look(desk: Desk) -> None:
    while True:
        desk.look()
        gevent.sleep(LOOK_S)


if __name__ == "__main__":
    sys.exit(main())
