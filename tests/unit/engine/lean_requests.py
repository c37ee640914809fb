"""A lean user against a server that answers in every way, well and badly; prints what was seen, as JSON.

For test_lean.py. Run as a script, since importing Locust patches the whole interpreter: CASE names what to do.
"""

from __future__ import annotations

from locust.env import Environment  # isort: skip - first, since it patches the interpreter that all below runs in

import contextlib
import gc
import gzip
import itertools
import json
import os
import socket
import struct
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import gevent
import gevent.pool
import gevent.socket
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from gevent.server import StreamServer
from locust.exception import LocustError, ResponseError

from lab.engine.client import Data, LabContext, LabUser, operation
from lab.engine.lean import LeanUser
from lab.engine.ledger import Ledger
from lab.engine.listen import request_listener
from lab.engine.recorder import Recorder
from lab.model.dataset import Dataset, SeedPlan
from lab.model.run import Totals
from lab.model.sample import Tally
from lab.model.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable

BODY = b'{"message": "seat 12 is taken", "data": {"id": 7}}\n'
USUAL = b"HTTP/1.1 %d Said\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s"


def usual(status: int = 200, body: bytes = BODY, more: bytes = b"") -> bytes:
    """Give a usual answer."""
    return USUAL % (status, len(body), more, body)


PACKED = gzip.compress(BODY)
LONG = b"x" * 300_000
ANSWERS = {
    "/ok": usual(),
    "/missing": usual(404),
    "/broken": usual(500, b"no JSON"),
    "/moved": usual(302, b"", b"Location: /ok\r\n"),
    "/none": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/latin": b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=latin-1\r\nContent-Length: 1\r\n\r\n\xe9",
    "/long": usual(200, LONG),
    "/early": b"HTTP/1.1 100 Continue\r\n\r\n" + usual(),
    "/chunked": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{"a"\r\n3\r\n: 1\r\n1\r\n}\r\n0\r\n\r\n',
    "/packed": usual(200, PACKED, b"Content-Encoding: gzip\r\n"),
    "/spoilt": usual(200, PACKED[:20] + b"???", b"Content-Encoding: gzip\r\n"),
    "/last": usual(200, BODY, b"Connection: close\r\n"),
    "/kept": usual(200, BODY, b"Connection: keep-alive\r\n"),
    "/leaves": usual(),
    "/old": b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "/half": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nten bytes.",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Le",
    "/twice": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "/noise": b"hello\r\n\r\n",
    "/timed": usual(200, BODY, b"Server-Timing: a;dur=0.003, a.own;dur=0.001, a.db;dur=0.002\r\n"),
    "/twice%20timed": usual(200, BODY, b"server-timing:a.own;dur=0.001\r\nX: 1\r\nSERVER-TIMING: a.db;dur=0.002 \r\n"),
    "/chunked%20timed": b"HTTP/1.1 200 OK\r\nServer-Timing: b.own;dur=0.004\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n1\r\n7\r\n0\r\n\r\n",
    "/failed%20timed": usual(500, BODY, b"Server-Timing: a.own;dur=0.009\r\n"),
}
ENDS = {"/last", "/leaves", "/old", "/half", "/cut", "/noise", "/twice"}


class Server:
    """Answers by path, and remembers what came over which connection."""

    def __init__(self, host: str = "127.0.0.1", **secure: str) -> None:
        self.seen: list[tuple[int, str, str]] = []
        self.open = 0
        self._numbers = itertools.count()
        self._server = StreamServer((host, 0), self._talk, **secure)  # type: ignore[call-overload]  # a key and its certificate, or neither
        self._server.start()
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        """Take no more connections."""
        self._server.stop(timeout=0)

    def _talk(self, connection: socket.socket, _: object) -> None:
        number, requests, stream = next(self._numbers), 0, connection.makefile("rb")
        self.open += 1
        with contextlib.suppress(OSError):
            while line := stream.readline():
                method, path, _version = line.decode().split()
                head = line + b"".join(iter(stream.readline, b"\r\n"))
                length = [field for field in head.lower().split(b"\r\n") if field.startswith(b"content-length:")]
                body = stream.read(int(length[0].split(b":")[1])) if length else b""
                self.seen.append((number, method, path))
                requests += 1
                if not self._answer(connection, path, head + b"\r\n" + body, requests):
                    break
        stream.close()
        connection.close()
        self.open -= 1

    def _answer(self, connection: socket.socket, path: str, request: bytes, requests: int) -> bool:
        if path == "/echo":
            connection.sendall(usual(200, request))
        elif path == "/slow":
            gevent.socket.wait_read(connection.fileno(), timeout=20)
        elif path == "/reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif path == "/silent" or (path == "/second" and requests > 1):
            return False
        elif path == "/drip":
            for byte in usual():
                connection.sendall(bytes([byte]))
                gevent.sleep(0)
        else:
            connection.sendall(ANSWERS.get(path, usual()))
        return path not in ENDS | {"/slow", "/reset"}


