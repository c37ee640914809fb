"""The documents say what is true: commands and options exist, links lead somewhere, exit codes are the code's own."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main

import cli
from lab.model.scenario_file import parse_scenario
from lab.model.verdict import Exit

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
COMMANDS: dict[str, Any] = typer.main.get_command(cli.app).commands  # type: ignore[attr-defined]


def _spoken() -> list[tuple[str, str]]:
    """Give (document, command line) for everything that a reader would type, as code or in a console block."""
    found = []
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        lines = [line.split("#")[0] for line in re.findall(r"^\$ (airbourne-lab .*)$", text, re.MULTILINE)]
        lines += re.findall(r"`(airbourne-lab [^`]*)`", text)
        found += [(document.name, line.strip()) for line in lines]
    return found


@pytest.mark.parametrize(("document", "line"), _spoken())
def test_every_command_in_the_documents_exists_with_its_options(document: str, line: str) -> None:
    """A command line in the documents names a command and options that the program has."""
    words = shlex.split(line)[1:]
    if words == ["…"]:
        return
    command = COMMANDS[words[0]]
    if len(words) > 1 and words[1] in getattr(command, "commands", {}):
        command = command.commands[words[1]]
    options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= options, document


def test_every_command_is_in_the_readme() -> None:
    """The README's table lists each command."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if f"| `airbourne-lab {name}` |" not in text]
    assert not missing


def test_every_exit_code_is_in_the_readme() -> None:
    """The README's table lists each exit code of a run."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [code for code in Exit if f"| {int(code)} |" not in text]
    assert not missing


def test_every_link_leads_somewhere() -> None:
    """A relative link in a document is a file of the repository."""
    broken = [
        f"{document.name}: {link}"
        for document in DOCUMENTS
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8"))
        if not (document.parent / link).exists()
    ]
    assert not broken


def test_the_readmes_scenario_can_be_run() -> None:
    """The example scenario of the README is a valid one."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    scenario = next(block for block in blocks if "executor" in block)
    assert parse_scenario(scenario, "rush", "README.md").peak == 200
    assert all(tomllib.loads(block) for block in blocks)
