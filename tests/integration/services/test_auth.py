"""The auth service against the contract."""

from __future__ import annotations

import base64
import json
import time
from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.integration.services.platform import API, BOTH, at_once, unique

if TYPE_CHECKING:
    from tests.integration.services.platform import Platform, User


BACKENDS = BOTH


def sign_up(safe: Platform, email: str, password: str) -> int:
    """Try to make an account and give the status."""
    if len(password) > 12:  # a shorter one may stand in a log by chance
        safe.secrets.add(password)
    return safe.auth.call("POST", f"{API}/signup", {"email": email, "password": password}).status


def sign_in(safe: Platform, email: str, password: str) -> int:
    """Try to sign in and give the status."""
    return safe.auth.call("POST", f"{API}/signin", {"email": email, "password": password}).status


def test_an_account_is_shown_without_its_password(safe: Platform) -> None:
    """Sign-up gives id, e-mail and times; sign-in a token and the same id; nothing else."""
    account = {"email": f"{unique('shape')}@example.com", "password": unique("pw")}
    safe.secrets.add(account["password"])
    made = safe.auth.call("POST", f"{API}/signup", account)
    assert (made.status, set(made.data)) == (201, {"id", "email", "createdAt", "updatedAt"})
    assert made.data["email"] == account["email"]
    signed = safe.auth.call("POST", f"{API}/signin", account)
    assert (signed.status, set(signed.data)) == (200, {"token", "id"})
    assert signed.data["id"] == made.data["id"]
    safe.secrets.add(signed.data["token"])


def test_a_token_is_an_hs256_jwt_of_an_hour(safe: Platform) -> None:
    """A token is signed with the stack's key, ends after an hour, and holds no password."""
    user = safe.user()
    key = safe.layout.jwt_key.read_text(encoding="ascii").strip()
    assert jwt.get_unverified_header(user.token)["alg"] == "HS256"
    claims = jwt.decode(user.token, key, algorithms=["HS256"])
    assert claims["exp"] - claims["iat"] == 3600
    assert user.password not in json.dumps(claims)


def test_is_authenticated_names_the_user(safe: Platform, user: User) -> None:
    """A valid token gives its user's id, direct and through the gateway."""
    assert safe.auth.call("GET", f"{API}/isAuthenticated", token=user.token).data == user.id
    assert safe.gateway.call("GET", f"/auth{API}/isAuthenticated", token=user.token).data == user.id


def test_an_email_is_taken_once_in_any_case(safe: Platform) -> None:
    """A second account for one address is a 409, also in capitals; either spelling signs in."""
    email = f"{unique('Case')}@Example.com"
    assert [sign_up(safe, spelling, "correct-horse") for spelling in (email, email, email.upper())] == [201, 409, 409]
    assert [sign_in(safe, spelling, "correct-horse") for spelling in (email.lower(), email.upper())] == [200, 200]


def test_one_of_many_sign_ups_at_once_wins(safe: Platform) -> None:
    """Eight sign-ups of one address at the same moment make one account."""
    email = f"{unique('race')}@example.com"
    assert sorted(at_once(8, lambda _: sign_up(safe, email, "correct-horse"))) == [201] + [409] * 7


def test_nobody_learns_who_has_an_account(safe: Platform, user: User) -> None:
    """An unknown e-mail and a wrong password get the same status and the same bytes."""
    wrong = {"email": user.email, "password": "not the password"}
    unknown = {"email": f"{unique('nobody')}@example.com", "password": "not the password"}
    answers = [
        safe.auth.send("POST", f"{API}/signin", json.dumps(body).encode(), {"Content-Type": "application/json"})
        for body in (wrong, unknown)
    ]
    assert [answer.status for answer in answers] == [401, 401]
    assert answers[0].data == answers[1].data


@pytest.mark.parametrize(
    ("password", "status"),
    [("abc", 400), ("éèà", 400), ("abcd", 201), ("éèàü", 201), ("x" * 50, 201), ("😀" * 50, 201), ("x" * 51, 400)],
    ids=["3", "3 in 6 bytes", "4", "4 in 8 bytes", "50", "50 in 200 bytes", "51"],
)
def test_a_password_has_4_to_50_characters(safe: Platform, password: str, status: int) -> None:
    """Characters are counted, not bytes, and what was accepted signs in."""
    email = f"{unique('length')}@example.com"
    assert sign_up(safe, email, password) == status
    assert sign_in(safe, email, password) == {201: 200, 400: 401}[status]


