"""The auth service's table and the bodies that it takes."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from sqlalchemy import BigInteger, Boolean, Column, Integer, MetaData, String, Table, false

from reference_services.common.columns import Timestamp
from reference_services.common.fields import Body, Email, Id, Query, QueryId, one_line

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("email", String(191), nullable=False, unique=True),
    Column("passwordHash", String(72), nullable=False),
    Column("isAdmin", Boolean, nullable=False, server_default=false()),
    Column("createdAt", Timestamp, nullable=False),
    Column("updatedAt", Timestamp, nullable=False),
)

# Whose tokens count no more: those of a user that were issued until a moment, in ms since the epoch. Whoever removes an
# account by hand writes a row here, too.
revocations = Table(
    "revocations",
    metadata,
    Column("userId", Integer, primary_key=True, autoincrement=False),
    Column("before", BigInteger, nullable=False),
)

NewPassword = Annotated[str, StringConstraints(min_length=4, max_length=50), AfterValidator(one_line)]
# A password that cannot exist is simply a wrong one: sign-in says 401, as to every wrong password.
GivenPassword = Annotated[str, StringConstraints(min_length=1, max_length=1000)]


class SignUp(Body):
    """A new account."""

    email: Email
    password: NewPassword


class SignIn(Body):
    """An account's e-mail address and password."""

    email: Email
    password: GivenPassword


class AdminQuery(Query):
    """Whose role is asked for."""

    id: QueryId


class AdminBody(Body):
    """Whose role is asked for."""

    id: Id
