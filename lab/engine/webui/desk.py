"""What is asked for on the page and what becomes of it: orders to the parent, news from it, and the run that is on."""

from __future__ import annotations

from locust.runners import STATE_INIT, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPED  # isort: skip - it patches

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lab.catalogue import LONGEST_SCALE
from lab.engine.webui.figures import figures
from lab.engine.webui.seen import Seen
from lab.errors import LabError
from lab.model.threshold import Selector
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.engine.webui.exact import Stats
    from lab.engine.webui.mirror import Mirror

LONGEST_LABEL: Final = 200
MOST: Final = 1_000_000
log: Final = logging.getLogger("lab")


@dataclass(frozen=True, slots=True)
class Choice:
    """What the start form offers: the scenarios, and what it begins with."""

    scenarios: Sequence[str]
    scenario: str
    label: str = ""
    time_scale: float = 1.0


class Desk:
    """Takes orders, one run at a time, and hears what becomes of them."""

    def __init__(self, mirror: Mirror, stats: Stats, choice: Choice, say: Callable[..., None]) -> None:
        self.choice = choice
        self.target = ""
        self.mirror, self._stats, self._say = mirror, stats, say
        self._ready = self._busy = False
        self._doing = self._error = ""
        self._scenario = ""
        self._seen: Seen | None = None
        self._shown: dict[str, Any] | None = None

    @property
    def state(self) -> str:
        """Give Locust's word for what goes on."""
        return str(self.mirror.state)

    @property
    def report(self) -> Path | None:
        """Give the report of the run that is over."""
        path = self._seen.folder.report if self._seen and not self._busy else None
        return path if path is not None and path.is_file() else None

    @property
    def open(self) -> bool:
        """Tell whether the run's load is an open model."""
        return self._seen is not None and self._seen.run.scenario.open

    def start(self, form: Mapping[str, str]) -> str:
        """Order a run; gives why not, or "" when it is on its way."""
        scenario, label = form.get("scenario", self.choice.scenario), form.get("label", "").strip()
        scale = _number(form.get("time_scale") or "1")
        rules = (
            (not self._ready, "The platform is still starting. Try again in a moment."),
            (self._busy, "A run is going on, or its audit is. Wait for its end, or stop it."),
            (scenario not in self.choice.scenarios, f'There is no scenario "{scenario[:80]}" here.'),
            (not 0 < scale <= LONGEST_SCALE, f"Time scale: a number above 0, at most {LONGEST_SCALE}."),
            (len(label) > LONGEST_LABEL, f"Label: at most {LONGEST_LABEL} characters."),
            (
                form.get("host", "").rstrip("/") not in {"", self.target.rstrip("/")},
                f"The target is {self.target}. Another one is named when the lab is started, with --target.",
            ),
        )
        why = next((words for holds, words in rules if holds), "")
        if not why:
            self._begin(scenario)
            self._say(start={"scenario": scenario, "label": label, "time_scale": scale})
        return why

    def edit(self, form: Mapping[str, str]) -> str:
        """Order another number of users, or in an open model another rate; gives why not, or ""."""
        if self._seen is None or not self._seen.tally.seconds:
            return "The load has not begun yet. Try again in a moment."
        loads, number = self._seen.run.scenario.loads, _number(form.get("user_count", ""))
        if len(loads) > 1 or loads[0].bounded:
            return "Only a scenario of one load, of users or of a rate over time, can be changed while it runs."
        if number != int(number) or not 0 <= number <= MOST:
            return f"Give a whole number, at most {MOST:,}."
        self._say(edit={"users": int(number)})
        return ""

    def stop(self) -> None:
        """Order the run to stop: first in good order, then at once."""
        if self._busy:
            self._say(stop=1)

    def hear(self, news: Mapping[str, Any]) -> None:
        """Hear what the parent has to say."""
        if "ready" in news:
            self._ready, self.target = True, str(news["ready"]["target"])
            self.mirror.environment.host = self.target
        if "starting" in news:
            self._begin(str(news["starting"]))
        if "doing" in news:
            self._doing = str(news["doing"])
            log.info("%s", self._doing)
        if "run" in news:
            self._seen = Seen(RunFolder(Path(news["run"])))
        if "ended" in news:
            self._end(str(news["ended"]["error"]))

    def look(self) -> None:
        """Read on in the run's folder."""
        seen = self._seen
        if seen is None or not self._busy:
            return
        try:
            ticks = seen.update()
        except (LabError, OSError, ValueError) as error:
            log.error("the run cannot be followed any more: %s", error)  # noqa: TRY400 - a sentence, not a trace
            self._error = f"The run cannot be followed any more: {error}"
            return
        for tick in ticks:
            self._stats.add(tick, seen.began)
        if ticks:
            self.mirror.reflect(seen.tally.gauge(Selector("vus")) or 0, seen.processes)
            if self.mirror.state == STATE_SPAWNING:
                self.mirror.update_state(STATE_RUNNING)
            if not self._doing.startswith("Stopping"):
                self._doing = ""
            self._shown = None

    def live(self) -> dict[str, Any]:
        """Give what both pages show, as JSON."""
        seen = self._seen
        if self._shown is None and seen is not None:
            self._shown = figures(seen)
        words = ("running" if seen and seen.tally.seconds else "preparing") if self._busy else "idle"
        return {
            "state": words if self._busy or seen is None else "ended",
            "ready": self._ready,
            "doing": self._doing,
            "error": self._error,
            "scenario": self._scenario,
            "report": self.report is not None,
            **(self._shown or {}),
        }

    def _begin(self, scenario: str) -> None:
        self._busy, self._seen, self._shown = True, None, None
        self._scenario, self._error, self._doing = scenario, "", "Preparing the run"
        self.mirror.environment.locustfile = scenario
        self.mirror.forget()
        self._stats.clear_all()
        self.mirror.update_state(STATE_SPAWNING)

    def _end(self, error: str) -> None:
        self.look()
        self._busy, self._doing, self._error, self._shown = False, "", error or self._error, None
        if error:
            log.error("%s", error)
        if self._seen is None:
            self.mirror.update_state(STATE_INIT)
            return
        self._seen.close()
        self.mirror.raised(self._seen.run.script_errors)
        self.mirror.users = 0
        self.mirror.update_state(STATE_STOPPED)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
