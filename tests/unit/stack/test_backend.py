"""What a user may write about backends, and what becomes of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lab.errors import ConfigError
from lab.model.crew import KEY_VARIABLE
from lab.settings import VARIABLES
from lab.stack.backend import KINDS, Backend
from lab.stack.dburl import DatabaseUrl
from lab.stack.layout import PARTS, SERVICES, Layout
from lab.stack.plan import Plan, told_backend
from lab.stack.wires import lay

if TYPE_CHECKING:
    from pathlib import Path

DB = "mysql://ann:pa55@db.example:3307"
AMQP = "amqp://ann:pa55@mq.example:5672/%2F"


def test_a_mistyped_backend_is_refused_with_the_nearest() -> None:
    """The error offers the backend that was meant."""
    with pytest.raises(ConfigError, match='did you mean "services"'):
        Backend.of("service")


@pytest.mark.parametrize("kind", ["embedded", "services"])
@pytest.mark.parametrize("option", ["db_url", "amqp_url", "smtp_url"])
def test_urls_belong_to_external(kind: str, option: str) -> None:
    """A URL beside another backend would be ignored: it is refused instead, by its option's name."""
    with pytest.raises(ConfigError, match=f"--{option.replace('_', '-')} is for --backend external"):
        Backend.of(kind, **{option: "amqp://x"})


@pytest.mark.parametrize(("urls", "missing"), [({"amqp_url": AMQP}, "--db-url"), ({"db_url": DB}, "--amqp-url")])
def test_external_needs_a_database_and_a_broker(urls: dict[str, str], missing: str) -> None:
    """The missing option is named."""
    with pytest.raises(ConfigError, match=f"external needs {missing}"):
        Backend.of("external", **urls)


@pytest.mark.parametrize(
    ("option", "url"),
    [
        ("db_url", "postgres://ann:pa55@db.example/x"),
        ("db_url", "mysql:ann:pa55@db.example"),
        ("db_url", "mysql://ann:pa55@"),
        ("db_url", "mysql://ann:pa55@db.example:port"),
        ("db_url", "mysql://ann:pa55@db.example:99999"),
        ("db_url", "mysql://ann:pa55@db.example/a/b"),
        ("db_url", "mysql://ann:pa55@db.example/x`; DROP"),
        ("db_url", "mysql://ann:pa55@[db.example/x"),
        ("amqp_url", "http://ann:pa55@mq.example"),
        ("amqp_url", "amqp:/ann:pa55@mq.example"),
        ("amqp_url", "amqp://ann:pa55@"),
        ("smtp_url", "imap://ann:pa55@mail.example"),
    ],
)
def test_a_wrong_url_is_refused_without_telling_it(option: str, url: str) -> None:
    """The error names the option and what to write, and holds no part of a URL that may have a password anywhere."""
    with pytest.raises(ConfigError, match=f"^--{option.replace('_', '-')}") as caught:
        Backend.of("external", **{"db_url": DB, "amqp_url": AMQP, option: url})

    assert "pa55" not in str(caught.value)


def test_what_is_shown_holds_no_password() -> None:
    """Neither the short text nor the value's own has users or passwords, and other servers look different."""
    backend = Backend.of("external", db_url=DB, amqp_url=AMQP, smtp_url="smtps://ann:pa55@mail.example")

    for text in (backend.shown, repr(backend)):
        assert "pa55" not in text
        assert "ann" not in text
    assert "db.example:3307" in backend.shown
    assert "mail.example" in backend.shown
    assert Backend.of("services").shown == "services"


@pytest.mark.parametrize(
    ("text", "auth"),
    [
        ("mysql://ann:p%40ss@db:3307", "mysql+pymysql://ann:p%40ss@db:3307/auth?charset=utf8mb4"),
        ("mariadb://db/air", "mysql+pymysql://db:3306/air_auth?charset=utf8mb4"),
        ("mysql+pymysql://a@[::1]:1/?ssl_ca=x", "mysql+pymysql://a@[::1]:1/auth?charset=utf8mb4&ssl_ca=x"),
        ("mysql://DB/?charset=utf8", "mysql+pymysql://db:3306/auth?charset=utf8"),
    ],
)
def test_each_service_gets_a_database_of_its_own(text: str, auth: str) -> None:
    """User, password, host and options are kept as written; a path is the prefix of the four names."""
    server = DatabaseUrl.parse(text)

    assert server.url(server.names["auth"]) == auth
    assert len(set(server.names.values())) == 4
    assert {name.rpartition("_")[2] for name in server.names.values()} == {"auth", "flights", "booking", "notification"}


@pytest.mark.parametrize("kind", KINDS)
def test_urls_reach_the_supervisor_by_its_environment_alone(tmp_path: Path, kind: str) -> None:
    """The command holds no URL, the supervisor makes the same backend again, and nothing of the shell comes between."""
    backend = Backend.of(kind) if kind != "external" else Backend.of(kind, db_url=DB, amqp_url=AMQP)
    plan = Plan(Layout(tmp_path), "safe", backend=backend)
    shell = {VARIABLES["db_url"]: "mysql://of-the-shell", VARIABLES["influx_token"]: "t0ken", "PATH": "/bin"}
    shell[KEY_VARIABLE] = "k3y"

    command, environment = plan.supervisor(), plan.supervisor_environment(shell)

    assert not re.search("pa55|example|shell", " ".join(command))
    assert told_backend(command[command.index("--backend") + 1], environment) == backend
    assert not {VARIABLES["influx_token"], KEY_VARIABLE} & set(environment)
    assert environment["PATH"] == "/bin"


def test_the_parts_follow_the_backend(tmp_path: Path) -> None:
    """Servers are started by `services` alone, and a mail sink where no mail server is named."""
    layout = Layout(tmp_path)
    mailed = Backend.of("external", db_url=DB, amqp_url=AMQP, smtp_url="smtp://mail.example")

    assert Plan(layout, "safe").parts == (*SERVICES, "mail")
    assert Plan(layout, "safe", backend=Backend.of("services")).parts == PARTS
    assert Plan(layout, "safe", backend=mailed).parts == SERVICES
    assert lay(mailed, layout, {}, None).smtp == "smtp://mail.example"


def test_the_wires_of_own_servers_have_a_password_each(tmp_path: Path) -> None:
    """Every database has its own user and password, the same at the next start, and no representation tells them."""
    layout = Layout(tmp_path)
    wires = lay(Backend.of("services"), layout, {"mariadb": 1, "rabbitmq": 2}, 3)

    found = {re.sub(r".*//(\w+):(\w+)@127.0.0.1:1/(\w+)\?.*", r"\1 \3 \2", url) for url in wires.databases.values()}
    assert {tuple(text.split()[:2]) for text in found} == {
        (name, name) for name in ("auth", "flights", "booking", "notification")
    }
    secrets = {text.split()[2] for text in found}
    assert len(secrets) == 4
    assert re.fullmatch(r"amqp://airbourne:\w{64}@127\.0\.0\.1:2/%2F", wires.bus)
    assert wires.smtp == "smtp://127.0.0.1:3"
    assert lay(Backend.of("services"), layout, {"mariadb": 1, "rabbitmq": 2}, 3) == wires
    assert not [secret for secret in secrets if secret in repr(wires)]
