"""Find the target that the user means, and make sure that load goes nowhere else."""

from __future__ import annotations

import socket
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import TargetError
from lab.model.target import Target, is_private

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = "targets"


def load(reference: str, root: Path, overrides: Mapping[str, str]) -> Target:
    """Read a target file and let single URLs from the command line override it.

    Args:
        reference: a path that ends in `.toml`, or a NAME for `NAME.toml` here or in `ROOT/targets/`; empty for a target
            of the overrides alone.
        root: the lab's folder (`.airbourne`).
        overrides: service → URL; empty ones are left out.

    Raises:
        TargetError: there is no such file, or it names no usable target.
    """
    given = {service: url for service, url in overrides.items() if url}
    if not reference:
        return Target.from_mapping({"name": "target", **given}, "the URLs given")
    path = _find(reference, root)
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, or a number of thousands of digits
        raise TargetError(f"{path}: no valid TOML: {error}") from None
    except OSError as error:
        raise TargetError(f"{path} cannot be read: {error.strerror}") from None
    return Target.from_mapping({"name": path.stem, **table, **given}, str(path))


def _find(reference: str, root: Path) -> Path:
    if reference.endswith(".toml"):
        candidates = [Path(reference)]
    else:
        candidates = [Path(f"{reference}.toml"), root / FOLDER / f"{reference}.toml"]
    for path in candidates:
        if path.is_file():
            return path
    places = " or ".join(str(path) for path in candidates)
    raise TargetError(f'there is no target "{reference}": no file {places}; it holds lines like gateway = "http://…"')


def require_private(target: Target, *, allow_public: bool) -> None:
    """Refuse to send load beyond loopback and private ranges, unless the user says so.

    Raises:
        TargetError: a host is unknown, or has a public address.
    """
    for host in sorted(target.hosts()):
        try:
            addresses = {str(info[4][0]) for info in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError):  # no such host, or no host name at all
            raise TargetError(f'target "{target.name}": the host "{host}" is unknown') from None
        public = sorted(address for address in addresses if not is_private(address.partition("%")[0]))
        if public and not allow_public:
            what = "is" if public[0] == host else f"is {public[0]},"
            raise TargetError(
                f'target "{target.name}": {host} {what} a public address; '
                "load goes there only with --allow-public, and only to what is yours"
            )


def require_answering(target: Target) -> None:
    """Ask the gateway whether it is there, before anything is built on it.

    Raises:
        TargetError: it is not, or says that it is not ready.
    """
    from lab.stack.health import check  # noqa: PLC0415 - an HTTP client is not for `--help`

    reason = check(target.gateway, timeout=3.0)
    if reason is not None:
        raise TargetError(f'target "{target.name}": the gateway {target.gateway} {reason}: is the platform up?')
