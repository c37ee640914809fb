"""Requests of the lean client, prepared once: what stays the same from call to call is text with gaps."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from json import encoder
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from lab.engine.lean_wire import Origin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

AGENT: Final = "airbourne-lab"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_URL: Final = re.compile(r"[^\x00-\x1f\x7f]*")
_SAFE: Final = "!#$%&'()*+,/:;=?@[]~"
_WITH_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})
EXTRA: Final[Mapping[str, Mapping[str, str]]] = {
    "": {},
    "json": {"Content-Type": "application/json", "Accept": "application/json"},
    "form": {"Content-Type": "application/x-www-form-urlencoded"},
}
"""What is said of a body of each kind, unless the call says it."""
_PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Head:
    """A request without its header values and its body: method, target and header names."""

    method: str
    url: str
    origin: Origin
    text: str
    with_length: bool

    def render(self, values: Iterable[object], body: bytes) -> bytes:
        """Fill in the values, in the order of the names, and the body.

        Raises:
            ValueError: a value would not be one header line.
        """
        texts = [value if type(value) is str else str(value) for value in values]
        if not "".join(texts).isprintable():
            for text in texts:
                _legal(_VALUE, text, "header value")
        gaps = (*texts, len(body)) if self.with_length else tuple(texts)
        return (self.text % gaps).encode("latin-1") + body


def head(method: str, url: str, names: Iterable[str], extra: Mapping[str, str], *, with_body: bool) -> Head:
    """Prepare a request.

    Args:
        method: of any case.
        url: absolute.
        names: the headers that each call gives values for.
        extra: headers that are sent unless a call gives its own.
        with_body: whether a body follows.

    Raises:
        ValueError: the method, the URL or a header name could not be sent as it is.
    """
    method = _legal(_TOKEN, method.upper(), "HTTP method")
    origin, host, target, login = _parts(url)
    defaults = {"Host": host, "User-Agent": AGENT, **login, **extra}
    own = {_legal(_TOKEN, name, "header name").lower() for name in names}
    if own & _FRAMING:
        raise ValueError("the headers Content-Length and Transfer-Encoding are the client's, which knows what it sends")
    lines = [f"{method} {target} HTTP/1.1"]
    lines += [
        f"{name}: {_legal(_VALUE, value, 'header value')}"
        for name, value in defaults.items()
        if name.lower() not in own
    ]
    lines += [f"{name}: \0" for name in names]
    with_length = with_body or method in _WITH_BODY
    if with_length:
        lines.append("Content-Length: \0")
    text = "\r\n".join([*lines, "", ""]).replace("%", "%%").replace("\0", "%s")
    return Head(method, url, origin, text, with_length)


def body_of(data: str | bytes | Mapping[str, object] | None, value: object) -> tuple[bytes, str]:
    """Give a call's body and its kind, a key of `EXTRA`; `data` goes before `value`, which is sent as JSON."""
    if not data:
        return (b"", "") if value is None else (encode(value), "json")
    if isinstance(data, Mapping):
        return urlencode(data, doseq=True).encode("ascii"), "form"
    return (data.encode() if isinstance(data, str) else data), ""


def encode(value: object) -> bytes:
    """Write a value as JSON.

    Raises:
        TypeError, ValueError: it is none that JSON has.
    """
    try:
        return "".join(_chunks(value, 0)).encode("ascii")
    except RecursionError:
        return json.dumps(value).encode("ascii")  # which says what is wrong with it


def _encoder() -> Callable[[object, int], Iterable[str]]:
    """Give what `json.dumps` makes anew for every call, where this Python has it."""
    make = getattr(encoder, "c_make_encoder", None)
    usual = json.JSONEncoder()
    if make is None:
        return lambda value, _: usual.iterencode(value)
    unsorted, strict, with_nan = False, False, True
    made: Callable[[object, int], Iterable[str]] = make(
        None, usual.default, encoder.encode_basestring_ascii, None, ": ", ", ", unsorted, strict, with_nan
    )
    return made


def _parts(url: str) -> tuple[Origin, str, str, dict[str, str]]:
    """Take a URL apart: where it leads, its Host header, what stands in the request line, and its login."""
    parts = urlsplit(_legal(_URL, url, "URL"))
    if parts.scheme not in _PORTS or not parts.hostname:
        raise ValueError(f"{url!r} is no URL of the kind http://host/path")
    port = parts.port or _PORTS[parts.scheme]
    name = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode("ascii")
    host = f"[{name}]" if ":" in name else name
    shown = host if port == _PORTS[parts.scheme] else f"{host}:{port}"
    target = quote(parts.path or "/", safe=_SAFE) + (f"?{quote(parts.query, safe=_SAFE)}" if parts.query else "")
    login = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        login["Authorization"] = f"Basic {b64encode(pair.encode('latin-1')).decode('ascii')}"
    return Origin(parts.scheme == "https", name, port), shown, target, login


def _legal(rule: re.Pattern[str], text: str, what: str) -> str:
    if not rule.fullmatch(text):
        raise ValueError(f"{text!r} is no {what}: it has a character that would end or change the request")
    return text


_chunks: Final = _encoder()
