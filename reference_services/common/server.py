"""The WSGI server: granian with threads, in one process or several (docs/decisions/001-wsgi-server.md, 010)."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.server import Server

from reference_services.common.errors import ConfigError
from reference_services.common.log import lifecycle, log_to_stderr

if TYPE_CHECKING:
    from flask import Flask

    from reference_services.common.composition import ServiceConfig

# Longer than any client keeps an idle connection, so that a pooled client rarely meets one that just closed.
KEEP_ALIVE_S = 120
STOP_WITHIN_S = 2
BACKLOG = 1024
PR_SET_PDEATHSIG = 1


def serve(service: str, config: ServiceConfig) -> int:
    """Serve a service until SIGTERM or SIGINT; give the process's exit status.

    Raises:
        ConfigError: the port is taken.
    """
    common = config.common
    check_port(common.host, common.port)
    master = os.getpid()
    server = Server(
        service,
        address=common.host,
        port=common.port,
        interface=Interfaces.WSGI,
        workers=common.workers.count,
        blocking_threads=common.threads,
        blocking_threads_idle_timeout=600,
        backlog=BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=KEEP_ALIVE_S * 1000),
        log_enabled=False,
        workers_kill_timeout=STOP_WITHIN_S,
        websockets=False,
    )
    try:
        server.serve(target_loader=lambda: load_in_worker(service, config, master), wrap_loader=False)
    except SystemExit as ending:
        return int(ending.code or 0)
    return 0


def check_port(host: str, port: int) -> None:
    """Find out whether a port is free, before the server shares it by SO_REUSEPORT with whoever has it.

    Raises:
        ConfigError: it is taken or cannot be opened.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise ConfigError(f"PORT: {host}:{port} cannot be opened: {error.strerror}") from error


def load_in_worker(service: str, config: ServiceConfig, master: int) -> Flask:
    """Make the service's app in the worker process and start its background work."""
    from reference_services.common.app import background_of  # noqa: PLC0415 - imported only where it is needed
    from reference_services.common.composition import make_app  # noqa: PLC0415 - imported only where it is needed

    common = config.common
    # The master's handler came along with the fork; until the server sets its own, SIGTERM simply ends us.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent(master)
    log_to_stderr(service, common.log_level)
    try:
        app = make_app(service, config)
    except ConfigError as problem:
        sys.stderr.write(f"{service} cannot start: {problem}\n")
        sys.stderr.flush()
        os._exit(1)
    background = background_of(app)
    background.start(on_duty=common.workers.on_duty())
    where = {"port": common.port, "profile": common.profile.name}
    lifecycle().info("started", extra=where)

    def stop() -> None:
        background.stop()
        lifecycle().info("stopped", extra=where)

    Finalize(None, stop, exitpriority=100)
    return app


def die_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends, however hard: no worker is left behind."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
