"""A plain client of one service: every answer is checked against the contract's one shape before a test sees it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from urllib3.connectionpool import connection_from_url

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

JSON = {"Content-Type": "application/json"}
SHAPE = {"data", "success", "message", "err"}
PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer in the contract's shape."""

    status: int
    headers: Mapping[str, str]
    data: Any
    message: str
    err: Any

    @property
    def text(self) -> str:
        """Everything that a person would read of it."""
        return f"{self.message} {json.dumps(self.err)}"


class Service:
    """One service over kept-alive connections; may be used by many threads."""

    def __init__(self, url: str) -> None:
        assert url.startswith("http://127.0.0.1:")
        self.url = url
        self._pool = connection_from_url(url, maxsize=48, timeout=PATIENCE_S, retries=False)

    def send(
        self, method: str, path: str, raw: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> BaseHTTPResponse:
        """Send bytes and give the answer as it came."""
        return self._pool.urlopen(method, path, body=raw, headers=headers, redirect=False)

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        raw: bytes | None = None,
        token: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Call `/api/v1` + path with a JSON body, or with `raw` bytes as they are."""
        sent = json.dumps(body).encode() if raw is None and body is not None else raw
        head = {**(JSON if sent is not None else {}), **({"x-access-token": token} if token else {}), **(headers or {})}
        return understood(self.send(method, path, sent, head))

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()


def understood(answer: BaseHTTPResponse) -> Answer:
    """Check an answer against the contract's shape: JSON, the four keys, and nothing secret in it."""
    text = answer.data.decode("utf-8")
    what = f"{answer.status} {answer.headers.get('Content-Type')}: {text[:300]}"
    assert answer.headers["Content-Type"].partition(";")[0] == "application/json", what
    values = json.loads(text)
    assert set(values) == SHAPE, what
    assert values["success"] is (answer.status < 400), what
    assert isinstance(values["message"], str), what
    assert values["message"].strip(), what
    if answer.status >= 400:
        assert values["data"] == {}, what
        assert values["err"], what
    assert "Traceback" not in text, what
    assert "$2b$" not in text, what
    assert answer.headers.get("X-Request-ID"), what
    return Answer(answer.status, answer.headers, values["data"], values["message"], values["err"])
