"""Finding a target, and keeping load where it belongs."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from lab import targets
from lab.errors import TargetError
from lab.model.target import Target

if TYPE_CHECKING:
    from pathlib import Path

GATEWAY = 'gateway = "http://127.0.0.1:3005"\n'


def test_a_target_is_found_by_path_or_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path that ends in .toml; a name here, else in the lab's folder."""
    monkeypatch.chdir(tmp_path)
    root = tmp_path / "root"
    (root / "targets").mkdir(parents=True)
    (root / "targets" / "staging.toml").write_text(GATEWAY, encoding="utf-8")

    assert targets.load("staging", root, {}).name == "staging"
    (tmp_path / "staging.toml").write_text(GATEWAY + 'name = "here"\n', encoding="utf-8")
    assert targets.load("staging", root, {}).name == "here"
    assert targets.load(str(root / "targets" / "staging.toml"), root, {}).name == "staging"


def test_the_command_line_overrides_single_urls(tmp_path: Path) -> None:
    """Options win over the file, and empty ones say nothing."""
    file = tmp_path / "t.toml"
    file.write_text(GATEWAY + 'auth = "http://127.0.0.1:1"\n', encoding="utf-8")

    found = targets.load(str(file), tmp_path, {"auth": "http://127.0.0.1:2", "gateway": "", "booking": ""})

    assert (found.gateway, found.auth) == ("http://127.0.0.1:3005", "http://127.0.0.1:2")


def test_urls_alone_are_a_target(tmp_path: Path) -> None:
    """Without a file the options are the target, if they name a gateway."""
    assert targets.load("", tmp_path, {"gateway": "http://127.0.0.1:9"}).name == "target"
    with pytest.raises(TargetError, match="the URLs given: no gateway"):
        targets.load("", tmp_path, {"auth": "http://127.0.0.1:9"})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"gateway = ", "no valid TOML"),
        (b"gateway = " + b"9" * 5000, "no valid TOML"),
        (b"gateway = " + b"[" * 20_000, "no valid TOML"),
        (b"\xff", "no valid TOML"),
        (b"", "no gateway; add a line like"),
        (b'gatway = "http://h"', 'unknown key "gatway"; did you mean "gateway"'),
        (b'gateway = "http://["', "is no URL"),
        (b'[gateway]\nurl = "x"', "gateway must be a URL in quotes"),
    ],
)
def test_a_wrong_file_is_told(tmp_path: Path, text: bytes, sentence: str) -> None:
    """The error begins with the file's path."""
    file = tmp_path / "t.toml"
    file.write_bytes(text)

    with pytest.raises(TargetError, match=sentence) as caught:
        targets.load(str(file), tmp_path, {})
    assert str(caught.value).startswith(f"{file}: ")


def test_an_unknown_target_is_told_with_where_it_was_looked_for(tmp_path: Path) -> None:
    """All places and what such a file holds."""
    with pytest.raises(TargetError, match=r'no target "none": no file none\.toml or .*none\.toml; it holds lines like'):
        targets.load("none", tmp_path, {})
    with pytest.raises(TargetError, match="there is no target"):
        targets.load(str(tmp_path / "none.toml"), tmp_path, {})


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Resolve made-up names without a name server."""
    known = {"public.test": ["10.0.0.1", "8.8.8.8"], "inside.test": ["10.0.0.1", "fe80::1%eth0"]}
    real = socket.getaddrinfo

    def look(host: str, *args: Any, **kwargs: Any) -> object:
        if host in known:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 0)) for address in known[host]]
        if host.endswith(".test"):
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return real(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", look)
    return known


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.1.2.3", "192.168.0.9", "localhost", "inside.test"])
def test_private_targets_are_allowed(host: str) -> None:
    """Loopback, link-local and private addresses, by number or by name."""
    targets.require_private(Target(f"http://{host}:3005"), allow_public=False)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", ["8.8.8.8", "[2606:4700::1]", "[::ffff:8.8.8.8]", "public.test"])
def test_public_targets_need_a_word(host: str) -> None:
    """One public address among several is enough to refuse, in any of the five URLs, unless the user says so."""
    for target in (Target(f"http://{host}:3005"), Target("http://127.0.0.1", reminder=f"http://{host}")):
        with pytest.raises(TargetError, match="a public address; load goes there only with --allow-public"):
            targets.require_private(target, allow_public=False)
        targets.require_private(target, allow_public=True)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize("host", ["nobody.test", "a..b", "x" * 70, f"{'x' * 70}.test.x"])
def test_a_host_that_is_none_is_told(host: str) -> None:
    """Unknown names, and what can't be a name at all, are refused whatever is allowed."""
    for allowed in (False, True):
        with pytest.raises(TargetError, match="is unknown"):
            targets.require_private(Target(f"http://{host}:1"), allow_public=allowed)
