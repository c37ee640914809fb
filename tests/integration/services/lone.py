"""Single services that a test starts itself, with settings of its own, to kill them and start them again."""

from __future__ import annotations

import os
import random
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Self

from lab.stack.brood import Brood
from lab.stack.plan import importable
from lab.stack.ports import is_free
from tests.integration.services.client import Service
from tests.integration.services.platform import unique, wait_until

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lab.stack.brood import Child
    from tests.real import MariaDB


OK = 200
SERVE = "reference_services.serve"
MUTANTS = "tests.integration.services.mutants"


class Lone:
    """One service; `start` after `kill` starts it again, with the same settings on the same port."""

    def __init__(self, brood: Brood, folder: Path, name: str, settings: Mapping[str, str], mutant: str = "") -> None:
        self._brood = brood
        self._name = name
        self._module = [MUTANTS, mutant] if mutant else [SERVE]
        self.port = free_port()
        self.log = folder / f"{name}-{self.port}.log"
        self._settings = {"HOST": "127.0.0.1", "PORT": str(self.port), "PROFILE": "safe", **settings}
        self.service = Service(f"http://127.0.0.1:{self.port}")
        self._child: Child | None = None

    def start(self) -> Self:
        """Start it and wait until it answers, whatever its `/health` says of others."""
        self.launch()
        wait_until(self._answers, f"{self._name} answers; its log: {self.log}")
        return self

    def launch(self) -> None:
        """Start it and wait for nothing."""
        environment = importable({**os.environ, **self._settings})
        command = [sys.executable, "-m", *self._module, self._name]
        self._child = self._brood.start(command, self.log, environment)

    def wait_ready(self) -> None:
        """Wait until it answers, and is ready."""
        wait_until(self._answers, f"{self._name} answers; its log: {self.log}")
        wait_until(lambda: self.service.send("GET", "/health").status == OK, f"{self._name} is ready")

    def ending(self) -> str | None:
        """Say how it ended; None while it runs."""
        assert self._child is not None
        return self._child.ending()

    @property
    def pid(self) -> int:
        """Its first process."""
        assert self._child is not None
        return self._child.pid

    @property
    def said(self) -> str:
        """Its log."""
        return self.log.read_text(encoding="utf-8")

    def kill(self) -> None:
        """Kill it and its workers, as hard as can be."""
        assert self._child is not None
        os.killpg(self._child.pid, signal.SIGKILL)
        self._child.process.wait()
        wait_until(lambda: not self._listens(), f"{self._name} is gone")

    def stop(self) -> None:
        """Stop it in good order."""
        self.service.close()
        if self._child is not None:
            self._brood.stop([self._child], 4.0, time.sleep)

    def _answers(self) -> bool:
        assert self._child is not None
        ending = self._child.ending()
        assert ending is None, f"{self._name} ended with {ending}: {self.log.read_text(encoding='utf-8')[-800:]}"
        return self._listens() and self.service.send("GET", "/openapi.json").status == 200

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


class Nursery:
    """Starts single services and leaves none behind, also when the test is killed.

    Args:
        folder: where their logs are, and their files.
        server: has their databases; None for files.
    """

    def __init__(self, folder: Path, server: MariaDB | None = None) -> None:
        self.folder = folder
        self._server = server
        self._databases: dict[str, str] = {}
        self._brood = Brood()
        self._all: list[Lone] = []

    def __enter__(self) -> Self:
        """Give the nursery itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop what was started."""
        for lone in self._all:
            lone.stop()
        self._brood.close()

    def start(self, name: str, **settings: str) -> Lone:
        """Start a service with these settings on a free port."""
        return self.born(name, **settings).start()

    def start_mutant(self, mutant: str, name: str, **settings: str) -> Lone:
        """Start a service that has a fault (mutants.py)."""
        lone = Lone(self._brood, self.folder, name, settings, mutant)
        self._all.append(lone)
        return lone.start()

    def born(self, name: str, **settings: str) -> Lone:
        """Give a service that is not started, with these settings and a free port."""
        lone = Lone(self._brood, self.folder, name, settings)
        self._all.append(lone)
        return lone

    def database(self, name: str) -> str:
        """Give the URL of a database of the nursery's own."""
        if self._server is None:
            return f"sqlite:///{self.folder / name}.db"
        if name not in self._databases:
            self._databases[name] = self._server.url(unique(name))
        return self._databases[name]

    @property
    def bus(self) -> str:
        """The URL of the nursery's own bus."""
        return f"queue://{self.folder / 'bus'}"


def free_port() -> int:
    """Give a free port between those of stacks and those that systems give to clients.

    A port of the clients' range could be lost to a connection between a kill and the next start.
    """
    return next(port for port in random.sample(range(31100, 32700), 1600) if is_free(port))
