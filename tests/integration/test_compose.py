"""Docker Compose without Docker: the file as docker-compose reads it, its scripts as shells run them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pymysql
import pytest
import typer.main
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink

import cli
from lab import settings, targets
from lab.model import crew
from lab.model.target import PORTS
from lab.stack import ports
from reference_services.common.amqp_address import AmqpAddress
from reference_services.common.composition import SERVICES, read_config
from tests.containers import DOCKER, sh, stand_in
from tests.processes import wait_until
from tests.real import MariaDB, require

if TYPE_CHECKING:
    from collections.abc import Iterator

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = DOCKER / "compose.yaml"
EXAMPLE = DOCKER / ".env.example"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
EXACT = re.compile(r":v?\d+\.\d+\.\d+(-[a-z][a-z-]*)?$")
ONE_SHOTS = {"check-env", "jwt-key", "seed", "lab"}
FOREVER = {"mysql", "rabbitmq", "mailpit", "influxdb", "grafana", *SERVICES}

Composed = dict[str, Any]


def variables() -> dict[str, str]:
    """Give what the example file sets."""
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


SECRETS = sorted(name for name in variables() if name.endswith(("_PASSWORD", "_TOKEN", "_KEY")))


def config(folder: Path, values: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Let docker-compose read the file with these variables and none of the tests' own."""
    require("docker-compose")
    file = folder / "env"
    file.write_text("".join(f"{name}={value}\n" for name, value in values.items()), encoding="utf-8")
    return subprocess.run(
        ["docker-compose", "--file", str(COMPOSE), "--env-file", str(file), "config"],  # noqa: S607 - of the PATH
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Composed:
    """Give the services of the file, as docker-compose understands them with the example's variables."""
    done = config(tmp_path_factory.mktemp("compose"), variables())
    assert done.returncode == 0, done.stderr
    services: Composed = yaml.safe_load(done.stdout)["services"]
    return services


def test_everything_that_the_laboratory_is_made_of_is_there(composed: Composed) -> None:
    """The file has the platform, its real parts, InfluxDB with Grafana, the lab and its workers, and no more."""
    assert set(composed) == FOREVER | ONE_SHOTS | {"worker"}


def test_images_are_pinned_to_an_exact_version(composed: Composed) -> None:
    """No image changes by itself: each tag, in the Dockerfile too, names a version to its last digit."""
    images = {name: service["image"] for name, service in composed.items()}
    assert {name: image for name, image in images.items() if not EXACT.search(image)} == {}
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(bases) == 2
    assert all(EXACT.search(base) for base in bases), bases


def test_the_labs_image_is_built_once(composed: Composed) -> None:
    """Builds of one tag at the same time fail where there is none yet: the first container makes it, nobody else."""
    ours = {name for name, service in composed.items() if service["image"] == composed["check-env"]["image"]}
    assert ours == {*SERVICES, *ONE_SHOTS, "worker"}
    assert {name for name in ours if "build" in composed[name]} == {"check-env"}
    assert {name: composed[name]["pull_policy"] for name in ours - {"check-env"}} == dict.fromkeys(
        ours - {"check-env"}, "never"
    )


def test_what_stays_up_tells_whether_it_is_healthy(composed: Composed) -> None:
    """Every service that stays up has a health check and is started again; what ends by itself is not."""
    for name in FOREVER:
        assert composed[name]["healthcheck"]["test"], name
        assert composed[name]["restart"] == "unless-stopped", name
    for name in ONE_SHOTS:
        assert composed[name]["restart"] == "no", name


def test_everything_waits_for_what_it_needs(composed: Composed) -> None:
    """Nothing starts before the check of the variables, and each waits until what it needs is healthy or done."""

    def needs(name: str) -> set[str]:
        found = set(composed[name].get("depends_on", {}))
        return found.union(*(needs(other) for other in found))

    for name, service in composed.items():
        assert name == "check-env" or "check-env" in needs(name), name
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONE_SHOTS else "service_healthy"
            assert how["condition"] == wanted, (name, other)
    assert needs("lab") >= FOREVER - {"grafana"}


def test_ports_are_published_on_loopback_only(composed: Composed) -> None:
    """With the example's variables no other machine reaches a port, and the databases have none."""
    published = {name: service["ports"] for name, service in composed.items() if "ports" in service}
    assert set(published) == {"rabbitmq", "mailpit", "influxdb", "grafana", *SERVICES}
    for name, given in published.items():
        assert [ip_address(port.split(":")[0]).is_loopback for port in given] == [True], name


def test_one_variable_publishes_every_port_elsewhere(tmp_path: Path) -> None:
    """BIND_ADDRESS moves all ports at once, and the check of the variables is told of it."""
    done = config(tmp_path, variables() | {"BIND_ADDRESS": "192.0.2.1"})
    services = yaml.safe_load(done.stdout)["services"]
    given = [port for service in services.values() for port in service.get("ports", [])]
    assert len(given) == 9
    assert all(port.startswith("192.0.2.1:") for port in given), given
    assert services["check-env"]["environment"]["BIND_ADDRESS"] == "192.0.2.1"


def test_nothing_runs_as_root_or_may_become_it(composed: Composed) -> None:
    """Every container has a user other than root, no capabilities, and no way to new ones."""
    user = re.findall(r"^USER (\S+)", DOCKERFILE.split("\nFROM ")[-1], re.MULTILINE)
    assert len(user) == 1
    for name, service in composed.items():
        given = service.get("user", user[0] if service["image"] == composed["check-env"]["image"] else "root")
        assert given.split(":")[0] not in {"", "0", "root"}, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid"} & set(service), name


def test_the_example_sets_every_variable_of_the_file_and_no_other() -> None:
    """Whoever copies the example has set all that the compose file asks for."""
    asked = set(re.findall(r"(?<!\$)\$\{?([A-Z][A-Z0-9_]*)", COMPOSE.read_text(encoding="utf-8")))
    assert asked | {"COMPOSE_PROJECT_NAME"} == set(variables())


@pytest.mark.parametrize("name", SECRETS)
def test_a_password_that_is_not_set_is_asked_for(name: str, tmp_path: Path) -> None:
    """There is no default password: without one, docker-compose ends with the variable's name and where to set it."""
    done = config(tmp_path, {key: value for key, value in variables().items() if key != name})
    assert done.returncode != 0
    assert name in done.stderr
    assert "set it in docker/.env, as .env.example shows" in done.stderr


def test_no_secret_stands_in_a_committed_file(tmp_path: Path) -> None:
    """What is secret comes from the variables alone: new values leave nothing of the old ones, and .env is ignored."""
    fresh = {name: f"fresh-{number}-password" for number, name in enumerate(SECRETS)}
    done = config(tmp_path, variables() | fresh)
    assert "change-me" not in done.stdout
    assert all(value in done.stdout for value in fresh.values())
    for file in [path for path in DOCKER.rglob("*") if path.is_file() and path.name not in {".env", EXAMPLE.name}]:
        assert "change-me" not in file.read_text(encoding="utf-8"), file
    assert ".env" in (DOCKER / ".gitignore").read_text(encoding="utf-8").split()


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_understands_its_environment(service: str, composed: Composed, tmp_path: Path) -> None:
    """Each service's own configuration is made of the variables that its container gets, at the contract's port."""
    key = tmp_path / "jwt"
    assert sh("jwt-key.sh", str(key), env={}).returncode == 0
    given = composed[service]["environment"]
    found = read_config(service, given | ({"JWT_SECRET_FILE": str(key)} if "JWT_SECRET_FILE" in given else {}))
    assert found.common.port == PORTS[service]
    assert found.common.host == "0.0.0.0"  # noqa: S104 - inside the container's own network
    assert composed[service]["ports"] == [f"127.0.0.1:{PORTS[service]}:{PORTS[service]}/tcp"]
    assert composed[service]["command"] == [service]


@pytest.mark.parametrize("service", ["booking", "reminder"])
def test_a_service_logs_in_to_the_broker_beside_it(service: str, composed: Composed) -> None:
    """The bus's URL names RabbitMQ's container and virtual host, and the user that RabbitMQ makes."""
    broker = composed["rabbitmq"]["environment"]
    found = AmqpAddress.parse(composed[service]["environment"]["BUS_URL"])
    assert (found.host, found.port, found.virtual_host) == ("rabbitmq", 5672, "/")
    assert (found.user, found.password) == (broker["RABBITMQ_DEFAULT_USER"], broker["RABBITMQ_DEFAULT_PASS"])


def test_the_lab_finds_the_platform_and_influxdb(composed: Composed) -> None:
    """The target of the image names the file's services, and the lab's settings are read from its environment."""
    target = targets.load(str(DOCKER / "target.toml"), REPOSITORY, {})
    assert target.hosts() == set(SERVICES)
    assert all(target.url(service) == f"http://{service}:{PORTS[service]}" for service in SERVICES)
    influxdb = composed["influxdb"]["environment"]
    found = settings.read(DOCKER / "none.toml", composed["lab"]["environment"])
    assert found.influx_url == "http://influxdb:8086"
    assert found.influx_token == influxdb["DOCKER_INFLUXDB_INIT_ADMIN_TOKEN"]
    assert found.influx_org == influxdb["DOCKER_INFLUXDB_INIT_ORG"]
    assert found.influx_bucket == influxdb["DOCKER_INFLUXDB_INIT_BUCKET"]


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (["run", "--scenario", "ramp"], ["run", "--target", "/app/target.toml", "--scenario", "ramp"]),
        (["seed"], ["seed", "--target", "/app/target.toml"]),
        (
            ["run", "--master", "--bind", "10.0.0.1"],
            ["run", "--target", "/app/target.toml", "--bind", "0.0.0.0", "--master", "--bind", "10.0.0.1"],  # noqa: S104
        ),
        (["runs", "--json"], ["runs", "--json"]),
        (["worker", "--master", "lab"], ["worker", "--master", "lab"]),
        ([], []),
    ],
)
def test_the_lab_runs_against_the_platform_beside_it(given: list[str], sent: list[str], tmp_path: Path) -> None:
    """`run` and `seed` get the image's target, a master listens to other containers, and words stay whole."""
    stand_in(tmp_path, "airbourne-lab")
    done = sh("lab.sh", *given, "two words", env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.stdout.splitlines() == [*sent, "two words"]


def test_the_commands_of_the_file_exist(composed: Composed) -> None:
    """What the lab's containers run is a command of the program, with options that it has."""
    commands: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]
    for name in ("seed", "worker"):
        command, *words = composed[name]["command"]
        known = {option for parameter in commands[command].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
    assert {"--target", "--bind", "--master"} <= {option for given in commands["run"].params for option in given.opts}


def test_workers_show_the_key_that_their_master_asks_for(composed: Composed) -> None:
    """Master and workers have the same key, one that the lab takes; it lets the master listen to other containers."""
    (key,) = {composed[name]["environment"][crew.KEY_VARIABLE] for name in ("lab", "worker")}
    assert crew.Crew(workers=0, expect=4, bind="0.0.0.0", key=key).size == 4  # noqa: S104
    host, _ = crew.address(composed["worker"]["command"][2])
    assert host == "lab"


def test_example_passwords_will_do_on_this_machine_alone() -> None:
    """On loopback, in each way to write it, the check lets the example's values pass."""
    for address in ("127.0.0.1", "127.8.8.8", "::1", "[::1]", ""):
        done = check(BIND_ADDRESS=address)
        assert (done.returncode, done.stderr) == (0, ""), address


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "::", "10.127.0.1", "127.0.0.1.example.org"])  # noqa: S104
def test_example_passwords_are_refused_where_others_reach_them(address: str) -> None:
    """Elsewhere every value that is still the example's is named, and the start ends; with changed ones it goes on."""
    done = check(BIND_ADDRESS=address)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert len(lines) == len(SECRETS)
    for name in SECRETS:
        said = (
            f"Not started: {name} still has the value of .env.example, and BIND_ADDRESS={address} lets other machines"
        )
        assert any(line.startswith(said) for line in lines), name
    changed = {name: f"a-changed-one-{number}" for number, name in enumerate(SECRETS)}
    assert check(BIND_ADDRESS=address, **changed).returncode == 0
    assert check(BIND_ADDRESS=address, **changed | {SECRETS[0]: variables()[SECRETS[0]]}).returncode == 1


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", "has 0 characters; in .env, give it 12 to 72."),
        ("short", "has 5 characters; in .env, give it 12 to 72."),
        ("x" * 73, "has 73 characters; in .env, give it 12 to 72."),
        ("with@at-sign", "holds a character that cannot stand in a URL"),
        ("it's-quoted", "holds a character that cannot stand in a URL"),
        ("$(touch here)", "holds a character that cannot stand in a URL"),
    ],
)
def test_passwords_that_cannot_work_are_refused(value: str, said: str) -> None:
    """A password that no URL or server would take is named before anything starts, on loopback too, and not shown."""
    done = check(GRAFANA_PASSWORD=value)
    assert done.returncode == 1
    assert done.stderr.startswith(f"Not started: GRAFANA_PASSWORD {said}")
    assert not value or value not in done.stderr


