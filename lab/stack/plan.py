"""What the supervisor is asked to start: commands and environments, as pure values."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.model.target import PORTS, local_target
from lab.stack.layout import SUPERVISOR, Layout
from lab.stack.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVE: Final = "reference_services.serve"
"""The module that serves one of the services. Started by name: the lab knows the platform by its contract alone."""

PROFILES: Final = ("safe", "as-found")
"""The profiles that the bundled services know."""

CODE: Final = Path(__file__).resolve().parents[2]
"""The folder that `lab` and the services are imported from."""

_DATABASES: Final = frozenset({"auth", "flights", "booking", "reminder"})
_ON_THE_BUS: Final = frozenset({"booking", "reminder"})
_OURS: Final = frozenset({"DATABASE_URL", "BUS_URL", "SMTP_URL", "JWT_SECRET_FILE", "GATEWAY_URL"})
"""Settings that must not reach a service from the user's own environment."""


@dataclass(frozen=True, slots=True)
class Plan:
    """One stack: where, with which profile, on which ports.

    `owned` says that the stack ends with the process that started it, and its folder too unless a part died.
    """

    layout: Layout
    profile: str
    port_offset: int = 0
    owned: bool = False
    module: str = SERVE

    def port(self, service: str) -> int:
        """Give a service's port."""
        return PORTS[service] + self.port_offset

    def supervisor(self) -> list[str]:
        """Give the command that starts the supervisor of this plan."""
        command = [sys.executable, "-m", f"lab.stack.{SUPERVISOR}", str(self.layout.root)]
        command += ["--profile", self.profile, "--port-offset", str(self.port_offset), "--module", self.module]
        return [*command, "--owned"] if self.owned else command

    def service(self, service: str) -> list[str]:
        """Give the command that starts a service."""
        return [sys.executable, "-m", self.module, service]

    def environment(self, service: str, smtp_port: int, inherited: Mapping[str, str]) -> dict[str, str]:
        """Give a service's whole environment: its settings on top of what the user has set."""
        target = local_target(self.port_offset)
        values = {name: value for name, value in importable(inherited).items() if name not in _OURS}
        values |= {f"{other.upper()}_URL": target.url(other) for other in PORTS if other != "gateway"}
        values |= {"HOST": LOOPBACK, "PORT": str(self.port(service)), "PROFILE": self.profile}
        if service in _DATABASES:
            values["DATABASE_URL"] = self.layout.database(service)
        if service in _ON_THE_BUS:
            values["BUS_URL"] = self.layout.bus()
        if service == "auth":
            values["JWT_SECRET_FILE"] = str(self.layout.jwt_key)
        if service == "reminder":
            values["SMTP_URL"] = f"smtp://{LOOPBACK}:{smtp_port}"
        return values


def importable(inherited: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which a child imports the same code as this process, wherever it is started."""
    theirs = [str(Path(entry).absolute()) for entry in inherited.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return {**inherited, "PYTHONPATH": os.pathsep.join(dict.fromkeys([str(CODE), *theirs]))}
