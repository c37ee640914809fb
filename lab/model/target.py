"""A target: where the system under test answers."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from lab.errors import TargetError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

API: Final = "/api/v1"

PORTS: Final[Mapping[str, int]] = {
    "gateway": 3005,
    "auth": 3001,
    "flights": 3002,
    "booking": 3003,
    "reminder": 3004,
}
"""The platform's own ports, by service."""

PREFIXES: Final[Mapping[str, str]] = {
    "auth": "/auth",
    "flights": "/flights",
    "booking": "/bookingservice",
    "reminder": "/reminder",
}
"""The gateway's path prefix for each service behind it."""


@dataclass(frozen=True, slots=True)
class Target:
    """Base URLs of the five services, without a trailing slash and without `/api/v1`.

    Only the gateway is required: a service without a URL of its own is reached through the gateway's prefix.
    """

    gateway: str
    auth: str = ""
    flights: str = ""
    booking: str = ""
    reminder: str = ""
    name: str = "target"

    def __post_init__(self) -> None:
        """Normalise the URLs.

        Raises:
            TargetError: a URL is not http(s) with a host.
        """
        for service in PORTS:
            url = str(getattr(self, service)).rstrip("/")
            if not url and service != "gateway":
                url = self.gateway.rstrip("/") + PREFIXES[service]
            parts = _parts(url)
            if parts is None:
                raise TargetError(f'{service} = "{url}" is no URL of the kind http://host:port')
            if parts.username or parts.password:
                raise TargetError(f"{service}: a URL may hold no user name or password, since runs record it")
            object.__setattr__(self, service, url)

    def url(self, service: str) -> str:
        """Give a service's base URL, without `/api/v1`."""
        return str(getattr(self, service))

    def through_gateway(self, service: str) -> str:
        """Give the URL under which the gateway forwards to a service."""
        return self.gateway + PREFIXES[service]

    def hosts(self) -> frozenset[str]:
        """Give the host names that load or seeding would go to."""
        return frozenset(urlsplit(self.url(service)).hostname or "" for service in PORTS)

    @classmethod
    def from_mapping(cls, values: Mapping[str, object], where: str) -> Target:
        """Build a target from the keys of a TOML file or of options.

        Args:
            values: service name → URL, and optionally `name`.
            where: what to call the source in an error.

        Raises:
            TargetError: an unknown key, a value that is no text, or no gateway.
        """
        known = {field.name for field in fields(cls)}
        for key, value in values.items():
            if key not in known:
                raise TargetError(f'{where}: unknown key "{key}"{nearest(key, known)}')
            if not isinstance(value, str):
                raise TargetError(f"{where}: {key} must be a URL in quotes")
        if not values.get("gateway"):
            raise TargetError(f'{where}: no gateway; add a line like gateway = "http://127.0.0.1:3005"')
        try:
            return cls(**{key: str(value) for key, value in values.items()})
        except TargetError as error:
            raise TargetError(f"{where}: {error}") from None


def _parts(url: str) -> SplitResult | None:
    """Take a URL apart; None when it is none of the kind http://host:port."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # a broken IPv6 address, or a port that is no number from 0 to 65535
        return None
    return parts if usable and not parts.query and not parts.fragment else None


def local_target(port_offset: int = 0) -> Target:
    """Give the bundled stack's target: loopback, the platform's ports moved by `port_offset`."""
    urls = {service: f"http://127.0.0.1:{port + port_offset}" for service, port in PORTS.items()}
    return Target(**urls, name="local")


def is_private(address: str) -> bool:
    """Tell whether an IP address is loopback, link-local or in a private range.

    Raises:
        ValueError: `address` is no IP address.
    """
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or ip.is_private or ip.is_link_local
