"""A stack on servers that are elsewhere: what it makes and needs there, and what it says when it cannot have it."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

import psutil
import pytest
import urllib3

from lab import place
from lab.errors import ConfigError, StackError
from lab.stack import external, ports
from lab.stack.backend import Backend
from lab.stack.control import down, up
from lab.stack.layout import SERVICES, Layout
from lab.stack.state import load
from lab.stack.status import status
from tests.processes import PATIENCE, wait_until
from tests.real import MariaDB, RabbitMQ

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


FAKE = "fake_platform"
NAMES = ("auth", "flights", "booking", "notification")
PASSWORD = "p%40ss%3Aw%2Ford"  # p@ss:w/ord


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Servers that somebody else runs, and a user there whose databases begin with the user's name."""

    mariadb: MariaDB
    rabbitmq: RabbitMQ
    user: str

    @property
    def db_url(self) -> str:
        """The database server's URL, as a user writes it."""
        return f"mysql://{self.user}:{PASSWORD}@127.0.0.1:{self.mariadb.port}/{self.user}"

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be told to nobody."""
        return ("wrong-secret", PASSWORD, "p@ss:w/ord", self.rabbitmq.url.split(":")[2].partition("@")[0])


@pytest.fixture
def elsewhere(mariadb: MariaDB, rabbitmq: RabbitMQ) -> Elsewhere:
    """Give servers with a user who may create the databases."""
    user = new_user(mariadb)
    mariadb.sql(f"GRANT ALL PRIVILEGES ON `{user}\\_%`.* TO '{user}'@'%'")
    return Elsewhere(mariadb, rabbitmq, user)


def new_user(mariadb: MariaDB) -> str:
    """Make a database user who may do nothing yet."""
    name = f"t{uuid4().hex[:8]}"
    mariadb.sql(f"CREATE USER '{name}'@'%' IDENTIFIED BY 'p@ss:w/ord'")
    return name


def free_port() -> int:
    """Give a port that nobody listens on."""
    port, claim = ports.claim_any("nobody")
    claim.__exit__(None, None, None)
    return port


def test_a_stack_works_on_external_servers(root: Path, offset: int, elsewhere: Elsewhere) -> None:
    """The databases are made, what is done is found in them, mails go to the lab's sink, and no secret is told."""
    backend = Backend.of("external", db_url=elsewhere.db_url, amqp_url=elsewhere.rabbitmq.url)

    state = up(root, backend=backend, port_offset=offset, timeout=PATIENCE)

    wait_until(lambda: status(root).healthy)
    assert {part.name for part in state.parts} == {*SERVICES, "mail"}
    assert state.mail_path == root / "mail.jsonl"
    body = {"email": "anna@example.org", "password": "quite-a-secret"}
    url = state.target().through_gateway("auth") + "/api/v1/signup"
    assert urllib3.request("POST", url, json=body, retries=False).status == 201
    user, server = elsewhere.user, elsewhere.mariadb
    made = {str(row[0]) for row in server.sql(f"SHOW DATABASES LIKE '{user}%'")}
    assert made == {f"{user}_{name}" for name in NAMES}
    assert all(server.sql(f"SHOW TABLES FROM `{name}`") for name in made)
    assert "anna@example.org" in str(server.sql(f"SELECT email FROM `{user}_auth`.users"))  # noqa: S608 - our own name

    kept = [Layout(root).state, *Layout(root).logs.iterdir()]
    texts = [path.read_text(encoding="utf-8", errors="replace") for path in kept]
    texts += [" ".join(psutil.Process(pid).cmdline()) for pid in (*state.processes.values(), state.supervisor.pid)]
    texts += [repr(status(root)), repr(backend), backend.shown]
    assert not [text for text in texts if any(secret in text for secret in elsewhere.secrets)]
    assert str(server.port) in state.backend_shown

    # Another user of the lab, without knowing the URLs, works on what is up.
    with place.platform(None, None, root, lambda _: None) as (_, found):
        assert found == state
    other = Backend.of("external", db_url=elsewhere.db_url.replace(user, "x"), amqp_url=elsewhere.rabbitmq.url + "x")
    for wanted in (Backend.of("services"), other):
        with (
            pytest.raises(StackError, match="stop it first: airbourne-lab down"),
            place.platform(None, None, root, lambda _: None, wanted),
        ):
            pass
    assert down(root)


