"""The keys that tokens are signed with, from a file with one key on each line; services that share it may change it.

The first key signs, all of them verify. So a key is changed by putting the new one on top, and the old one is taken out
when its last token has ended. Nobody is restarted: the file is looked at again twice a second.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jwt

from reference_services.common.errors import ConfigError
from reference_services.common.fields import INT_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_services.common.environment import Environment

ALGORITHM: Final = "HS256"
SHORTEST: Final = 32
LOOK_EVERY_S: Final = 0.5
VARIABLE: Final = "JWT_SECRET_FILE"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one moment.

    Attributes:
        first: the name of the key that signs.
        named: every key, by a name that does not tell it.
    """

    first: str
    named: Mapping[str, str] = field(repr=False)

    def sign(self, claims: Mapping[str, object]) -> str:
        """Make a token of claims."""
        return jwt.encode(dict(claims), self.named[self.first], algorithm=ALGORITHM, headers={"kid": self.first})

    def verified(self, token: str, *, audience: str | None = None) -> dict[str, Any] | None:
        """Give a token's claims; None when it has ended, names no key of these, or is none of ours."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            # A token without a name is of the time before there were several keys.
            key = self.named.get(self.first if name is None else name)
            if key is None:
                return None
            # When it was issued is by auth's clock, which may be a little before that of who reads it.
            options: jwt.types.Options = {"require": ["exp", "iat"], "verify_iat": False}
            return jwt.decode(token, key, algorithms=[ALGORITHM], options=options, audience=audience)
        except (jwt.InvalidTokenError, ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True)
class Claims:
    """What a user's token says.

    Attributes:
        user_id: whom it names.
        email: the user's address when it was issued.
        issued_ms: when it was issued, in ms since the epoch.
        ends_s: when it ends, in s since the epoch.
    """

    user_id: int
    email: str
    issued_ms: int
    ends_s: float


def claims_of(keys: Keys, token: str) -> Claims | None:
    """Read a user's token; None when it is not valid."""
    said = keys.verified(token)
    try:
        if said is None:
            return None
        issued_ms = int(said.get("iatMs", said["iat"] * 1000))
        claims = Claims(int(said["sub"]), str(said["email"]), issued_ms, float(said["exp"]))
    except (KeyError, ValueError, TypeError, OverflowError):
        return None
    return claims if 0 < claims.user_id <= INT_MAX else None


def read_token(keyring: Keyring, token: str) -> tuple[Keys, Claims | None]:
    """Read a user's token with the keys of this moment; gives those, and None when it is not valid.

    Who does not know a token's key looks into the file: who signs may have found a new one there a moment earlier.
    """
    keys = keyring.keys()
    claims = claims_of(keys, token)
    if claims is None:
        newer = keyring.renewed(keys)
        if newer is not keys:
            return newer, claims_of(newer, token)
    return keys, claims


class Keyring:
    """The keys in a file, as they are now.

    Args:
        path: the file.
        clock: tells when it is time to look again.

    Raises:
        ConfigError: it cannot be read, or holds no key that can be used.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._clock = clock
        self._lock = threading.Lock()
        self._state = self._look()
        self._keys = read_keys(path)
        self._next = clock() + LOOK_EVERY_S

    def keys(self) -> Keys:
        """Give the keys; the same object as long as the file is the same."""
        if self._clock() >= self._next:
            with self._lock:
                if self._clock() >= self._next:
                    self._read_again()
                    self._next = self._clock() + LOOK_EVERY_S
        return self._keys

    def renewed(self, keys: Keys) -> Keys:
        """Give the keys as they are now, for whom these did not do: the same object if there are no others."""
        with self._lock:
            if self._keys is keys:
                self._read_again()
        return self._keys

    def _read_again(self) -> None:
        state = self._look()
        if state == self._state:
            return
        try:
            self._keys = read_keys(self._path)
        except ConfigError as problem:
            log.warning("the keys stay as they were: %s", problem)
        self._state = state

    def _look(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_mtime_ns, found.st_ino, found.st_size


def read_keys(path: Path) -> Keys:
    """Read a file of keys.

    Raises:
        ConfigError: it cannot be read, holds none, or one that is too short.
    """
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"{VARIABLE}: {path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{VARIABLE}: {path} holds no text") from error
    keys = [line.strip() for line in lines if line.strip()]
    if not keys or any(len(key) < SHORTEST for key in keys):
        raise ConfigError(f"{VARIABLE}: {path} holds a key of fewer than {SHORTEST} characters; make a longer one")
    named = {hashlib.sha256(f"name of {key}".encode()).hexdigest()[:12]: key for key in keys}
    return Keys(next(iter(named)), named)


def keyring_of(env: Environment) -> Keyring:
    """Open the keyring that the environment names.

    Raises:
        ConfigError: it names none, or one that cannot be used.
    """
    return Keyring(Path(env.text(VARIABLE)))
