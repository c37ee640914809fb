"""Where points go: what is refused, and that no secret shows."""

from __future__ import annotations

import pytest

from lab.errors import ConfigError
from lab.sinks.config import InfluxConfig


def test_the_token_is_never_shown() -> None:
    """Neither as text nor in a traceback's locals."""
    made = InfluxConfig("http://127.0.0.1:8086/", "s3cr3t", "o", "b")
    assert "s3cr3t" not in repr(made)
    assert "s3cr3t" not in f"{made}"
    assert made.url == "http://127.0.0.1:8086"


@pytest.mark.parametrize(
    ("url", "token", "bucket", "sentence"),
    [
        ("127.0.0.1:8086", "", "b", "--influx: write the URL of the server"),
        ("ftp://host", "", "b", "--influx: write the URL of the server"),
        ("http://", "", "b", "--influx: write the URL of the server"),
        ("http://host:99999", "", "b", "--influx: write the URL of the server"),
        ("http://[host", "", "b", "--influx: write the URL of the server"),
        ("http://user:s3cr3t@host", "", "b", "without a user, a password or a query"),
        ("http://host?token=s3cr3t", "", "b", "without a user, a password or a query"),
        ("http://host", "s3cr3t", "", "INFLUXDB_V2_BUCKET"),
        ("http://host", "s3cr3t\n", "b", "characters that no token has"),
        ("http://host", "s3cr3té", "b", "characters that no token has"),
    ],
)
def test_what_could_not_work_is_refused(url: str, token: str, bucket: str, sentence: str) -> None:
    """The sentence names the remedy, and never repeats what may be a secret."""
    with pytest.raises(ConfigError, match=sentence) as caught:
        InfluxConfig(url, token, "o", bucket)
    assert "s3cr3t" not in str(caught.value)
