"""The house keeps its shape: who imports whom, what `--help` may cost, and what may not be committed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"gevent", "jinja2", "locust", "numpy", "pandas", "plotly", "pyarrow", "pydantic", "sqlalchemy"}
PRIVATE = {
    # Written so that none of these matches its own line.
    "a path of one machine": re.compile(r"(?<![\w.~}-])/(?:home|root|Users|work)/[\w.]"),
    "a package registry's address": re.compile(
        r"files\.pythonhosted\.|[/.]pypi\.|registry\.npmjs|(?:extra-)?index-[u]rl\s*[= ]\s*\S*:/|[/@]proxy\.golang"
    ),
}
HELP = """
import sys
import cli
try:
    cli.app(["--help"])
except SystemExit as end:
    assert not end.code
print("IMPORTED", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_no_import_runs_against_the_arrows() -> None:
    """The import contracts of pyproject.toml are kept."""
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


def test_every_part_of_the_lab_but_the_engine_is_kept_from_locust() -> None:
    """A new module of the lab is named in the contract that keeps Locust and gevent in the load process."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(
        found
        for found in settings["tool"]["importlinter"]["contracts"]
        if found["forbidden_modules"] == ["locust", "gevent"]
    )
    parts = {
        f"lab.{path.stem}"
        for path in (ROOT / "lab").iterdir()
        if (path / "__init__.py").exists() or (path.suffix == ".py" and path.stem != "__init__")
    }

    assert parts - set(contract["source_modules"]) == {"lab.engine"}


def test_help_imports_nothing_heavy() -> None:
    """`airbourne-lab --help` answers at once, since it imports none of the packages that single commands need."""
    done = subprocess.run(
        [sys.executable, "-c", HELP], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    shown, _, imported = done.stdout.partition("IMPORTED")

    assert "Usage: " in shown
    assert {"cli", "typer"} <= set(imported.split())
    assert HEAVY & set(imported.split()) == set()


def committed() -> list[Path]:
    """List the files that git knows, and those that it would take."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("no git repository: there is nothing committed to look at")
    done = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return [ROOT / name for name in done.stdout.split("\0") if name]


def test_nothing_of_one_machine_is_committed() -> None:
    """No text file names an absolute path of a machine or the address of a package registry."""
    found = []
    for path in committed():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue  # a picture, or a file that another process takes away right now
        found += [
            f"{path.relative_to(ROOT)}:{number}: {what}: {line.strip()[:100]}"
            for number, line in enumerate(lines, start=1)
            for what, pattern in PRIVATE.items()
            if pattern.search(line)
        ]

    assert found == []


@pytest.mark.parametrize(
    ("parts", "what"),
    [
        (("cd ", "/ho", "me/me/lab"), "a path of one machine"),
        (('"', "/ro", "ot/.venv", '"'), "a path of one machine"),
        (("https://py", "pi.org/simple"), "a package registry's address"),
        (("--index", "-url https://mirror/x"), "a package registry's address"),
    ],
)
def test_the_patterns_find_what_they_look_for(parts: tuple[str, ...], what: str) -> None:
    """The test above could fail."""
    assert PRIVATE[what].search("".join(parts))
    harmless = " ".join(
        f"{start}{folder}/latest" for start in ("runs/", "./", "http://h/") for folder in ("work", "root")
    )
    assert not PRIVATE[what].search(harmless)