class Setting:
    """A recorder, an environment and users in it."""

    def __init__(self) -> None:
        self.server = Server()
        self.recorder = Recorder(time.perf_counter)
        self.environment = Environment()
        self.environment.lab = LabContext(  # type: ignore[attr-defined]  # as the worker does
            target=Target(self.server.url),
            data=Data(Dataset(self.server.url, SeedPlan())),
            ledger=Ledger(sys.stderr),
            recorder=self.recorder,
            seed=1,
            numbers=itertools.count(),
        )
        self.environment.events.request.add_listener(request_listener(self.recorder, counts_sent=True))

    def user(self, kind: Any = None, **attributes: object) -> Any:  # noqa: ANN401 - of either class
        """Make a user."""
        chosen = kind or Lean
        chosen.host = self.server.url
        for name, value in attributes.items():
            setattr(chosen, name, value)
        return chosen(self.environment)

    def counted(self) -> dict[str, Any]:
        """Give what was recorded, without times."""
        tally = Tally()
        for tick in self.recorder.close({"unfinished": float(self.recorder.unfinished)}, everything=True):
            tally.add(tick)
        totals = Totals.of(tally)
        return {
            "totals": [totals.sent, totals.ok, totals.failed, totals.unfinished, self.recorder.in_flight],
            "lines": sorted(
                f"{key.outcome} {key.clock} {key.name} {dict(key.tags)} x{bins.count}"
                for key, bins in tally.trends.items()
                if key.metric == "http_req_duration"
            ),
            "counters": sorted(f"{key.metric} {dict(key.tags)} {number}" for key, number in tally.counters.items()),
            "checks": [totals.checks_passed, totals.checks_failed],
        }


class Lean(LeanUser):
    """A lean user whose methods are called by hand."""

    network_timeout = 0.3


class Lab(LabUser):
    """The same on Locust's client."""

    network_timeout = 0.3


def everything(user: Any) -> None:  # noqa: ANN401 - of either class
    """Do all that the two clients have in common."""
    base, client = user.target.gateway, user.client
    for path in ("/ok", "/missing", "/broken", "/none", "/long", "/chunked", "/last", "/kept", "/old", "/drip"):
        client.get(path, name=path)
    for path in ("/reset", "/silent", "/half", "/cut", "/noise", "/slow", "/twice"):
        client.post(path, json={"a": 1}, name=path)
    client.get("http://127.0.0.1:1/", name="/nobody")
    client.get(f"{base}/packed", headers={"Accept-Encoding": "gzip"}, name="/packed")
    client.get(f"{base}/spoilt", headers={"Accept-Encoding": "gzip"}, name="/spoilt")
    client.put("/ok", json=[1], context=operation("put", tier="gold"))
    client.patch("/ok", data="text")
    client.delete("/ok")
    with user.group("buy"), user.group("pay"):
        response = client.post("/ok", data=b"bytes", name="/grouped", context=operation("pay"))
        user.check(response, {"is 200": lambda r: r.status_code == 200, "id": lambda r: r.json()["data"]["id"] == 7})
    with client.get("/missing", name="/found", catch_response=True) as response:
        response.success()
    with client.get("/ok", name="/refused", catch_response=True) as response:
        response.failure("seat 3 is not what I asked for")
    with client.get("/ok", name="/unsaid", catch_response=True) as response:
        pass
    with client.get("/missing", name="/unsaid", catch_response=True) as response:
        pass
    for error in (KeyError("mine"), ResponseError("theirs")):
        with contextlib.suppress(KeyError), client.get("/ok", name="/raise", catch_response=True):
            raise error
    stopped = gevent.spawn(client.get, "/slow", name="/stopped")
    gevent.sleep(0.1)
    stopped.kill()


def both() -> dict[str, Any]:
    """Let both kinds of user do the same."""
    found = {}
    for kind in (Lab, Lean):
        setting = Setting()
        everything(setting.user(kind))
        found[kind.__name__.lower()] = setting.counted()
        setting.server.stop()
    return found


def paths(setting: Setting) -> list[str]:
    """Give what the server saw: number of the connection, method and path."""
    return [f"{number} {method} {path}" for number, method, path in setting.server.seen]


