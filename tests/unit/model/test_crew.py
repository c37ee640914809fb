"""Who makes the load: what the options of `run` and `worker` mean."""

from __future__ import annotations

import re
from typing import Any

import pytest

from lab.errors import ConfigError
from lab.model.crew import address, is_loopback, planned

KEY = "a secret of many letters"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - never bound


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, (1, 0)),
        ({"cores": 8, "peak": 100}, (7, 0)),
        ({"cores": 8, "peak": 3}, (3, 0)),
        ({"cores": 8, "peak": 0}, (1, 0)),
        ({"workers": 4, "peak": 1}, (4, 0)),
        ({"master": True, "expect": 3, "cores": 8, "peak": 100}, (0, 3)),
        ({"master": True, "expect": 3, "workers": 2}, (2, 3)),
        ({"master": True, "expect": 1, "bind": "10.0.0.1", "key": KEY}, (0, 1)),
        ({"master": True, "expect": 1, "bind": "::1"}, (0, 1)),
    ],
)
def test_options_become_processes(options: dict[str, Any], expected: tuple[int, int]) -> None:
    """One core is left free, nobody is idle, and a master alone makes no load."""
    crew = planned(**options)

    assert (crew.workers, crew.expect) == expected
    assert crew.alone == (expected == (1, 0))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"workers": 0}, "0 workers make no load"),
        ({"workers": 1001}, "1 to 1000"),
        ({"expect": 2}, "add --master"),
        ({"bind": EVERYWHERE}, "add --master"),
        ({"master": True}, "--expect-workers 2"),
        ({"master": True, "expect": 2, "timeout": 0}, "--expect-timeout 0"),
        ({"master": True, "expect": 2, "port": 70000}, "--master-port 70000"),
        ({"master": True, "expect": 2, "bind": "10.0.0.1"}, "AIRBOURNE_WORKER_KEY"),
        ({"master": True, "expect": 2, "bind": EVERYWHERE}, "openssl rand"),
        ({"master": True, "expect": 2, "key": "short"}, "at least 12"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], sentence: str) -> None:
    """Each with the option and the remedy; a master for other machines needs a key."""
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        planned(**options)


def test_the_key_is_not_shown() -> None:
    """Not even by a crew that is printed."""
    assert KEY not in repr(planned(master=True, expect=1, key=KEY))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("lab", ("lab", 5557)),
        ("10.0.0.1:6000", ("10.0.0.1", 6000)),
        ("[::1]:7", ("::1", 7)),
        ("[fe80::1]", ("fe80::1", 5557)),
    ],
)
def test_a_masters_address_is_read(text: str, expected: tuple[str, int]) -> None:
    """With a port or with the usual one."""
    assert address(text) == expected


@pytest.mark.parametrize("text", ["", ":5557", "lab:x", "lab:0", "lab:70000", "lab:" + "9" * 5000])
def test_what_is_no_address_is_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ConfigError, match=r"HOST:PORT"):
        address(text)


def test_loopback_is_this_machine_only() -> None:
    """Addresses for everybody are not, nor are names."""
    assert all(map(is_loopback, ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"]))
    assert not any(map(is_loopback, [EVERYWHERE, "::", "*", "10.0.0.1", "lab"]))
