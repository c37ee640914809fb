"""What a command is told beside its options: `airbourne.toml` in the working folder, and the environment.

An option beats the environment, the environment beats the file. InfluxDB's variables have influxdb-client's own names.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lab.sinks.config import InfluxConfig
    from lab.stack.backend import Backend

FILE: Final = Path("airbourne.toml")
"""The settings file; it need not exist."""

VARIABLES: Final = {
    "backend": "AIRBOURNE_BACKEND",
    "profile": "AIRBOURNE_PROFILE",
    "db_url": "AIRBOURNE_DB_URL",
    "amqp_url": "AIRBOURNE_AMQP_URL",
    "smtp_url": "AIRBOURNE_SMTP_URL",
    "influx_url": "INFLUXDB_V2_URL",
    "influx_token": "INFLUXDB_V2_TOKEN",
    "influx_org": "INFLUXDB_V2_ORG",
    "influx_bucket": "INFLUXDB_V2_BUCKET",
    "influx_ssl_ca_cert": "INFLUXDB_V2_SSL_CA_CERT",
}
"""The environment variable of each setting."""

_INFLUX: Final = "influx"


@dataclass(frozen=True, slots=True)
class Settings:
    """What was set; "" is not set. In the file, what belongs to InfluxDB stands in the table `[influx]`.

    Attributes:
        backend: `embedded`, `services` or `external`.
        profile: how the platform behaves.
        db_url: the server of an external backend's four databases.
        amqp_url: its RabbitMQ.
        smtp_url: its mail server.
        influx_url: where metrics go.
        influx_token: what InfluxDB knows the lab by.
        influx_org: InfluxDB's organization.
        influx_bucket: InfluxDB's bucket.
        influx_ssl_ca_cert: a file with the certificate of who signed InfluxDB's, where that is nobody well known.
    """

    backend: str = ""
    profile: str = ""
    db_url: str = field(default="", repr=False)
    amqp_url: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    influx_url: str = field(default="", repr=False)
    influx_token: str = field(default="", repr=False)
    influx_org: str = ""
    influx_bucket: str = ""
    influx_ssl_ca_cert: str = ""

    def influx(self) -> InfluxConfig | None:
        """Give the InfluxDB server that metrics go to; None when nothing names one.

        Raises:
            ConfigError: what is set cannot work.
        """
        from lab.sinks.config import InfluxConfig  # noqa: PLC0415 - not for every command

        if not self.influx_url:
            return None
        signer = self.influx_ssl_ca_cert
        if signer and not Path(signer).is_file():
            raise ConfigError(
                f"INFLUXDB_V2_SSL_CA_CERT: there is no file {signer}; name the signer's certificate (PEM)"
            )
        return InfluxConfig(self.influx_url, self.influx_token, self.influx_org, self.influx_bucket, signer)

    def stack_backend(self, *named: str) -> Backend | None:
        """Give the backend that is asked for; None when nothing asks for one.

        URLs that stand in the file or the environment wait there until `external` is asked for; those that the
        command line names (`named`: database, broker, mail; "" for none) must go with it.

        Raises:
            ConfigError: the URLs do not go with the backend, or are none.
        """
        from lab.stack.backend import Backend  # noqa: PLC0415 - not for every command

        if not self.backend and not any(named):
            return None
        urls = (self.db_url, self.amqp_url, self.smtp_url) if self.backend == "external" else named
        return Backend.of(
            self.backend or "embedded", **dict(zip(("db_url", "amqp_url", "smtp_url"), urls, strict=False))
        )


def read(file: Path, environment: Mapping[str, str], **options: str | None) -> Settings:
    """Read the settings that hold for a command.

    Args:
        file: the settings file, which may be missing.
        environment: the process's variables.
        options: what the command line says; None and "" say nothing.

    Raises:
        ConfigError: the file is no TOML, or holds something that is no setting (it names the nearest).
    """
    found = dict(_from_file(file))
    found |= {name: environment[variable] for name, variable in VARIABLES.items() if environment.get(variable)}
    found |= {name: value for name, value in options.items() if value}
    return Settings(**found)


def _from_file(file: Path) -> Iterator[tuple[str, str]]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: no valid TOML: {error}") from None
    names = {setting.name for setting in fields(Settings)}
    inner = {name.removeprefix("influx_") for name in names if name.startswith("influx_")}
    influx = table.pop(_INFLUX, {})
    if not isinstance(influx, dict):
        raise ConfigError(f"{file}: influx: write a table: [influx], and below it url, org, bucket and so on")
    outer = {name for name in names if not name.startswith("influx_")}
    yield from _checked(table, outer | {_INFLUX}, f"{file}: ")
    for name, value in _checked(influx, inner, f"{file}: influx."):
        yield f"influx_{name}", value


def _checked(table: Mapping[str, Any], known: set[str], where: str) -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if name not in known:
            raise ConfigError(f"{where}{name}: no such setting{nearest(name, known)}")
        if not isinstance(value, str):
            raise ConfigError(f"{where}{name}: write text in quotes{'' if name == 'token' else f', not {value!r}'}")
        yield name, value
