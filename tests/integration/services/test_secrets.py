"""What nobody but its owner may read: passwords, tokens and the key, in answers, in databases and in logs."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from typing import TYPE_CHECKING

from tests.integration.services.platform import API, unique, wait_until

if TYPE_CHECKING:
    from tests.integration.services.lone import Nursery
    from tests.integration.services.platform import Platform


def test_no_log_holds_a_secret(safe: Platform) -> None:
    """Whatever is done with passwords and tokens, right or wrong, no line of any log holds one of them."""
    provoke_and_look(safe)


def test_no_log_holds_a_secret_as_found(as_found: Platform) -> None:
    """Neither does the profile that logs each request."""
    provoke_and_look(as_found)


def provoke_and_look(platform: Platform) -> None:
    """Give passwords and tokens everywhere where a service might write them down, and read all logs."""
    user, secret = platform.user(), unique("secret")
    platform.secrets |= {secret, user.token.rpartition(".")[2]}
    flight = platform.flight()
    auth, gateway = platform.auth, platform.gateway
    for door, path in ((auth, f"{API}/"), (gateway, f"/auth{API}/")):
        door.call("POST", f"{path}signin", {"email": user.email, "password": secret})
        door.call("POST", f"{path}signup", {"email": user.email, "password": secret})
        door.call("POST", f"{path}signup", {"email": secret, "password": [secret]})
        door.call("POST", f"{path}signup", raw=b'{"password": "%s' % secret.encode())
        door.call("POST", f"{path}signin?password={secret}&x-access-token={user.token}", {})
        door.call("GET", f"{path}isAuthenticated", token=secret)
        door.call("GET", f"{path}isAuthenticated", token=user.token + "x")
        door.call("GET", f"{path}isAdmin?id={secret}")
    platform.gateway.call("POST", f"/bookingservice{API}/bookings", {"userId": secret}, token=user.token)
    platform.booking.call("POST", f"{API}/bookings", {}, headers={"X-User-Id": secret, "x-access-token": user.token})
    assert platform.book(flight, user).status == 200
    wait_until(lambda: bool(platform.mails(user.email)), "the booking's mail")
    platform.assert_logs_hold_no_secret()
    assert all(secret not in str(mail) for mail in platform.mails())


def test_passwords_are_kept_as_bcrypt_hashes(nursery: Nursery) -> None:
    """Untold, the service keeps a bcrypt hash of cost 10 with a salt of its own for each account, and no password."""
    key = nursery.folder / "key"
    key.write_text("k" * 32, encoding="ascii")
    settings = {"DATABASE_URL": nursery.database("auth"), "JWT_SECRET_FILE": str(key), "BCRYPT_COST": ""}
    auth = nursery.start("auth", **settings)
    users = {f"{unique('user')}@example.com": unique("pw") for _ in range(2)}
    for email, password in users.items():
        assert auth.service.call("POST", f"{API}/signup", {"email": email, "password": password}).status == 201
    with closing(sqlite3.connect(nursery.folder / "auth.db")) as database:
        rows = [
            next(row for row in database.execute("SELECT * FROM users WHERE email = ?", (email,))) for email in users
        ]
    hashes = [next(value for value in row if str(value).startswith("$2")) for row in rows]
    assert all(value.startswith("$2b$10$") for value in hashes)
    assert hashes[0] != hashes[1]
    assert all(password not in str(row) for password, row in zip(users.values(), rows, strict=True))


def test_the_key_is_its_owners_alone(safe: Platform) -> None:
    """The stack's JWT key is readable by nobody else."""
    assert stat.S_IMODE(safe.layout.jwt_key.stat().st_mode) == 0o600
