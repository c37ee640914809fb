"""The list of revocations: whose tokens count no more although they have not ended; kept by auth, fetched by others."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from reference_services.common.errors import UpstreamDownError

if TYPE_CHECKING:
    from collections.abc import Callable

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


class State(BaseModel):
    """Who exists, and whose tokens count no more: the highest number of a user, and revocations."""

    model_config = ConfigDict(frozen=True, strict=True)

    highest: int
    revoked: list[Listed]


class Told(BaseModel):
    """What auth answers."""

    model_config = ConfigDict(frozen=True, strict=True)

    data: State


@dataclass(frozen=True, slots=True)
class Found:
    """What was fetched, and when it was asked for."""

    asked: float
    highest: int
    before: Mapping[int, int]


class Revocations:
    """The list as it was last fetched, by one thread; any number of threads may look at it.

    Args:
        auth: has it.
        keyring: proves who asks.
        clock: how old it is.
    """

    def __init__(self, auth: Upstream, keyring: Keyring, clock: Callable[[], float] = time.monotonic) -> None:
        self._auth = auth
        self._keyring = keyring
        self._clock = clock
        self._found = Found(float("-inf"), 0, {})

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
            told = Told.model_validate_json(reply.body).data
        except ValidationError as error:
            raise UpstreamDownError("auth sent no list of revocations", sent=True) from error
        self._found = Found(asked, told.highest, {one.user: one.before for one in told.revoked})
        return False

    def allows(self, claims: Claims) -> bool | None:
        """Tell whether a token still counts; None when the list is too old to say, or older than the user."""
        found = self._found
        if self._clock() - found.asked > OLDEST_S or claims.user_id > found.highest:
            return None
        return claims.issued_ms > found.before.get(claims.user_id, -1)