def connections() -> dict[str, Any]:
    """Reuse connections, or not, and repeat requests, or not."""
    found = {}
    cases: dict[str, list[tuple[str, str]]] = {
        "kept": [("POST", "/ok"), ("POST", "/kept"), ("GET", "/chunked"), ("HEAD", "/none"), ("GET", "/ok")],
        "closed": [("GET", "/last"), ("POST", "/ok")],
        "idle": [("GET", "/leaves"), ("POST", "/ok")],
        "get lost": [("GET", "/ok"), ("GET", "/second")],
        "post lost": [("GET", "/ok"), ("POST", "/second")],
        "fresh get lost": [("GET", "/silent")],
        "slow": [("POST", "/slow"), ("POST", "/ok")],
        "broken": [("POST", "/half"), ("POST", "/ok")],
    }
    for name, requests in cases.items():
        setting = Setting()
        user = setting.user()
        codes = []
        for method, path in requests:
            codes.append(user.client.request(method, path).status_code)
            gevent.sleep(0.02)  # for the server's end of an idle connection
        found[name] = {"seen": paths(setting), "codes": codes, "totals": setting.counted()["totals"]}
        user.client.close()
        setting.server.stop()
    return found


def answers() -> dict[str, Any]:
    """Look at answers from all sides."""
    setting = Setting()
    client = setting.user().client
    found: dict[str, Any] = {}
    for path in ("/ok", "/moved", "/none", "/latin", "/early", "/chunked", "/packed", "/old", "/noise", "/broken"):
        response = client.get(path)
        found[path] = [response.status_code, response.ok, response.text, response.headers.get("location")]
    found["long"] = client.get("/long").content == LONG
    found["json"] = [client.get("/ok").json(), client.get("/chunked").json()]
    found["no JSON"] = raised(client.get("/broken").json)
    found["nothing"] = raised(client.get("http://127.0.0.1:1/").json)
    found["error"] = type(client.get("http://127.0.0.1:1/").error).__name__
    found["time"] = client.get("/ok").elapsed_us > 0
    found["no block"] = [raised(client.get("/ok").success), raised(client.get("/ok").__enter__)]
    client.get("/ok", catch_response=True)
    found["totals"] = setting.counted()["totals"]
    return found


def raised(call: Callable[[], object]) -> str:
    """Give the name of what a call raises."""
    try:
        call()
    except (ValueError, LocustError) as error:
        return type(error).__name__
    return ""


def requests() -> dict[str, Any]:
    """Send requests of all kinds, and some that cannot be sent."""
    setting = Setting()
    client = setting.user().client
    base = setting.server.url
    port = base.rpartition(":")[2]
    sent = {
        "json": client.post("/echo", json={"a": "é%s", "b": [1.5, None]}, headers={"X-Key": "1 %d", "X-Number": 7}),
        "own": client.post("/echo", data="é", headers={"content-type": "text/x", "user-agent": "me", "HOST": "there"}),
        "form": client.put("/echo", data={"a": "b c", "d": 1}),
        "get": client.get("/echo"),
        "empty": client.post("/echo"),
        "login": client.get(f"http://ann:p%40ss@127.0.0.1:{port}/echo"),
        "odd": client.get("/find/München?name=New York&a=50%25"),
    }
    cannot = {
        "value": ("/echo", {"X-Key": "a\r\nX-Other: b"}),
        "name": ("/echo", {"X-Key\r\nX-Other": "b"}),
        "URL": ("/echo HTTP/1.1\r\nX-Other: b\r\n", {}),
        "length": ("/echo", {"Content-Length": "3"}),
        "letter": ("/echo", {"X-Key": "€"}),
        "scheme": ("ftp://here/", {}),
    }
    found: dict[str, Any] = {name: response.text for name, response in sent.items()}
    found["odd"] = setting.server.seen[-1][2]
    found["refused"] = {
        name: raised(lambda url=url, headers=headers: client.get(url, headers=headers))  # type: ignore[misc]  # mypy knows no lambda with defaults
        for name, (url, headers) in cannot.items()
    }
    loop: list[Any] = []
    loop.append(loop)
    found["loop"] = raised(lambda: client.post("/echo", json=loop))
    found["totals"] = setting.counted()["totals"]
    found["port"] = port
    return found


def listeners() -> dict[str, Any]:
    """Let somebody else listen to Locust's event; look whether the lab counts twice."""
    setting = Setting()
    client = setting.user().client
    client.get("/ok")
    heard: list[dict[str, Any]] = []
    setting.environment.events.request.add_listener(lambda **told: heard.append(told))
    client.get("/missing", name="/named", context=operation("search"))
    with client.get("/ok", catch_response=True) as response:
        response.failure("no")
    first = heard[0]
    return {
        "heard": [first["request_type"], first["name"], first["context"], first["response_length"], len(heard)],
        "failed": type(first["exception"]).__name__,
        "took": first["response_time"] > 0,
        "totals": setting.counted()["totals"],
    }


