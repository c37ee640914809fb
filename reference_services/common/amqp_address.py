"""Where a RabbitMQ is: `amqp://user:password@host:port/vhost`, `amqps://…`, and what may follow."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from pika import ConnectionParameters, PlainCredentials, SSLOptions

from reference_services.common.errors import ConfigError
from reference_services.common.tls import client_context, read_options

PORTS = {"amqp": 5672, "amqps": 5671}
KNOWN = ("cafile", "heartbeat", "verify")
HEARTBEAT_S = 20
LONGEST_HEARTBEAT_S = 3600
# TCP, TLS and login together.
CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class AmqpAddress:
    """Where a RabbitMQ is, and who asks.

    Attributes:
        host: its host.
        port: its port.
        virtual_host: the virtual host, `/` when the URL has no path.
        user: who logs in.
        password: with which password.
        heartbeat_s: a peer that is silent for this many seconds counts as gone.
        tls: how the connection is encrypted; None when it is not.
    """

    host: str
    port: int
    virtual_host: str
    user: str
    password: str = field(repr=False)
    heartbeat_s: int
    tls: ssl.SSLContext | None

    @classmethod
    def parse(cls, url: str) -> AmqpAddress:
        """Read `BUS_URL`; no sentence repeats the URL, because it holds a password.

        Raises:
            ConfigError: it is no such URL, or an option of it is wrong.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.scheme not in PORTS:
            raise ConfigError("BUS_URL: is no amqp://user:password@host:port/vhost with a port up to 65535")
        options = read_options("BUS_URL", parts.query, KNOWN)
        encrypted = parts.scheme == "amqps"
        if not encrypted and options.keys() & {"cafile", "verify"}:
            raise ConfigError("BUS_URL: cafile and verify are for amqps://; amqp:// is not encrypted")
        return cls(
            host=host,
            port=port or PORTS[parts.scheme],
            virtual_host=unquote(parts.path[1:]) or "/",
            user=unquote(parts.username or "guest"),
            password=unquote(parts.password if parts.password is not None else "guest"),
            heartbeat_s=_heartbeat(options.get("heartbeat", str(HEARTBEAT_S))),
            tls=client_context("BUS_URL", options) if encrypted else None,
        )

    @property
    def name(self) -> str:
        """What sentences call it."""
        return f"RabbitMQ at {self.host}:{self.port}"

    def parameters(self) -> ConnectionParameters:
        """Give what pika connects with."""
        return ConnectionParameters(
            host=self.host,
            port=self.port,
            virtual_host=self.virtual_host,
            credentials=PlainCredentials(self.user, self.password),
            heartbeat=self.heartbeat_s,
            ssl_options=None if self.tls is None else SSLOptions(self.tls, self.host),
            socket_timeout=CONNECT_S,
            stack_timeout=CONNECT_S,
            connection_attempts=1,
            client_properties={"connection_name": "airbourne"},
        )


def _heartbeat(text: str) -> int:
    if not (re.fullmatch(r"[0-9]{1,4}", text) and 1 <= int(text) <= LONGEST_HEARTBEAT_S):
        raise ConfigError(f'BUS_URL: heartbeat is a number of seconds, 1 to {LONGEST_HEARTBEAT_S}, not "{text}"')
    return int(text)
