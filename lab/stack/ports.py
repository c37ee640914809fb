"""Ports: is one free, who holds it, and a claim that keeps two stacks from choosing the same ones.

Two stacks that start at the same moment both find a port free, and the second one's health check is then answered
by the first one's service. A claim prevents that: a bound UDP socket with the number of each TCP port. The two number
spaces are apart, so it hinders nobody, and the kernel gives it back when its last holder dies, however that happens.
"""

from __future__ import annotations

import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from lab.errors import StackError
from lab.model.target import PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

LOOPBACK: Final = "127.0.0.1"

_HIGHEST: Final = 65535
_OFFSETS: Final = range(0, 28000, 100)
"""Offsets that are tried when the standard ports are taken: all below the ports that systems give to clients."""
_ANY: Final = range(20000, 32000)
"""Where a server goes whose port is nobody's business: below the ports that systems give to clients, too."""
_TRIES: Final = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """A port that somebody holds."""

    service: str
    port: int
    holder: str

    def sentence(self) -> str:
        """Say who holds the port and what helps."""
        return (
            f"port {self.port} ({self.service}) is held by {self.holder}; "
            "stop it, or move all ports with --port-offset N"
        )


class Claim:
    """A set of ports that no other stack will take while this process, or one that inherited the claim, lives."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self._sockets = sockets

    @property
    def handles(self) -> tuple[int, ...]:
        """The file descriptors that a supervisor inherits so that it keeps the claim."""
        return tuple(sock.fileno() for sock in self._sockets)

    def __enter__(self) -> Self:
        """Give the claim itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give this process's share of the claim back."""
        for sock in self._sockets:
            sock.close()


def claim(port_offset: int) -> Claim:
    """Claim the ports of a stack after finding them free.

    Raises:
        StackError: the offset leads out of the range of ports, or a port is taken (it says by whom).
    """
    if any(not 0 < port + port_offset <= _HIGHEST for port in PORTS.values()):
        raise StackError(f"--port-offset {port_offset} leads to ports that do not exist; they end at {_HIGHEST}")
    held: list[socket.socket] = []
    try:
        for service, standard in PORTS.items():
            held.append(_claim_one(service, standard + port_offset))
    except BaseException:
        Claim(held).__exit__(None, None, None)
        raise
    return Claim(held)


def claim_next() -> tuple[int, Claim]:
    """Claim the standard ports, or those of the next offset whose five ports are all free.

    Raises:
        StackError: no offset is free.
    """
    for offset in _OFFSETS:
        with suppress(StackError):
            return offset, claim(offset)
    raise StackError(f"no five free ports at any offset up to {_OFFSETS[-1]}; stop what holds them")


def claim_any(server: str) -> tuple[int, Claim]:
    """Claim some port that is free.

    Raises:
        StackError: none was found.
    """
    for _ in range(_TRIES):
        port = _ANY[secrets.randbelow(len(_ANY))]
        with suppress(StackError):
            return port, Claim([_claim_one(server, port)])
    raise StackError(f"no free port for {server} from {_ANY[0]} to {_ANY[-1]}; stop what holds them")


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        # As servers do: connections that are merely closing are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Say who listens on a port: pid, name and command, as far as this user may see it."""
    import psutil  # noqa: PLC0415 - only wanted when something is in the way

    for pid in _listeners(port):
        with suppress(psutil.Error):
            process = psutil.Process(pid)
            command = " ".join(process.cmdline())
            shown = command if len(command) <= 80 else command[:79] + "…"  # noqa: PLR2004 - one line of a terminal
            return f"pid {pid} ({process.name()}): {shown}"
        return f"pid {pid}"
    return f"a process that this user may not see (as root: ss -ltnp 'sport = :{port}')"


def _claim_one(service: str, port: int) -> socket.socket:
    if not is_free(port):
        raise StackError(Taken(service, port, holder(port)).sentence())
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.bind((LOOPBACK, port))
    except OSError:
        sock.close()
        raise StackError(Taken(service, port, "another stack that is starting").sentence()) from None
    return sock


def _listeners(port: int) -> Iterator[int]:
    """Give the processes that listen on a port, as far as this user may see them."""
    import psutil  # noqa: PLC0415 - as in holder

    try:
        table = [(found.pid, found.status, found.laddr) for found in psutil.net_connections(kind="tcp")]
    except psutil.AccessDenied:
        # Where the whole table is closed to users (macOS), one's own processes can still be asked one by one.
        table = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                table += [(process.pid, found.status, found.laddr) for found in process.net_connections(kind="tcp")]
    for pid, status, address in table:
        if pid and status == psutil.CONN_LISTEN and address and address.port == port:
            yield pid
