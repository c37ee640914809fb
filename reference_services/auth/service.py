"""What the auth service does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from reference_services.auth.models import revocations, users
from reference_services.auth.tokens import now_ms
from reference_services.common.clock import iso, now
from reference_services.common.database import new_id
from reference_services.common.errors import Refusal, unknown

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from reference_services.auth.models import SignIn, SignUp
    from reference_services.auth.passwords import Passwords
    from reference_services.auth.tokens import Tokens
    from reference_services.common.database import Database

INSERT = insert(users)
HOLDER = (
    select(users.c.email, revocations.c.before)
    .outerjoin_from(users, revocations, revocations.c.userId == users.c.id)
    .where(users.c.id == bindparam("id"))
)
REVOKE = (
    update(revocations)
    .where(revocations.c.userId == bindparam("user"))
    .values(before=case((revocations.c.before < bindparam("moment"), bindparam("moment")), else_=revocations.c.before))
)
REVOKE_FIRST = insert(revocations)
HIGHEST = select(func.max(users.c.id))
REVOKED = select(revocations).where(revocations.c.before > bindparam("since"))
ADMIN_OF = select(users.c.isAdmin).where(users.c.id == bindparam("id"))
ACCOUNT_OF = select(users.c.id, users.c.passwordHash).where(users.c.email == bindparam("email"))


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a token names, and when it was issued, in ms since the epoch."""

    id: int
    email: str
    issued_ms: int


class AuthService:
    """Accounts in a database, and the tokens that name them."""

    def __init__(self, database: Database, passwords: Passwords, tokens: Tokens) -> None:
        self._database = database
        self._passwords = passwords
        self._tokens = tokens

    def sign_up(self, wish: SignUp) -> dict[str, Any]:
        """Make an account.

        Raises:
            Refusal: 409, the address is taken.
        """
        if self._account(wish.email):
            raise _taken()
        hashed = self._passwords.hash(wish.password)
        moment = now()
        row = {"email": wish.email, "passwordHash": hashed, "createdAt": moment, "updatedAt": moment}
        try:
            made = self._database.write(lambda connection: new_id(connection.execute(INSERT, row)))
        except IntegrityError:
            raise _taken() from None
        stamp = iso(moment)
        return {"id": made, "email": wish.email, "createdAt": stamp, "updatedAt": stamp}

    def sign_in(self, given: SignIn) -> dict[str, Any]:
        """Make a token.

        Raises:
            Refusal: 401, the same for an unknown address and a wrong password.
        """
        account = self._account(given.email)
        if not self._passwords.matches(given.password, account.passwordHash if account else None) or not account:
            raise Refusal(401, "The e-mail address or the password is wrong.", {"credentials": "wrong"})
        return {"token": self._tokens.issue(account.id, given.email), "id": account.id}

    def account(self, token: str | None) -> Account:
        """Give whom a token names.

        Raises:
            Refusal: 401, there is no token, it is not valid, or its user is gone.
        """
        if not token:
            raise Refusal(401, "The header x-access-token is missing.", {"x-access-token": "missing"})
        claims = self._tokens.claims(token)
        if claims is not None:
            holder = self._database.read(lambda connection: connection.execute(HOLDER, {"id": claims.user_id}).first())
            if holder is not None and (holder.before is None or claims.issued_ms > holder.before):
                return Account(claims.user_id, holder.email, claims.issued_ms)
        raise Refusal(401, "The token is not valid (any more); sign in again.", {"x-access-token": "not valid"})

    def sign_out(self, token: str | None) -> int:
        """Let no token of a user count that was issued until now; give the user's id.

        Raises:
            Refusal: 401, as for `account`.
        """
        account = self.account(token)
        user_id = account.id
        # The clock may have been ahead when the token was issued, here or at another process of ours.
        values = {"user": user_id, "moment": max(now_ms(), account.issued_ms)}

        def revoke(connection: Connection) -> None:
            if not connection.execute(REVOKE, values).rowcount:
                connection.execute(REVOKE_FIRST, {"userId": user_id, "before": values["moment"]})

        try:
            self._database.write(revoke)
        except IntegrityError:
            # The user signed out twice at the same moment; now there is a row.
            self._database.write(revoke)
        return user_id

    def revoked(self, proof: str | None) -> dict[str, Any]:
        """Give the highest number of a user, and those users of whom tokens that have not ended count no more.

        Raises:
            Refusal: 401, who asks does not have the keys.
        """
        if not proof or not self._tokens.is_of_the_gateway(proof):
            raise Refusal(
                401, "The list of revocations is for services that check tokens.", {"x-access-token": "proof"}
            )
        since = now_ms() - 1000 * self._tokens.lifetime_s
        # In this order: whoever is counted has no revocation that is not in the list.
        highest = self._database.read(lambda connection: connection.execute(HIGHEST).scalar()) or 0
        rows = self._database.read(lambda connection: connection.execute(REVOKED, {"since": since}).all())
        return {"highest": highest, "revoked": [{"user": row.userId, "before": row.before} for row in rows]}

    def is_admin(self, user_id: int) -> bool:
        """Tell whether a user is an administrator.

        Raises:
            Refusal: 404, there is no such user.
        """
        role = self._database.read(lambda connection: connection.execute(ADMIN_OF, {"id": user_id}).scalar())
        if role is None:
            raise unknown("user", user_id)
        return bool(role)

    def _account(self, email: str) -> Row[*tuple[Any, ...]] | None:
        return self._database.read(lambda connection: connection.execute(ACCOUNT_OF, {"email": email}).first())


def _taken() -> Refusal:
    return Refusal(409, "This e-mail address has an account already.", {"email": "taken"})
