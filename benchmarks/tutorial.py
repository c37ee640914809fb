"""Play docs/tutorial.md: run its commands in order, put what they print into the page, and shoot its pictures.

Usage: python benchmarks/tutorial.py [--folder DIR] [--only SECTION] [--scale X] [--pairs N] [--page FILE]

With --folder nothing is thrown away, and what was played there and ended as the page says is not played again: a play
that was stopped goes on, and a page whose prose or cuts were changed is filled anew in seconds. With --only the
commands of the sections whose heading has that word are played again, whatever was played before, and no others.
--scale multiplies every time scale (1 where a command has none), --pairs is the ladder's; with either the page and its
pictures go into the folder and not into docs: a page has the figures of the commands that stand in it. All of it takes
about an hour.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
import json
import os
import shlex
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Final

from benchmarks.parts import tutorial_page
from benchmarks.parts.tutorial_page import Block, Page, PageError

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "tutorial.md"
LAB: Final = str(Path(sys.executable).with_name("airbourne-lab"))
RECORD: Final = "played.json"
SCALED: Final = {"run": 0.0, "ladder": 0.0, "capacity": 0.6}
"""Commands that have a time scale, and the least that each takes."""
WIDTH: Final = "100"
WITHOUT_WORDS: Final = "last 12"
"""What is kept of an output that does not have the words by which the page cuts it."""


@dataclass(frozen=True, slots=True)
class Played:
    """What became of a command.

    Attributes:
        exit: how it ended.
        output: what it printed, both streams as they came.
        pages: the newest of each page then, by its name.
        seconds: how long it took.
        words: what was run, when that was not what stands in the page.
    """

    exit: int
    output: str
    pages: dict[str, str]
    seconds: float
    words: str = ""


class Player:
    """Plays commands in a folder, and writes down there what was played."""

    def __init__(self, folder: Path, scale: float, pairs: int | None) -> None:
        self._folder = folder
        self._scale, self._pairs = scale, pairs
        self.played: dict[str, Played] = {}
        with suppress(FileNotFoundError):
            raw = json.loads((folder / RECORD).read_text(encoding="utf-8"))
            self.played = {key: Played(**one) for key, one in raw.items()}

    def play(self, block: Block) -> Played:
        """Run a command to its end."""
        words = adapted(block.command, self._scale, self._pairs)
        began = time.monotonic()
        done = subprocess.run(
            [LAB, *shlex.split(words)[1:]],
            cwd=self._folder,
            env=os.environ | {"COLUMNS": WIDTH, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        output = done.stdout.replace(f"{self._folder}/", "")
        changed = words if words != block.command else ""
        found = Played(done.returncode, output, self._pages(), time.monotonic() - began, changed)
        self.played[block.key] = found
        raw = {key: asdict(one) for key, one in self.played.items()}
        (self._folder / RECORD).write_text(json.dumps(raw, indent=1, ensure_ascii=False), encoding="utf-8")
        return found

    def _pages(self) -> dict[str, str]:
        """Give the newest page of each name that a run has."""
        there = sorted(self._folder.glob("runs/*/*.html"), key=lambda path: path.stat().st_mtime)
        return {path.name: str(path.relative_to(self._folder)) for path in there}


def adapted(command: str, scale: float, pairs: int | None) -> str:
    """Give a command at another scale."""
    words = shlex.split(command)
    if scale != 1 and words[1] in SCALED:
        now = float(words[words.index("--time-scale") + 1]) if "--time-scale" in words else 1.0
        words = with_option(words, "--time-scale", f"{max(now * scale, SCALED[words[1]]):g}")
    if pairs is not None and words[1] == "ladder":
        words = with_option(words, "--pairs", str(pairs))
    return shlex.join(words)


def with_option(words: list[str], name: str, value: str) -> list[str]:
    """Give a command's words with an option of this value, in the place of its own or at the end."""
    if name not in words:
        return [*words, name, value]
    place = words.index(name) + 1
    return [*words[:place], value, *words[place + 1 :]]


def main() -> None:
    """Play the page; ends 1 when a command ended in another way than the page says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--page", type=Path, default=PAGE)
    given = parser.parse_args()
    folder = (given.folder or Path(tempfile.mkdtemp(prefix="tutorial-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    print(f"in {folder}", flush=True)
    page = tutorial_page.read(given.page.read_text(encoding="utf-8"))
    player = Player(folder, given.scale, given.pairs)
    as_it_stands = given.scale == 1 and given.pairs is None
    astray = _play(page, player, given.only)
    # An hour later its prose may be another.
    page = tutorial_page.read(given.page.read_text(encoding="utf-8"))
    to = given.page if as_it_stands else folder / given.page.name
    _fill(page, player, to)
    _shoot(page, player, folder, to.parent)
    sys.exit(bool(astray))


def _play(page: Page, player: Player, only: str) -> int:
    """Play what is to be played; gives how many commands ended in another way than the page says."""
    astray = 0
    for block in page.blocks:
        before = player.played.get(block.key)
        wanted = only.lower() in block.section.lower() if only else before is None or before.exit not in block.exits
        if not wanted:
            continue
        print(f"$ {block.command}", flush=True)
        done = player.play(block)
        print(f"  {done.seconds:.0f} s, exit {done.exit}", flush=True)
        if done.exit not in block.exits:
            astray += 1
            said = " or ".join(map(str, block.exits))
            print(f"  the page says exit {said}; its last lines were:\n{done.output[-800:]}", flush=True)
    return astray


def _fill(page: Page, player: Player, to: Path) -> None:
    """Write the page with the outputs that can be cut as it says; say which cannot."""
    outputs = {}
    for block in page.blocks:
        if block.key not in player.played or player.played[block.key].exit not in block.exits:
            continue
        output = player.played[block.key].output
        try:
            tutorial_page.cut(output, block.keep)
        except PageError as error:
            print(f"cut by number, not as the page says: $ {block.command}: {error}")
            output = "\n".join(tutorial_page.cut(output, WITHOUT_WORDS))
            page = page.cut_already(block)
        outputs[block.key] = output
    to.write_text(page.filled(outputs), encoding="utf-8")
    print(f"{to}: {len(outputs)} of {len(page.blocks)} outputs", flush=True)


def _shoot(page: Page, player: Player, folder: Path, beside: Path) -> None:
    """Shoot the pictures whose commands were played."""
    from benchmarks.parts.tutorial_pictures import shoot  # noqa: PLC0415 - the tests of this file need no browser

    wanted = {}
    for picture in page.pictures:
        played = player.played.get(picture.after)
        if played and picture.file in played.pages:
            wanted[beside / picture.path] = (folder / played.pages[picture.file], picture.parts)
    shoot(wanted)
    for path in wanted:
        print(f"{path}: {path.stat().st_size / 1024:.0f} kB")


if __name__ == "__main__":
    main()
