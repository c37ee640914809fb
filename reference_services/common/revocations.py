"""The list of revocations: whose tokens count no more although they have not ended; kept by auth, fetched by others."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from reference_services.common.errors import UpstreamDownError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reference_services.common.client import Upstream
    from reference_services.common.keyring import Claims, Keyring

AUDIENCE: Final = "revocations"
PROOF_S: Final = 10
"""How long a proof of who asks is valid; longer than any call takes."""
OLDEST_S: Final = 1.0
"""A list that was asked for longer ago decides nothing."""
FETCH_EVERY_S: Final = 0.3
PATIENCE_S: Final = 0.5
OK: Final = 200


class Listed(BaseModel):
    """One user's revocation: tokens that were issued until `before` (ms since the epoch) count no more."""

    model_config = ConfigDict(frozen=True, strict=True)

    user: int
    before: int


class Told(BaseModel):
    """What auth answers."""

    model_config = ConfigDict(frozen=True, strict=True)

    data: list[Listed]


class Revocations:
    """The list as it was last fetched; any number of threads may look at it.

    Args:
        auth: has it.
        keyring: proves who asks.
        clock: how old it is.
    """

    def __init__(self, auth: Upstream, keyring: Keyring, clock: Callable[[], float] = time.monotonic) -> None:
        self._auth = auth
        self._keyring = keyring
        self._clock = clock
        self._lock = threading.Lock()
        self._found: tuple[float, Mapping[int, int]] = (float("-inf"), {})

    def fetch(self) -> bool:
        """Fetch it; never anything more to do at once.

        Raises:
            UpstreamError: auth did not answer, or not with a list.
        """
        # Counted from before the question: what is revoked while the answer is on its way is not in it.
        asked, moment = self._clock(), int(time.time())
        proof = self._keyring.keys().sign({"aud": AUDIENCE, "iat": moment, "exp": moment + PROOF_S})
        reply = self._auth.call("GET", "/api/v1/revocations", headers={"x-access-token": proof})
        if reply.status != OK:
            raise UpstreamDownError(reply.complaint("auth"), sent=True)
        try:
            told = Told.model_validate_json(reply.body)
        except ValidationError as error:
            raise UpstreamDownError("auth sent no list of revocations", sent=True) from error
        with self._lock:
            self._found = max(self._found, (asked, {one.user: one.before for one in told.data}), key=lambda one: one[0])
        return False

    def allows(self, claims: Claims) -> bool | None:
        """Tell whether a token still counts; None when the list is too old to say."""
        asked, listed = self._found
        if self._clock() - asked > OLDEST_S:
            return None
        return claims.issued_ms > listed.get(claims.user_id, -1)