def check(**changes: str) -> subprocess.CompletedProcess[str]:
    """Run the check of the variables with the example's values, changed."""
    return sh("check-env.sh", str(EXAMPLE), env=variables() | changes)


def test_the_check_is_told_of_every_password(composed: Composed) -> None:
    """The container that checks gets the values that it compares, and the file that it compares with."""
    assert set(composed["check-env"]["environment"]) == {*SECRETS, "BIND_ADDRESS"}
    assert composed["check-env"]["entrypoint"] == ["/app/check-env.sh", "/app/.env.example"]
    assert composed["check-env"]["volumes"] == [f"{EXAMPLE}:/app/.env.example:ro"]


def test_the_key_of_the_tokens_is_made_once(tmp_path: Path) -> None:
    """The first start makes a key that only its owner reads; later ones keep it."""
    first, second = tmp_path / "jwt", tmp_path / "other"
    assert sh("jwt-key.sh", str(first), env={}).returncode == 0
    key = first.read_text(encoding="utf-8")
    assert re.fullmatch(r"[0-9a-f]{64}", key)
    assert first.stat().st_mode & 0o777 == 0o600
    assert sh("jwt-key.sh", str(first), env={}).returncode == 0
    assert first.read_text(encoding="utf-8") == key
    assert sh("jwt-key.sh", str(second), env={}).returncode == 0
    assert second.read_text(encoding="utf-8") != key
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jwt", "other"]


