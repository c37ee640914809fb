"""Users: signed up once, signed in once, and their tokens kept for as long as they are good."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from lab.errors import SeedError
from lab.model.dataset import Member
from lab.platform import identity
from seeders.ensure import TAKEN, Work, each
from seeders.events import Progress
from seeders.tokens import expiry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lab.platform import Client
    from seeders.plan import PlannedUser

UNKNOWN: Final = 401
ANOTHER_SEED: Final = "seed with another --rng-seed"
SEED_AGAIN: Final = "it was started afresh since it was filled: fill it again with `airbourne-lab seed`"


def join(client: Client, user: PlannedUser, known: Member | None, valid_for_s: float) -> tuple[Member, bool]:
    """Make sure that a user is signed up and has a token that is good for a while.

    Args:
        client: calls the target.
        user: whom to sign up.
        known: the same user as an earlier run left it.
        valid_for_s: how long the token must still be good for, in s.

    Returns:
        the member, and whether it was created.

    Raises:
        SeedError: the target refused, or somebody else has this e-mail address.
    """
    if known and still_good(client, known, valid_for_s):
        return known, False
    fields = {"email": user.email, "password": user.password}
    answer = client.post("auth", "/signup", fields, accept=(TAKEN,))
    return sign_in(client, user.email, user.password, ANOTHER_SEED), answer.status != TAKEN


def sign_in(client: Client, email: str, password: str, remedy: str) -> Member:
    """Fetch a user's token; `remedy` says what helps when the target does not know the user.

    Raises:
        SeedError: the target refused, or does not know the user by this password.
    """
    fields = {"email": email, "password": password}
    answer = client.post("auth", "/signin", fields, accept=(UNKNOWN,))
    if answer.status == UNKNOWN:
        raise SeedError(f"user {email}: the target has no such user with our password; {remedy}")
    data: Any = answer.data
    token = data.get("token") if isinstance(data, dict) else None
    if not isinstance(token, str) or not token:
        raise SeedError("POST /signin: the answer has no token")
    return Member(identity(data, "POST /signin"), email, password, token, expiry(token, time.time()))


def still_good(client: Client, member: Member, valid_for_s: float) -> bool:
    """Tell whether a member's token lasts, and whether the target still takes it for this user's.

    Raises:
        CallError: the target refused to tell.
    """
    if not member.token or member.token_expires < time.time() + valid_for_s:
        return False
    answer = client.get("auth", "/isAuthenticated", token=member.token, accept=(UNKNOWN, 404))
    return answer.status not in {UNKNOWN, 404} and str(answer.data) == str(member.id)


def seed_users(
    work: Work,
    users: Sequence[PlannedUser],
    joined: Callable[[PlannedUser], tuple[Member, bool]],
    on_member: Callable[[Member], None],
) -> list[Member]:
    """Make sure that the planned users exist and have tokens; give them in the plan's order.

    `joined` does it for one user, like `join`.

    Raises:
        CallError: the target refused, or went away.
    """
    members: dict[str, Member] = {}
    created = 0

    def note(_user: PlannedUser, result: tuple[Member, bool]) -> None:
        nonlocal created
        member, is_new = result
        members[member.email] = member
        created += is_new
        on_member(member)
        done = len(members)
        work.on_progress(Progress("users", done, len(users), created, done - created))

    work.on_progress(Progress("users", 0, len(users)))
    each(work, joined, users, note)
    return [members[user.email] for user in users]


def refresh(work: Work, members: Sequence[Member], valid_for_s: float, on_member: Callable[[Member], None]) -> None:
    """Sign in those members whose tokens are not good for long enough, and hand each to `on_member`.

    Raises:
        SeedError: the target refused, or does not know a user.
    """
    created, done = 0, 0

    def renewed(member: Member) -> Member | None:
        if still_good(work.client, member, valid_for_s):
            return None
        fresh = sign_in(work.client, member.email, member.password, SEED_AGAIN)
        return replace(member, id=fresh.id, token=fresh.token, token_expires=fresh.token_expires)

    def note(_member: Member, fresh: Member | None) -> None:
        nonlocal created, done
        done += 1
        if fresh:
            created += 1
            on_member(fresh)
        work.on_progress(Progress("tokens", done, len(members), created, done - created))

    work.on_progress(Progress("tokens", 0, len(members)))
    each(work, renewed, members, note)
