"""Settings come from options, the environment and a file, in that order; secrets leave no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from lab import redact, settings
from lab.errors import ConfigError
from lab.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

FILE = """
backend = "external"
db_url = "mysql://lab:file@127.0.0.1"
[influx]
url = "http://127.0.0.1:8086"
token = "file-token"
org = "airbourne"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a settings file."""
    path = tmp_path / "airbourne.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def test_without_a_file_nothing_is_set(tmp_path: Path) -> None:
    """A missing file is no error."""
    assert settings.read(tmp_path / "airbourne.toml", {}) == Settings()


def test_an_option_beats_the_environment_and_the_environment_beats_the_file(file: Path) -> None:
    """Each setting is taken from the nearest place that has it."""
    environment = {"AIRBOURNE_DB_URL": "mysql://environment", "INFLUXDB_V2_TOKEN": "environment-token"}
    found = settings.read(file, environment, db_url="mysql://option", influx_bucket=None, backend="")
    assert found.db_url == "mysql://option"
    assert found.influx_token == "environment-token"
    assert (found.backend, found.influx_org, found.influx_bucket) == ("external", "airbourne", "")


def test_every_variable_is_read(tmp_path: Path) -> None:
    """Each documented variable sets its own setting and no other."""
    for name, variable in settings.VARIABLES.items():
        assert settings.read(tmp_path / "none.toml", {variable: "x"}) == Settings(**{name: "x"})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('bakend = "services"', 'bakend: no such setting; did you mean "backend"?'),
        ('[influx]\ntokn = "x"', 'influx.tokn: no such setting; did you mean "token"?'),
        ('influx = "x"', "influx: write a table"),
        ("profile = 3", "profile: write text in quotes, not 3"),
        ("profile =", "no valid TOML"),
        ('influx_url = "x"', "influx_url: no such setting"),
    ],
)
def test_a_wrong_file_names_the_place_and_the_remedy(tmp_path: Path, text: str, words: str) -> None:
    """What is no setting is refused with the file, the name and the nearest right one."""
    path = tmp_path / "airbourne.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"airbourne\.toml: ") as caught:
        settings.read(path, {})
    assert words in str(caught.value)


def test_a_token_without_quotes_is_not_told(tmp_path: Path) -> None:
    """A token of digits alone is no text to TOML, and a secret all the same."""
    path = tmp_path / "airbourne.toml"
    path.write_text("[influx]\ntoken = 12345", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"influx\.token: write text in quotes$"):
        settings.read(path, {})


def test_a_folder_in_place_of_the_file_is_said(tmp_path: Path) -> None:
    """What cannot be read ends in a sentence, not in a trace."""
    with pytest.raises(ConfigError, match="cannot be read"):
        settings.read(tmp_path, {})


def test_urls_of_the_environment_wait_until_external_is_asked_for(file: Path) -> None:
    """A database's URL in the environment is no obstacle to another backend, and is used with `external`."""
    urls = {"AIRBOURNE_DB_URL": "mysql://a:b@127.0.0.1:3306", "AIRBOURNE_AMQP_URL": "amqp://a:b@127.0.0.1:5672"}
    services = settings.read(file, urls, backend="services").stack_backend("", "", "")
    external = settings.read(file, urls, backend="external").stack_backend("", "", "")
    assert (services and services.kind, external and external.db_url) == ("services", urls["AIRBOURNE_DB_URL"])
    assert settings.read(file.with_name("none.toml"), urls).stack_backend("", "", "") is None


def test_urls_on_the_command_line_need_external(file: Path) -> None:
    """A URL that the user just wrote is never left out silently."""
    told = settings.read(file, {}, backend="services", amqp_url="amqp://127.0.0.1:5672")
    with pytest.raises(ConfigError, match="--amqp-url is for --backend external"):
        told.stack_backend("", "amqp://127.0.0.1:5672", "")


def test_settings_show_no_secret(file: Path) -> None:
    """The text form of settings holds no password and no token."""
    shown = repr(settings.read(file, {}))
    assert "file-token" not in shown
    assert "lab:file" not in shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["run", "--influx-token", "abc"], ["run", "--influx-token", "***"]),
        (["run", "--influx-token=abc", "-s", "x"], ["run", "--influx-token=***", "-s", "x"]),
        (["--db-url", "mysql://lab:p@ss@db:3306/x"], ["--db-url", "mysql://***@db:3306/x"]),
        (["--amqp-url=amqp://a:b@h/%2F?heartbeat=5"], ["--amqp-url=amqp://***@h/%2F?heartbeat=5"]),
        (["--db-url=mysql://a:with blank@h"], ["--db-url=mysql://***@h"]),
        (["--db-url", "mysql://h?passwd=abc"], ["--db-url", "mysql://h?passwd=***"]),
        (["--influx", "http://h:1?token=abc&org=o"], ["--influx", "http://h:1?token=***&org=o"]),
        (["--gateway", "http://h:1/a@b"], ["--gateway", "http://h:1/a@b"]),
    ],
)
def test_a_command_is_kept_without_its_secrets(words: list[str], shown: list[str]) -> None:
    """Tokens and passwords are masked; the rest of the command stays as it was written."""
    assert redact.command(words) == shown


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=4))
@example("with a blank")
def test_no_password_survives(password: str) -> None:
    """Whatever a password is made of, a URL that is shown does not hold it."""
    assert f":{password}@" not in redact.url(f"amqp://lab:{password}@127.0.0.1:5672/%2F")


@given(st.lists(st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1)))
def test_plain_words_stay(words: list[str]) -> None:
    """A command without secrets is kept word for word."""
    assert redact.command(words) == words