def test_auth_reads_the_key_that_was_made(composed: Composed) -> None:
    """The auth service is told of the file that `jwt-key` makes, in the same volume, and cannot change it."""
    made = composed["jwt-key"]["entrypoint"][1]
    assert composed["auth"]["environment"]["JWT_SECRET_FILE"] == made == "/key/jwt"
    assert composed["jwt-key"]["volumes"] == ["auth-key:/key:rw"]
    assert composed["auth"]["volumes"] == ["auth-key:/key:ro"]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDB]:
    """Give a server that the script has prepared, as MySQL's first start would."""
    with MariaDB(tmp_path_factory.mktemp("compose") / "mariadb") as server:
        where = {"MYSQL_HOST": "127.0.0.1", "MYSQL_TCP_PORT": str(server.port), "MYSQL_ROOT_PASSWORD": server.password}
        secrets = {name: value for name, value in variables().items() if name.endswith("_DB_PASSWORD")}
        empty(server)
        done = sh("mysql/databases.sh", env=where | secrets)
        assert done.returncode == 0, done.stderr
        yield server


@pytest.mark.parametrize("service", ["auth", "flights", "booking", "reminder"])
def test_each_service_has_a_database_that_no_other_sees(service: str, composed: Composed, databases: MariaDB) -> None:
    """On a real server, each service's own URL opens its own database and shows it nothing else."""
    url = composed[service]["environment"]["DATABASE_URL"]
    user, word, database = re.findall(r"//(\w+):([\w-]+)@mysql:3306/(\w+)\?charset=utf8mb4$", url)[0]
    with (
        pymysql.connect(host="127.0.0.1", port=databases.port, user=user, password=word) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute("SHOW DATABASES")
        assert {name for (name,) in cursor.fetchall()} == {"information_schema", database}


@pytest.fixture
def mailpit() -> Iterator[int]:
    """Give the port of a mail server that throws everything away."""
    port, claim = ports.claim_any("mailpit")
    server = Controller(Sink(), hostname="127.0.0.1", port=port)
    with claim:
        server.start()
        try:
            yield port
        finally:
            server.stop()


def test_the_platform_becomes_healthy_with_what_it_is_given(
    composed: Composed, databases: MariaDB, mailpit: int, tmp_path: Path
) -> None:
    """With their commands, their environment and their databases, the services pass their health checks in order."""
    key = tmp_path / "jwt"
    assert sh("jwt-key.sh", str(key), env={}).returncode == 0
    places = {"mysql:3306": databases.port, "mailpit:1025": mailpit}
    with ExitStack() as running:
        for service in sorted(SERVICES):
            port, claim = ports.claim_any(service)
            running.enter_context(claim)
            places[f"{service}:{PORTS[service]}"] = port
        for service in ("auth", "flights", "booking", "reminder", "gateway"):
            given = {name: moved(value, places) for name, value in composed[service]["environment"].items()}
            here = {"HOST": "127.0.0.1", "PORT": str(places[f"{service}:{PORTS[service]}"]), "PATH": os.environ["PATH"]}
            # What logs in to RabbitMQ has a test of its own.
            apart = {"BUS_URL": f"queue://{tmp_path}/bus", "JWT_SECRET_FILE": str(key)}
            given |= here | {name: value for name, value in apart.items() if name in given}
            running.enter_context(serving(composed[service], given, tmp_path / f"{service}.log"))


def moved(value: str, places: dict[str, int]) -> str:
    """Put the ports of this machine where a variable names containers."""
    for place, port in places.items():
        value = value.replace(place, f"127.0.0.1:{port}")
    return value


@contextmanager
def serving(service: Composed, given: dict[str, str], log: Path) -> Iterator[None]:
    """Run a service by its container's command until the block ends; its own health check has passed once."""
    _, *start = service["entrypoint"]
    _, _, *ask = service["healthcheck"]["test"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, *start, *service["command"]], env=given, cwd=REPOSITORY, stdout=output, stderr=output
        )

    def healthy() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        return subprocess.run([sys.executable, *ask], env=given, capture_output=True, check=False).returncode == 0

    try:
        wait_until(healthy)
        yield
    finally:
        process.terminate()
        process.wait(30)


