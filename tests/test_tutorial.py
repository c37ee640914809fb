"""The tutorial's page: how it is read, cut and filled, and what the test that plays it must not leave out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import tutorial
from benchmarks.parts import tutorial_page
from benchmarks.parts.tutorial_page import PageError
from tests.e2e.tutorial_small import SMALL

DOCS = Path(__file__).parent.parent / "docs"
TEXT = """# A page
## 1. First
<!-- play: exit 98 or 99; keep first 1, 1 from "three", last 1 -->
```console
$ airbourne-lab run --scenario smoke
old
```
<!-- picture: report.html; h1; .verdict -->
![What it shows](tutorial/one.png)
```console
$ airbourne-lab run --scenario smoke
```
"""
OUTPUT = "\none\ntwo\n\nthree  \nfour\nfive\n\n"


def test_a_page_is_read_in_order() -> None:
    """Commands come with their section, exit codes and cuts; one that stands twice has two keys; so do pictures."""
    page = tutorial_page.read(TEXT)
    first, second = page.blocks
    assert (first.section, first.exits, first.command) == ("1. First", (98, 99), second.command)
    assert (second.exits, second.key) == ((0,), f"{first.key} (2)")
    (picture,) = page.pictures
    assert (picture.after, picture.path, picture.parts) == (first.key, "tutorial/one.png", ("h1", ".verdict"))


def test_an_output_replaces_the_old_one_with_its_cuts_marked() -> None:
    """What is kept stands in the block, `…` where something was left out, and all else of the page stays."""
    page = tutorial_page.read(TEXT)
    filled = page.filled({page.blocks[0].key: OUTPUT})
    assert filled == TEXT.replace("old", "one\n…\nthree\n…\nfive")
    assert tutorial_page.read(filled).filled({page.blocks[1].key: "a\nb\n"}).endswith("smoke\na\nb\n```\n")


def test_lines_may_be_kept_from_one_text_to_another() -> None:
    """The line with the second text is left out."""
    assert tutorial_page.cut(OUTPUT, 'from "two" to "four"') == ["…", "two", "", "three", "…"]


@pytest.mark.parametrize("keep", ['1 from "six"', 'from "two" to "one"', "some of it"])
def test_a_cut_that_cannot_be_made_is_said(keep: str) -> None:
    """A text that the output does not have is an error, and so are words that say no cut."""
    with pytest.raises(PageError, match="keep: "):
        tutorial_page.cut(OUTPUT, keep)


def test_what_is_no_command_cannot_be_played() -> None:
    """A console block begins with a prompt."""
    with pytest.raises(PageError, match="line 1"):
        tutorial_page.read("```console\nls\n```\n")


def test_commands_are_scaled_in_their_own_words() -> None:
    """A time scale is multiplied where there is one, and added where there is none; only load has one."""
    assert tutorial.adapted("airbourne-lab run -s load --time-scale 0.4", 0.1, None).endswith("--time-scale 0.04")
    assert tutorial.adapted("airbourne-lab ladder --pairs 6", 0.1, 1).endswith("--pairs 1 --time-scale 0.1")
    assert tutorial.adapted("airbourne-lab lint load", 0.1, 1) == "airbourne-lab lint load"


def test_every_command_of_the_tutorial_is_played_by_a_test() -> None:
    """The table of the test that plays the page has each of its commands, and no other."""
    page = tutorial_page.read((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    assert [block.key for block in page.blocks] == list(SMALL)


def test_the_tutorials_pictures_are_there_and_small() -> None:
    """Each picture is a PNG of at most 150 kB."""
    page = tutorial_page.read((DOCS / "tutorial.md").read_text(encoding="utf-8"))
    pictures = [DOCS / picture.path for picture in page.pictures]
    assert pictures
    assert all(picture.read_bytes().startswith(b"\x89PNG") for picture in pictures)
    assert max(picture.stat().st_size for picture in pictures) < 150_000


def test_the_tutorial_is_no_book() -> None:
    """With all of its outputs the page keeps to 500 lines."""
    assert len((DOCS / "tutorial.md").read_text(encoding="utf-8").splitlines()) <= 500


def test_what_the_tutorial_says_of_its_outputs_is_in_them() -> None:
    """Hashing is the first finding of the naive run and running out of seats the second; no path tells of a machine."""
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    findings = re.findall(r"^  (\d)\. ([a-z-]+)  ", text, re.MULTILINE)
    assert findings[:2] in ([], [("1", "password-hashing"), ("2", "seats-ran-out")])
    assert not re.search(r"(^|[ =])/(root|home|tmp|work)/", text)
