"""Where points go, and what a run knows of who takes them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from lab.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lab.model.run import Run, SinkSummary
    from lab.model.sample import Tick
    from lab.store import RunFolder


@dataclass(frozen=True, slots=True)
class InfluxConfig:
    """An InfluxDB server, or one that takes its v2 write calls; the token is never shown.

    InfluxDB 1.8 takes `user:password` as token, nothing as organisation and `database/retention` as bucket.
    """

    url: str
    token: str = field(default="", repr=False)
    org: str = ""
    bucket: str = ""
    ssl_ca_cert: str = ""

    def __post_init__(self) -> None:
        """Refuse what could not work, without showing what may be a secret.

        Raises:
            ConfigError: no URL, one with a password in it, no bucket, or a token that no header can hold.
        """
        try:
            parts = urlsplit(self.url)
            sound = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        except ValueError:
            sound = False
        if not sound:
            raise ConfigError("--influx: write the URL of the server, like http://127.0.0.1:8086")
        if parts.username is not None or parts.query or parts.fragment:
            raise ConfigError(
                "--influx: give the URL alone, without a user, a password or a query; the token belongs in "
                "INFLUXDB_V2_TOKEN"
            )
        if not self.bucket:
            raise ConfigError("InfluxDB: say where the points go, with --influx-bucket or INFLUXDB_V2_BUCKET")
        if not (self.token.isascii() and self.token.isprintable()):
            raise ConfigError("InfluxDB: the token holds characters that no token has; was it copied whole?")
        object.__setattr__(self, "url", self.url.rstrip("/"))


class Sink(Protocol):
    """Takes a run's seconds while it goes on. It never raises into the run, and never makes it wait."""

    def begin(self, run: Run, folder: RunFolder) -> None:
        """Hear that second 0 of the load has begun: `run.load_started` is set."""

    def tick(self, tick: Tick) -> None:
        """Take a second."""

    def news(self) -> str:
        """Give a sentence for the screen when there is something new to say, or nothing."""

    def end(self, run: Run, folder: RunFolder, delays: Sequence[Tick]) -> SinkSummary:
        """Take the judged run and what was only known after the load; wait a bounded time for all to be sent."""
