"""What the auth service does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, insert, select
from sqlalchemy.exc import IntegrityError

from reference_services.auth.models import users
from reference_services.common.clock import iso, now
from reference_services.common.database import new_id
from reference_services.common.errors import Refusal, unknown

if TYPE_CHECKING:
    from sqlalchemy import Row

    from reference_services.auth.models import SignIn, SignUp
    from reference_services.auth.passwords import Passwords
    from reference_services.auth.tokens import Tokens
    from reference_services.common.database import Database

INSERT = insert(users)
EMAIL_OF = select(users.c.email).where(users.c.id == bindparam("id"))
ADMIN_OF = select(users.c.isAdmin).where(users.c.id == bindparam("id"))
ACCOUNT_OF = select(users.c.id, users.c.passwordHash).where(users.c.email == bindparam("email"))


@dataclass(frozen=True, slots=True)
class Account:
    """Whom a token names."""

    id: int
    email: str


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
        user_id = self._tokens.user_id(token)
        if user_id is not None:
            email = self._database.read(lambda connection: connection.execute(EMAIL_OF, {"id": user_id}).scalar())
            if email is not None:
                return Account(user_id, email)
        raise Refusal(401, "The token is not valid (any more); sign in again.", {"x-access-token": "not valid"})

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