def test_services_get_the_urls_and_nobody_else(
    root: Path, offset: int, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each service has its own database's URL in its environment, and no setting of the lab; no sink is started."""
    monkeypatch.setenv("INFLUXDB_V2_TOKEN", "token-of-the-user")
    monkeypatch.setenv("AIRBOURNE_DB_URL", "mysql://of-the-shell")
    smtp = f"smtp://127.0.0.1:{elsewhere.rabbitmq.port}"
    backend = Backend.of("external", db_url=elsewhere.db_url, amqp_url=elsewhere.rabbitmq.url, smtp_url=smtp)

    state = up(root, backend=backend, port_offset=offset, timeout=PATIENCE, module=FAKE)

    seen = {name: urllib3.request("GET", f"{state.target().url(name)}/", retries=False).json() for name in SERVICES}
    server = f"mysql+pymysql://{elsewhere.user}:{PASSWORD}@127.0.0.1:{elsewhere.mariadb.port}"
    assert seen["auth"]["DATABASE_URL"] == f"{server}/{elsewhere.user}_auth?charset=utf8mb4"
    assert seen["reminder"]["DATABASE_URL"] == f"{server}/{elsewhere.user}_notification?charset=utf8mb4"
    assert seen["reminder"]["BUS_URL"] == seen["booking"]["BUS_URL"] == elsewhere.rabbitmq.url
    assert seen["reminder"]["SMTP_URL"] == smtp
    assert set(seen["gateway"]).isdisjoint({"DATABASE_URL", "BUS_URL", "SMTP_URL"})
    assert not [name for values in seen.values() for name in values if name.startswith(("AIRBOURNE_", "INFLUXDB_"))]
    assert set(state.processes) == set(SERVICES)
    assert state.mail_path is None


def test_what_an_administrator_must_do_is_said_as_sql(mariadb: MariaDB, rabbitmq: RabbitMQ) -> None:
    """A user who may not create databases gets the SQL for it, and with that SQL run all is well."""
    elsewhere = Elsewhere(mariadb, rabbitmq, new_user(mariadb))
    backend = Backend.of("external", db_url=elsewhere.db_url, amqp_url=rabbitmq.url)

    with pytest.raises(StackError, match="have an administrator run: ") as caught:
        external.prepare(backend)

    assert not [secret for secret in elsewhere.secrets if secret in str(caught.value)]
    assert f"ON `{elsewhere.user}\\_auth`.*" in str(caught.value)
    for statement in re.findall(r"(?:CREATE|GRANT) [^;]+;", str(caught.value)):
        mariadb.sql(statement)
    external.prepare(backend)


def wrong_password(url: str) -> str:
    """Give a URL with another password."""
    return re.sub(r":[^:@/]+@", ":wrong-secret@", url)


def nobody_listens(url: str) -> str:
    """Give a URL with a port that nobody listens on."""
    return re.sub(r":\d+/", f":{free_port()}/", url)


@pytest.mark.parametrize("break_it", [wrong_password, nobody_listens])
@pytest.mark.parametrize("option", ["--db-url", "--amqp-url", "--smtp-url"])
def test_a_server_that_cannot_be_used_is_named(
    root: Path, elsewhere: Elsewhere, option: str, break_it: Callable[[str], str]
) -> None:
    """The error names the option and the place, holds no secret, and comes before anything is started."""
    urls = {
        "--db-url": elsewhere.db_url,
        "--amqp-url": elsewhere.rabbitmq.url,
        "--smtp-url": "smtp://u:wrong-secret@127.0.0.1:1/",
    }
    urls[option] = break_it(urls[option])
    backend = Backend.of("external", db_url=urls["--db-url"], amqp_url=urls["--amqp-url"], smtp_url=urls["--smtp-url"])

    with pytest.raises(StackError, match=f"^{option}: .*127.0.0.1") as caught:
        up(root, backend=backend)

    assert "\n" not in str(caught.value)
    assert not [secret for secret in elsewhere.secrets if secret in str(caught.value)]
    assert load(root) is None


@pytest.mark.parametrize("option", ["--db-url", "--amqp-url"])
def test_a_server_that_never_says_a_word_is_given_up(
    mariadb: MariaDB, rabbitmq: RabbitMQ, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    """A port that takes connections and stays silent, as a dead proxy does, is an error and not an endless wait."""
    monkeypatch.setattr(external, "_SECONDS", 1)
    db_url = f"mysql://root:{mariadb.password}@127.0.0.1:{mariadb.port}/silent"
    with socket.create_server((ports.LOOPBACK, 0)) as mute:
        url = f"://u:p@{ports.LOOPBACK}:{mute.getsockname()[1]}"
        backend = (
            Backend.of("external", db_url=f"mysql{url}", amqp_url=rabbitmq.url)
            if option == "--db-url"
            else Backend.of("external", db_url=db_url, amqp_url=f"amqp{url}")
        )
        # A watchdog of its own: without the time-out nothing else would ever end the wait.
        watchdog = threading.Timer(PATIENCE, mute.shutdown, [socket.SHUT_RDWR])
        watchdog.start()
        try:
            with pytest.raises(StackError, match=f"^{option}: .*127.0.0.1") as caught:
                external.prepare(backend)
            assert watchdog.is_alive()
        finally:
            watchdog.cancel()
    assert "\n" not in str(caught.value)


def test_foreign_databases_are_not_emptied(root: Path) -> None:
    """`up --fresh` on external servers is refused before anything is looked at."""
    backend = Backend.of("external", db_url="mysql://u:p@127.0.0.1:1", amqp_url="amqp://u:p@127.0.0.1:1")

    with pytest.raises(ConfigError, match="--fresh"):
        up(root, backend=backend, fresh=True)
