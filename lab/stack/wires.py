"""What leads from the services to databases, broker and mail server: URLs, for each kind of backend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lab.stack import mariadb, rabbitmq
from lab.stack.dburl import DatabaseUrl
from lab.stack.layout import MARIADB, RABBITMQ
from lab.stack.passwords import password
from lab.stack.ports import LOOPBACK

if TYPE_CHECKING:
    from lab.stack.backend import Backend
    from lab.stack.layout import Layout


@dataclass(frozen=True, slots=True)
class Wires:
    """The URLs that services get in their environment, and nowhere else: there may be passwords in them."""

    databases: Mapping[str, str] = field(repr=False)
    bus: str = field(repr=False)
    smtp: str = field(repr=False)


def lay(backend: Backend, layout: Layout, ports: Mapping[str, int], smtp_port: int | None) -> Wires:
    """Give the wires of a stack.

    Args:
        backend: what the services stand on.
        layout: the stack's folder.
        ports: where the stack's own servers listen.
        smtp_port: where the mail sink listens; None without one.
    """
    smtp = backend.smtp_url if smtp_port is None else f"smtp://{LOOPBACK}:{smtp_port}"
    if backend.kind == "external":
        server = DatabaseUrl.parse(backend.db_url)
        return Wires({service: server.url(name) for service, name in server.names.items()}, backend.amqp_url, smtp)
    if backend.kind == "services":
        databases = {
            service: mariadb.url(ports[MARIADB], name, password(layout.secrets, mariadb.key(name)), name)
            for service, name in mariadb.DATABASES.items()
        }
        bus = rabbitmq.url(ports[RABBITMQ], password(layout.secrets, rabbitmq.SECRET))
        return Wires(databases, bus, smtp)
    return Wires({service: layout.database(service) for service in mariadb.DATABASES}, layout.bus(), smtp)
