"""What the URLs of brokers and mail servers say after their question mark, and the TLS that they ask for."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from reference_services.common.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

YES_NO = {"yes": True, "no": False}


def read_options(variable: str, query: str, known: Collection[str]) -> dict[str, str]:
    """Read `name=value&…`.

    Raises:
        ConfigError: a name is not known, or stands twice.
    """
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        if name not in known:
            raise ConfigError(f'{variable}: the option "{name}" is not known; known are: {", ".join(sorted(known))}')
        if name in found:
            raise ConfigError(f'{variable}: the option "{name}" stands twice')
        found[name] = value
    return found


def client_context(variable: str, options: Mapping[str, str]) -> ssl.SSLContext:
    """Make the TLS of a client: the server's certificate is verified, unless `verify=no`; `cafile=` names who signs.

    Raises:
        ConfigError: an option's value is wrong, or the file cannot be used.
    """
    cafile, verify = options.get("cafile"), options.get("verify", "yes")
    if verify not in YES_NO:
        raise ConfigError(f'{variable}: verify is "yes" or "no", not "{verify}"')
    try:
        context = ssl.create_default_context(cafile=cafile)
    except OSError as error:
        raise ConfigError(f"{variable}: the cafile {cafile} cannot be used: {error.strerror or error}") from error
    if not YES_NO[verify]:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