def empty(server: MariaDB) -> None:
    """Take away what the lab makes in its own servers: MySQL's first start finds no database and no user but root."""
    for database in ("auth", "flights", "booking", "notification"):
        server.sql(f"DROP DATABASE IF EXISTS {database}")
    for user, host in server.sql(
        "SELECT user, host FROM mysql.user WHERE user IN ('auth', 'flights', 'booking', 'reminder')"
    ):
        server.sql(f"DROP USER '{user}'@'{host}'")


def test_influxdb_gets_a_database_for_influxql_and_a_reader_for_grafana(composed: Composed, tmp_path: Path) -> None:
    """The script maps the bucket to the database that Grafana names, and makes the user that Grafana is, who reads."""
    require("bash")
    stand_in(tmp_path, "influx")
    given = composed["influxdb"]["environment"] | {"DOCKER_INFLUXDB_INIT_BUCKET_ID": "0123456789abcdef"}
    done = sh("influxdb/v1.sh", env=given | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    mapped, user = words[: words.index("auth") - 1], words[words.index("auth") - 1 :]
    source = yaml.safe_load((DOCKER / "grafana/provisioning/datasources/influxdb.yaml").read_text(encoding="utf-8"))
    (found,) = source["datasources"]
    assert option(mapped, "--db") == found["jsonData"]["dbName"]
    assert option(mapped, "--bucket-id") == option(user, "--read-bucket") == "0123456789abcdef"
    assert option(user, "--username") == found["user"]
    assert option(user, "--password") == composed["grafana"]["environment"]["INFLUXDB_READ_PASSWORD"]
    assert found["secureJsonData"]["password"] == "$INFLUXDB_READ_PASSWORD"
    assert "--write-bucket" not in user


def option(words: list[str], name: str) -> str:
    """Give what stands after an option."""
    return words[words.index(name) + 1]


def test_what_is_mounted_is_there_and_can_be_run(composed: Composed) -> None:
    """Every file that a container gets from the repository exists; a script among them may be executed."""
    mounts = [mount for service in composed.values() for mount in service.get("volumes", []) if mount.startswith("/")]
    assert len(mounts) == 5
    for source, _, how in (mount.split(":") for mount in mounts):
        assert how == "ro", source
        assert Path(source).exists(), source
        assert not source.endswith(".sh") or os.access(source, os.X_OK), source


def test_the_image_holds_what_it_needs_and_nothing_secret() -> None:
    """The builder is sent what is copied and no more, packages have their tested versions, none is for tests."""
    sent = (DOCKER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line.removeprefix("!") for line in sent if line.startswith("!")}
    assert "*" in sent
    copied = [line.split()[:-1] for line in re.findall(r"^COPY (?!--from)(.*)", DOCKERFILE, re.MULTILINE)]
    assert {name for names in copied for name in names} == allowed
    assert all((REPOSITORY / name).exists() for name in allowed)
    wheel = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]
    assert set(wheel["targets"]["wheel"]["only-include"]) <= allowed
    assert "--constraint constraints.txt" in DOCKERFILE
    assert "[dev]" not in DOCKERFILE
    assert not re.search(r"^(ENV|ARG) .*(PASSWORD|SECRET|TOKEN|KEY)", DOCKERFILE, re.MULTILINE)
    for name in ("lab.sh", "check-env.sh", "jwt-key.sh"):
        assert os.access(DOCKER / name, os.X_OK), name


def test_the_scripts_are_plain_shell() -> None:
    """Every script is understood by the shell that its first line names."""
    for script in sorted(DOCKER.rglob("*.sh")):
        shell = script.read_text(encoding="utf-8").splitlines()[0].removeprefix("#!/bin/")
        program = shutil.which(shell)
        assert program, shell
        done = subprocess.run([program, "-n", str(script)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), script
