"""The servers' programs on this machine: where they are, and how to install one that is missing."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from lab.errors import StackError

PLACES: Final = (
    "/usr/sbin",
    "/sbin",
    "/usr/libexec",
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/local/mysql/bin",
    "/opt/homebrew/sbin",
    "/opt/homebrew/bin",
    "/usr/lib/rabbitmq/bin",
)
"""Where packages put servers and a user's PATH does not always lead."""

_DATABASE: Final = ("mariadbd", "mysqld")
_BROKER: Final = "rabbitmq-server"
_DEBIAN_WRAPPER: Final = "rabbitmq-script-wrapper"
"""It changes the user and goes to the system's own folders; the script that it calls stands beside it."""

_INSTALL: Final = {
    "MariaDB": ("mariadb-server", "mariadb-server", "mariadb"),
    "RabbitMQ": ("rabbitmq-server", "rabbitmq-server", "rabbitmq"),
}


def database() -> Path:
    """Give MariaDB's server, or MySQL's.

    Raises:
        StackError: neither is installed.
    """
    for name in _DATABASE:
        found = _which(name)
        if found is not None:
            return found.resolve()
    raise _missing("MariaDB", " or ".join(_DATABASE))


def database_maker() -> Path:
    """Give the program that makes the system tables of a new MariaDB server.

    Raises:
        StackError: it is not installed.
    """
    found = _which("mariadb-install-db") or _which("mysql_install_db")
    if found is None:
        raise _missing("MariaDB", "mariadb-install-db")
    return found


def broker() -> Path:
    """Give RabbitMQ's start script.

    Raises:
        StackError: it is not installed.
    """
    found = _which(_BROKER)
    if found is None:
        raise _missing("RabbitMQ", _BROKER)
    real = found.resolve()
    return real.with_name(_BROKER) if real.name == _DEBIAN_WRAPPER else real


def require() -> None:
    """Look for all that the backend `services` starts, before anything is started.

    Raises:
        StackError: a program is missing; it says which, and how to install it.
    """
    database()
    broker()


def _which(name: str) -> Path | None:
    found = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *PLACES]))
    return None if found is None else Path(found)


def _missing(server: str, program: str) -> StackError:
    debian, fedora, homebrew = _INSTALL[server]
    return StackError(
        f"{server} is not installed here (no {program}); install it: apt-get install {debian} (Debian, Ubuntu), "
        f"dnf install {fedora} (Fedora), brew install {homebrew} (macOS); or use --backend embedded"
    )