def late() -> dict[str, Any]:
    """Be late, as an open model's iterations are, and be paced."""
    setting = Setting()
    calls: Counter[str] = Counter()

    class Late(Lean):
        def context(self) -> dict[str, Any]:
            return {"_late": 5000, "tier": "gold"}

        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self.client.pace = lambda: calls.update(["pace"])

    client = setting.user(Late).client
    client.get("/ok", context=operation("search"))
    client.get("/missing")
    return {"counted": setting.counted()["lines"], "paced": calls["pace"]}


def leaving() -> dict[str, Any]:
    """Stop users in mid-request and in mid-thought, and look what they have left open."""
    gc.disable()  # what is closed is closed at once, and not when somebody sweeps up
    setting = Setting()

    class Waiting(Lean):
        network_timeout = 30.0

        def on_start(self) -> None:
            self.client.get("/ok")
            if self.number:
                self.client.get("/slow")
            gevent.sleep(30)

    users = [setting.user(Waiting) for _ in range(2)]
    group = gevent.pool.Group()
    for user in users:
        user.start(group)
    while len(setting.server.seen) < 3:
        gevent.sleep(0.01)
    before = [setting.recorder.in_flight, setting.server.open]
    for user in users:
        user.stop(force=True)
    group.join(timeout=5)
    until = time.monotonic() + 5
    while setting.server.open and time.monotonic() < until:
        gevent.sleep(0.01)
    return {"before": before, "open": setting.server.open, "totals": setting.counted()["totals"]}


def secure() -> dict[str, Any]:
    """Ask a server over TLS by its right name, by a wrong one, and by a wrong one that nobody minds."""
    setting = Setting()
    with TemporaryDirectory() as folder:
        file = Path(folder, "both.pem")
        file.write_bytes(certificate())
        os.environ["SSL_CERT_FILE"] = str(file)
        server = Server(keyfile=str(file), certfile=str(file))
        client = setting.user().client
        right = [
            client.post(f"https://localhost:{server.port}{path}").status_code
            for path in ("/ok", "/long", "/last", "/ok")
        ]
        wrong = client.get(f"https://127.0.0.1:{server.port}/ok")
        unminded = setting.user(insecure=True).client.get(f"https://127.0.0.1:{server.port}/ok")
    return {
        "right": right,
        "seen": [f"{number} {method} {path}" for number, method, path in server.seen],
        "wrong": [wrong.status_code, type(wrong.error).__name__],
        "unminded": unminded.status_code,
        "totals": setting.counted()["totals"],
    }


def certificate() -> bytes:
    """Make a key, and a certificate for `localhost` that it signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem)


def sixth() -> dict[str, Any]:
    """Ask a server at an IPv6 address, where this machine has any."""
    try:
        server = Server("::1")
    except OSError as error:
        return {"none": str(error)}
    response = Setting().user().client.get(f"http://[::1]:{server.port}/echo")
    return {"code": response.status_code, "named": f"Host: [::1]:{server.port}\r\n" in response.text}


def timing() -> dict[str, Any]:
    """Let both kinds of user hear where a server's time went, and see what they say of theirs."""
    found = {}
    for kind in (Lab, Lean):
        setting = Setting()
        client = setting.user(kind).client
        before = client.post("/echo", data="x").text
        for path in ("/timed", "/twice%20timed", "/chunked%20timed", "/failed%20timed"):
            client.get(path)
        with client.get("/timed", catch_response=True) as response:
            response.success()
        after = client.post("/echo", data="x").text
        tally = Tally()
        for tick in setting.recorder.close({}, everything=True):
            tally.add(tick)
        found[kind.__name__.lower()] = {
            "parts": sorted(
                f"{tags['hop']}.{tags['kind']} {sorted(bins.bins.items()) if tags['hop'] != 'client' else bins.count}"
                for key, bins in tally.trends.items()
                if key.metric == "server_timing" and (tags := dict(key.tags))
            ),
            "said": ["x-request-start: t=1" in text.lower() for text in (before, after)],
        }
        setting.server.stop()
    return found


CASES: dict[str, Callable[[], dict[str, Any]]] = {
    case.__name__: case
    for case in (both, connections, answers, requests, listeners, late, leaving, secure, sixth, timing)
}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(CASES[sys.argv[1]]()))
