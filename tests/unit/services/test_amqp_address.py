"""Reading `BUS_URL`."""

from __future__ import annotations

import pytest

from reference_services.common.amqp_address import AmqpAddress
from reference_services.common.bus import BusConfig, open_consumer, open_publisher
from reference_services.common.errors import ConfigError

SECRET = "s3/cr@t"


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("amqp://ann:s3%2Fcr%40t@broker:5673/%2F", ("broker", 5673, "/", "ann", SECRET, 20)),
        ("amqp://ann:s3%2Fcr%40t@broker", ("broker", 5672, "/", "ann", SECRET, 20)),
        ("amqp://ann:s3%2Fcr%40t@broker/", ("broker", 5672, "/", "ann", SECRET, 20)),
        ("amqp://ann:s3%2Fcr%40t@[::1]/air%20bourne?heartbeat=3", ("::1", 5672, "air bourne", "ann", SECRET, 3)),
        ("amqp://broker/v", ("broker", 5672, "v", "guest", "guest", 20)),
        ("amqp://ann@broker", ("broker", 5672, "/", "ann", "guest", 20)),
        ("amqps://ann:s3%2Fcr%40t@broker", ("broker", 5671, "/", "ann", SECRET, 20)),
    ],
)
def test_a_url_is_a_place(url: str, place: tuple[object, ...]) -> None:
    """User, password and virtual host are decoded; ports, the virtual host and the user have the usual defaults."""
    found = AmqpAddress.parse(url)
    parts = (found.host, found.port, found.virtual_host, found.user, found.password, found.heartbeat_s)
    assert parts == place
    assert (found.tls is not None) is url.startswith("amqps")
    assert SECRET not in f"{found!r} {found.name}"


def test_certificates_are_verified_unless_the_url_says_otherwise() -> None:
    """`amqps` checks certificate and host name; `verify=no` neither."""
    strict, loose = (AmqpAddress.parse(f"amqps://broker{option}").tls for option in ("", "?verify=no"))
    assert strict is not None
    assert loose is not None
    assert (strict.check_hostname, strict.verify_mode.name) == (True, "CERT_REQUIRED")
    assert (loose.check_hostname, loose.verify_mode.name) == (False, "CERT_NONE")


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("amqp://", "is no amqp://"),
        ("amqp://ann:pw-7@broker:99999/", "is no amqp://"),
        ("amqp://ann:pw-7@broker:port/", "is no amqp://"),
        ("amqp://ann:pw-7@broker?heartbeat=0", 'not "0"'),
        ("amqp://ann:pw-7@broker?heartbeat=-5", 'not "-5"'),
        ("amqp://ann:pw-7@broker?heartbeat=99999", "1 to 3600"),
        ("amqp://ann:pw-7@broker?hartbeat=5", 'the option "hartbeat" is not known'),
        ("amqp://ann:pw-7@broker?heartbeat=5&heartbeat=6", "stands twice"),
        ("amqp://ann:pw-7@broker?verify=no", "not encrypted"),
        ("amqps://ann:pw-7@broker?verify=maybe", '"yes" or "no"'),
        ("amqps://ann:pw-7@broker?cafile=/nowhere/ca.pem", "/nowhere/ca.pem cannot be used"),
        ("ampq://ann:pw-7@broker", "is no bus that is known"),
        ("ann:pw-7@broker", "is no bus that is known"),
        ("queue://", "is no bus that is known"),
    ],
)
def test_a_mistake_is_a_sentence_without_the_password(url: str, problem: str) -> None:
    """Each names the variable and what is wrong, on both sides of the bus."""
    for open_side in (open_publisher, open_consumer):
        with pytest.raises(ConfigError) as caught:
            open_side(BusConfig(url, "exchange", "key", "queue"))
        assert str(caught.value).startswith("BUS_URL: ")
        assert problem in str(caught.value)
        assert "pw-7" not in str(caught.value)


def test_a_configuration_does_not_show_its_url() -> None:
    """The representation of a bus holds no password."""
    assert "pw-7" not in repr(BusConfig("amqp://ann:pw-7@broker", "exchange", "key", "queue"))