def test_every_character_of_a_password_counts(safe: Platform) -> None:
    """Two long passwords that differ in their last character are two: bcrypt's limit of 72 bytes does not show."""
    email = f"{unique('tail')}@example.com"
    assert sign_up(safe, email, "é" * 49 + "a") == 201
    assert sign_in(safe, email, "é" * 49 + "b") == 401


def test_is_admin(safe: Platform, user: User) -> None:
    """A new user is none, asked by query or by JSON body; an unknown id is a 404; no id or garbage a 400."""
    by_query = safe.auth.call("GET", f"{API}/isAdmin?id={user.id}")
    by_body = safe.auth.call("GET", f"{API}/isAdmin", {"id": user.id})
    assert (by_query.status, by_query.data, by_body.status, by_body.data) == (200, False, 200, False)
    assert safe.auth.call("GET", f"{API}/isAdmin?id=2147483647").status == 404
    assert safe.auth.call("GET", f"{API}/isAdmin", {"id": 2147483647}).status == 404
    for query in ("", "?id=", "?id=abc", "?id=-1", "?id=0", "?id=1.0", "?id=99999999999999999999", "?id=%00"):
        refused = safe.auth.call("GET", f"{API}/isAdmin{query}")
        assert 400 <= refused.status < 500, query
        assert "id" in refused.err, query


def test_nobody_signs_up_as_an_administrator(safe: Platform) -> None:
    """Extra keys of a sign-up do not reach the database."""
    body = {"email": f"{unique('root')}@example.com", "password": "correct-horse", "isAdmin": True, "id": 1}
    made = safe.auth.call("POST", f"{API}/signup", body)
    assert made.status in {201, 400}
    if made.status == 201:
        assert safe.auth.call("GET", f"{API}/isAdmin?id={made.data['id']}").data is False


def forged(safe: Platform, user: User) -> dict[str, str]:
    """Give tokens that nobody should believe."""
    key = safe.layout.jwt_key.read_text(encoding="ascii").strip()
    now = int(time.time())
    claims: dict[str, Any] = {"sub": str(user.id), "email": user.email, "iat": now, "exp": now + 600}
    head, payload, signature = user.token.split(".")
    other = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "1"}).encode()).decode().rstrip("=")

    def unsigned(algorithm: str) -> str:
        header = base64.urlsafe_b64encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()).decode().rstrip("=")
        return f"{header}.{payload}."

    return {
        "garbage": "garbage",
        "two dots": "..",
        "latin-1": "\xff\xfe.\xff.\xff",
        "none": unsigned("none"),
        "None": unsigned("None"),
        "NONE": unsigned("NONE"),
        "none, signed": unsigned("none") + signature,
        "empty HS256 signature": f"{head}.{payload}.",
        "another user": f"{head}.{other}.{signature}",
        "signature changed": f"{head}.{payload}.{signature[::-1]}",
        "cut": user.token[:-5],
        "twice": f"{user.token}.{user.token}",
        "another key": jwt.encode(claims, "k" * 64, algorithm="HS256"),
        "another algorithm": jwt.encode(claims, key, algorithm="HS512"),
        "ended": jwt.encode({**claims, "exp": now - 1}, key, algorithm="HS256"),
        "not yet": jwt.encode({**claims, "nbf": now + 600}, key, algorithm="HS256"),
        "endless": jwt.encode({k: v for k, v in claims.items() if k != "exp"}, key, algorithm="HS256"),
        "nobody": jwt.encode({k: v for k, v in claims.items() if k != "sub"}, key, algorithm="HS256"),
        "unknown user": jwt.encode({**claims, "sub": "2147483000"}, key, algorithm="HS256"),
        "huge user": jwt.encode({**claims, "sub": "9" * 400}, key, algorithm="HS256"),
        "user is text": jwt.encode({**claims, "sub": "1 OR 1=1"}, key, algorithm="HS256"),
        "60 kB": "a" * 60_000,
    }


def test_no_forged_token_is_believed(safe: Platform, user: User) -> None:
    """Bad, ended, tampered, unsigned and foreign tokens are a 401 at auth and at the gateway's other prefixes."""
    believed = []
    for name, token in forged(safe, user).items():
        direct = safe.auth.call("GET", f"{API}/isAuthenticated", token=token)
        through = [
            safe.gateway.call("GET", f"/{path}", token=token)
            for path in (f"bookingservice{API}/info", f"flights{API}/city", f"reminder{API}/tickets")
        ]
        statuses = [answer.status for answer in (direct, *through)]
        if statuses != [401] * 4 or any("x-access-token" not in answer.text for answer in (direct, *through)):
            believed.append((name, statuses))
    assert not believed
