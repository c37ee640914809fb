"""Targets as values: five URLs."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import TargetError
from lab.model.target import PORTS, PREFIXES, Target, is_private, local_target


def test_a_gateway_is_enough() -> None:
    """Services without a URL of their own are reached through the gateway's prefixes."""
    target = Target("http://h:3005/", flights="http://f:1/x/")

    assert target.gateway == "http://h:3005"
    assert target.url("auth") == "http://h:3005/auth"
    assert target.url("booking") == "http://h:3005/bookingservice"
    assert target.url("flights") == "http://f:1/x"
    assert target.through_gateway("flights") == "http://h:3005/flights"
    assert target.hosts() == {"h", "f"}
    assert set(PREFIXES) == set(PORTS) - {"gateway"}


@pytest.mark.parametrize(
    "url",
    [
        "", "h:3005", "//h", "ftp://h", "http://", "http:///x", "http://[", "http://[::1", "http://h:x", "http://h:0",
        "http://h:99999", "http://h:-1", "javascript:alert(1)", "http://h/?q=1", "http://h/#f",
    ],
)  # fmt: skip
def test_what_is_no_url_is_refused(url: str) -> None:
    """The error names the service, what was written and the right form."""
    with pytest.raises(TargetError, match=r'gateway = ".*" is no URL of the kind http://host:port'):
        Target(url)
    if url:
        with pytest.raises(TargetError, match="auth = "):
            Target("http://h", auth=url)


def test_credentials_are_refused_and_not_repeated() -> None:
    """Runs record their target, so a URL may hold no password, and the error doesn't show it either."""
    with pytest.raises(TargetError, match="user name or password") as caught:
        Target("http://me:s3cret@h")

    assert "s3cret" not in str(caught.value)


@settings(max_examples=75, deadline=None)
@given(st.text(max_size=30) | st.from_regex(r"http://[a-z\[\]:@/?#0-9.]{0,15}", fullmatch=True))
def test_no_text_breaks_a_target(url: str) -> None:
    """Any text is a URL with a host, or a TargetError."""
    with suppress(TargetError):
        assert Target(url).hosts()


def test_a_table_is_read() -> None:
    """Keys are the services and a name."""
    found = Target.from_mapping({"name": "n", "gateway": "http://g", "auth": "http://a"}, "t.toml")

    assert (found.name, found.gateway, found.auth, found.booking) == (
        "n", "http://g", "http://a", "http://g/bookingservice",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ({}, "t.toml: no gateway; add a line like"),
        ({"gateway": ""}, "t.toml: no gateway"),
        ({"auth": "http://a"}, "t.toml: no gateway"),
        ({"gateway": "http://g", "fligths": "x"}, 't.toml: unknown key "fligths"; did you mean "flights"'),
        ({"gateway": 5}, "t.toml: gateway must be a URL in quotes"),
        ({"gateway": "http://g", "auth": ["x"]}, "t.toml: auth must be a URL in quotes"),
        ({"gateway": "http://g", "auth": "x"}, 't.toml: auth = "x" is no URL'),
    ],
)
def test_a_wrong_table_is_told_by_its_source(table: dict[str, object], sentence: str) -> None:
    """The error says where it comes from, the key and the nearest right one."""
    with pytest.raises(TargetError) as caught:
        Target.from_mapping(table, "t.toml")

    assert str(caught.value).startswith(sentence)


def test_the_bundled_target_has_the_platforms_ports() -> None:
    """The ports of the contract, moved together."""
    assert local_target().booking == "http://127.0.0.1:3003"
    assert local_target(100).gateway == "http://127.0.0.1:3105"
    assert local_target().hosts() == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("address", "private"),
    [
        ("127.0.0.1", True), ("::1", True), ("10.1.2.3", True), ("172.31.0.1", True), ("192.168.1.1", True),
        ("169.254.1.1", True), ("fe80::1", True), ("fd00::1", True), ("8.8.8.8", False), ("172.32.0.1", False),
        ("1.1.1.1", False), ("2606:4700::1", False), ("::ffff:8.8.8.8", False),
    ],
)  # fmt: skip
def test_public_addresses_are_known(address: str, private: bool) -> None:  # noqa: FBT001 - a column of a table
    """Loopback, link-local and private ranges are; an IPv4 address in IPv6's clothes is what it is."""
    assert is_private(address) is private
