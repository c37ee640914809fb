"""What the supervisor is asked to start: commands and environments, as pure values."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.model.crew import KEY_VARIABLE
from lab.model.target import PORTS, local_target
from lab.settings import VARIABLES
from lab.stack import serverfolder
from lab.stack.backend import EMBEDDED, Backend
from lab.stack.layout import MAIL, SERVERS, SERVICES, SUPERVISOR, Layout
from lab.stack.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.stack.wires import Wires

SERVE: Final = "reference_services.serve"
"""The module that serves one of the services. Started by name: the lab knows the platform by its contract alone."""

CODE: Final = Path(__file__).resolve().parents[2]
"""The folder that `lab` and the services are imported from."""

_ON_THE_BUS: Final = frozenset({"booking", "reminder"})
_HAVE_THE_KEYS: Final = frozenset({"auth", "gateway"})
_OURS: Final = frozenset({"DATABASE_URL", "BUS_URL", "SMTP_URL", "JWT_SECRET_FILE", "GATEWAY_URL"})
"""Settings that must not reach a service from the user's own environment."""
_EXTERNAL: Final = ("db_url", "amqp_url", "smtp_url")
_THE_LABS: Final = frozenset({*VARIABLES.values(), KEY_VARIABLE})
"""The lab's own settings, some of them secret: no part of the platform gets them."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One stack: where, with which profile, on which ports, on what.

    `owned` says that the stack ends with the process that started it, and its folder too unless a part died.
    """

    layout: Layout
    profile: str
    port_offset: int = 0
    owned: bool = False
    module: str = SERVE
    backend: Backend = EMBEDDED

    @property
    def parts(self) -> tuple[str, ...]:
        """What is started, in the order in which it is shown."""
        servers = SERVERS if self.backend.kind == "services" else ()
        return (*servers, *SERVICES, *((MAIL,) if self.backend.has_mail_sink else ()))

    def port(self, service: str) -> int:
        """Give a service's port."""
        return PORTS[service] + self.port_offset

    def supervisor(self) -> list[str]:
        """Give the command that starts the supervisor of this plan."""
        command = [sys.executable, "-m", f"lab.stack.{SUPERVISOR}", str(self.layout.root)]
        command += ["--profile", self.profile, "--port-offset", str(self.port_offset), "--module", self.module]
        command += ["--backend", self.backend.kind]
        return [*command, "--owned"] if self.owned else command

    def supervisor_environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """Give the supervisor's environment: URLs that may hold passwords stand there, and not in its command."""
        urls = {VARIABLES[name]: getattr(self.backend, name) for name in _EXTERNAL}
        return plain(inherited) | {name: url for name, url in urls.items() if url}

    def server(self, name: str, ports: tuple[int, ...]) -> list[str]:
        """Give the command that starts one of the stack's own servers."""
        folder = serverfolder.place(self.layout.root) / name
        numbers = [str(port) for port in ports]
        return [sys.executable, "-m", f"lab.stack.{name}", str(folder), *numbers, str(self.layout.secrets)]

    def service(self, service: str) -> list[str]:
        """Give the command that starts a service."""
        return [sys.executable, "-m", self.module, service]

    def environment(self, service: str, wires: Wires, inherited: Mapping[str, str]) -> dict[str, str]:
        """Give a service's whole environment: its settings on top of what the user has set."""
        target = local_target(self.port_offset)
        values = {name: value for name, value in plain(inherited).items() if name not in _OURS}
        values |= {f"{other.upper()}_URL": target.url(other) for other in PORTS if other != "gateway"}
        values |= {"HOST": LOOPBACK, "PORT": str(self.port(service)), "PROFILE": self.profile}
        if service in wires.databases:
            values["DATABASE_URL"] = wires.databases[service]
        if service in _ON_THE_BUS:
            values["BUS_URL"] = wires.bus
        if service in _HAVE_THE_KEYS:
            values["JWT_SECRET_FILE"] = str(self.layout.jwt_key)
        if service == "reminder":
            values["SMTP_URL"] = wires.smtp
        return values


def told_backend(kind: str, environment: Mapping[str, str]) -> Backend:
    """Give the backend that a supervisor was told of."""
    return Backend.of(kind, **{name: environment.get(VARIABLES[name], "") for name in _EXTERNAL})


def plain(inherited: Mapping[str, str]) -> dict[str, str]:
    """Give an environment for a part of the platform: it imports what this process does, and holds no setting."""
    return {name: value for name, value in importable(inherited).items() if name not in _THE_LABS}


def importable(inherited: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which a child imports the same code as this process, wherever it is started."""
    theirs = [str(Path(entry).absolute()) for entry in inherited.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**inherited, "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(CODE), *theirs]))}
