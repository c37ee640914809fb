"""Who makes the load: one process, several on this machine, or workers on other machines that a master leads."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final

from lab.errors import ConfigError

KEY_VARIABLE: Final = "AIRBOURNE_WORKER_KEY"
"""The environment variable with the key that a master and its workers share."""
SHORTEST_KEY: Final = 12
PORT: Final = 5557
LOOPBACK: Final = "127.0.0.1"
MOST_WORKERS: Final = 1000
TOP_PORT: Final = 65_535


@dataclass(frozen=True, slots=True)
class Crew:
    """The load processes of a run.

    Attributes:
        workers: processes on this machine.
        expect: workers that come from elsewhere, started there with `airbourne-lab worker`.
        timeout: seconds to wait for them.
        bind: the address that the master listens on.
        port: its port; 0 takes a free one.
        key: the secret that master and workers share; empty for none.
    """

    workers: int = 1
    expect: int = 0
    timeout: float = 60.0
    bind: str = LOOPBACK
    port: int = PORT
    key: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be, and what would open the run to strangers.

        Raises:
            ConfigError: naming the option.
        """
        if not 0 <= self.workers <= MOST_WORKERS or not 0 <= self.expect <= MOST_WORKERS or not self.size:
            raise ConfigError(f"{self.size} workers make no load: give 1 to {MOST_WORKERS}")
        if self.timeout <= 0:
            raise ConfigError(f"--expect-timeout {self.timeout:g}: give the seconds to wait for workers, more than 0")
        if not 0 <= self.port <= TOP_PORT:
            raise ConfigError(f"--master-port {self.port}: a port is a number up to {TOP_PORT}")
        if self.key and len(self.key) < SHORTEST_KEY:
            raise ConfigError(f"{KEY_VARIABLE} has {len(self.key)} characters; give it at least {SHORTEST_KEY}")
        if not self.key and not is_loopback(self.bind):
            raise ConfigError(
                f"--bind {self.bind} opens the run to other machines, and workers are given its users' tokens: set the "
                f'same secret here and on every worker, like export {KEY_VARIABLE}="$(openssl rand -hex 16)"'
            )

    @property
    def size(self) -> int:
        """Give the number of load processes."""
        return self.workers + self.expect

    @property
    def alone(self) -> bool:
        """Tell whether one process does it without a master."""
        return self.size == 1 and not self.expect


def planned(  # noqa: PLR0913 - each is an option of `run`
    *,
    workers: int | None = None,
    master: bool = False,
    expect: int = 0,
    timeout: float = 60.0,
    bind: str = LOOPBACK,
    port: int = PORT,
    key: str = "",
    cores: int = 1,
    peak: int = 1,
) -> Crew:
    """Read the options of `run`.

    Args:
        workers: processes on this machine; None: a core less than there are, but no more than users, and none beside
            a master that leads others.
        master: lead workers on other machines.
        expect: how many.
        timeout: seconds to wait for them.
        bind: the address to listen on.
        port: the port to listen on.
        key: the shared secret.
        cores: of this machine.
        peak: the most users of the scenario.

    Raises:
        ConfigError: naming the option.
    """
    if not master:
        if expect or bind != LOOPBACK:
            raise ConfigError("--expect-workers and --bind are for workers on other machines: add --master")
        count = max(min(cores - 1, peak), 1) if workers is None else workers
        # Only this run's own processes connect: any free port will do.
        return Crew(workers=count, port=0)
    if expect < 1:
        raise ConfigError("--master: say for how many workers it should wait, like --expect-workers 2")
    return Crew(workers or 0, expect, timeout, bind, port, key)


def address(text: str) -> tuple[str, int]:
    """Read `HOST[:PORT]`, with an IPv6 host in brackets.

    Raises:
        ConfigError: it is none.
    """
    host, _, rest = text.strip().rpartition("]") if text.strip().startswith("[") else ("", "", text.strip())
    if host:
        host, port = host[1:], rest.removeprefix(":")
    else:
        host, _, port = rest.partition(":")
    if not host or (port and not (port.isdecimal() and len(port) <= len(str(TOP_PORT)) and 0 < int(port) <= TOP_PORT)):
        raise ConfigError(f"--master {text}: write HOST or HOST:PORT, like 192.168.1.10:{PORT}")
    return host, int(port or PORT)


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine only."""
    try:
        return host == "localhost" or ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
