"""An experiment while it goes on: a line per run, the interval so far after each pair, and how long it still takes."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from statistics import mean
from time import monotonic
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from lab.errors import LabError, StoppedError
from lab.model.experiment import State
from lab.model.sample import FAIL, OK
from lab.model.threshold import Selector
from lab.model.verdict import Validity
from lab.model.words import counted
from reports import units
from reports.comparison import words
from reports.comparison.headline import main_operation
from reports.comparison.metrics import METRICS
from reports.comparison.ongoing import of_interest, settled
from reports.echo import silent_controls
from reports.stats.ruling import FEWEST_RUNS, Answer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from lab.model.experiment import Attempt, Experiment, Turn
    from lab.model.sample import Tally, Tick
    from lab.model.scenario import Scenario
    from lab.store import RunFolder
    from reports.comparison.figures import RunFigures
    from reports.comparison.ongoing import Ongoing
    from reports.comparison.result import Row

AROUND_S: Final = 12.0
"""What a run takes beside its load, before the first one has shown it: starting, filling, auditing."""
REFRESH_HZ: Final = 4
_REQUESTS: Final = Selector("http_req_duration")
_SHOWN: Final = ("p50", "p95", "throughput", "failures")
_SO_FAR: Final = ("p50", "p95", "throughput")


class ExperimentView:
    """Watches an experiment; hand it to `lab.experiment.conduct`."""

    def __init__(
        self, experiment: Experiment, scenario: Scenario, ongoing: Ongoing, console: Console | None = None
    ) -> None:
        self._scenario = scenario
        self._ongoing = ongoing
        self._console = console or Console(stderr=True)
        self._runs = experiment.pairs * len(experiment.arms)
        self._width = max(units.cells(units.plain(arm.label, 24)) for arm in experiment.arms)
        self._took = [one.seconds for one in experiment.attempts if one.counts]
        self._until_settled = experiment.until_settled
        self._turn, self._number, self._words = "", 0, ""
        self._began = monotonic()
        self._live: Live | None = None
        self._spinner = Spinner("dots")
        self._terminal = ExitStack()
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=REFRESH_HZ, get_renderable=self._screen)

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._live:
            self._terminal.enter_context(silent_controls())
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the line with the wheel away; what was printed stays."""
        self._turn = ""
        with self._terminal:
            if self._live:
                self._live.stop()

    def begin(self, experiment: Experiment) -> None:
        """Say what is going to be done, and how long it will take."""
        sides = " against ".join(units.plain(arm.label, 40) for arm in reversed(experiment.arms))
        most = "at most " if experiment.until_settled else ""
        done = f", {experiment.complete} of them made" if experiment.complete else ""
        self._say(
            f"{experiment.id}: {sides}, {self._scenario.name}, {most}{counted(experiment.pairs, 'pair')}{done}; "
            f"a run takes {units.clock(self._each())}, all of it {most}about {units.clock(self._left())}"
        )
        self._say("Ctrl-C stops it; nothing is lost, and --resume goes on.", "dim")

    def stage(self, words: str) -> None:
        """Say what begins now."""
        self._words = words

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """See the run so far."""
        if tick is None:
            return
        answered = tally.requests(_REQUESTS, OK) + tally.requests(_REQUESTS, FAIL)
        users = tally.gauge(Selector("vus")) or 0
        self._words = (
            f"{units.clock(tally.seconds)} of {units.clock(self._scenario.duration)}, {users:.0f} users, "
            f"{counted(answered, 'request')}"
        )

    def turn(self, turn: Turn, number: int, again: bool) -> None:  # noqa: FBT001 - a fact, no switch
        """Hear which run begins."""
        self._number = number
        self._turn = f"run {number} of {self._runs}: pair {turn.pair}, {units.plain(turn.label, 40)}"
        self._turn += ", once more" if again else ""
        self._began = monotonic()
        self._words = ""
        if not self._live:
            self._say(self._turn, "dim")

    def made(self, attempt: Attempt, folder: RunFolder | None) -> None:
        """Print a line for a run that was tried."""
        head = f"{self._number:>3}/{self._runs}  pair {attempt.turn.pair:<3}"
        label = units.plain(attempt.turn.label, 24)
        head += f"{label}{' ' * (self._width - units.cells(label))}  "
        if attempt.counts:
            self._took.append(attempt.seconds)
        figures = self._ongoing.figures(folder) if folder and attempt.counts else None
        if figures is not None:
            self._say(f"{head}{_figures(figures)}", "" if not attempt.failure else "yellow")
        if attempt.failure:
            run = f" ({attempt.run_id})" if attempt.run_id else ""
            gated = figures is None or figures.validity in {None, Validity.INVALID}
            counts = "it counts, and nothing follows from it" if gated else "it counts all the same"
            what = counts if attempt.counts else "it does not count"
            self._say(f"{'' if figures else head}{units.plain(attempt.failure, 300)}; {what}{run}", "yellow")

    def pair(self, experiment: Experiment) -> bool:
        """Print the intervals so far; gives whether it is settled."""
        if not experiment.complete:
            return False
        try:
            found = self._ongoing.comparison(experiment)
        except LabError as error:
            self._say(f"so far no comparison: {units.plain(str(error), 400)}", "yellow")
            return False
        for candidate in found.candidates:
            rows = [row for row in of_interest(found) if row.candidate == candidate.label]
            name = f"{units.plain(candidate.label, 24)}: " if len(found.candidates) > 1 else ""
            self._say(f"     {name}{_so_far(rows, experiment, self._until_settled)}", "cyan")
        return self._until_settled and experiment.complete >= FEWEST_RUNS and settled(found)

    def _each(self) -> float:
        return mean(self._took) if self._took else self._scenario.duration + AROUND_S

    def _left(self) -> float:
        return max(self._runs - len(self._took), 0) * self._each()

    def _screen(self) -> Text | Spinner:
        if not self._turn:
            return Text("")
        left = max(self._left() - (monotonic() - self._began), 0.0)
        most = "at most " if self._until_settled else "about "
        text = f"{self._turn}: {self._words}; {most}{units.clock(round(left))} left" if self._words else self._turn
        line = Text(text, style="dim", no_wrap=True, overflow="ellipsis")
        self._spinner.update(text=line)
        return self._spinner

    def _say(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style=style), highlight=False, soft_wrap=not self._console.is_terminal)


def _figures(run: RunFigures) -> str:
    """Write a run's figures of the operation that counts, and whether they can be believed."""
    operation = main_operation_of(run)
    parts = [
        f"{metric.name} {words.figure(metric, run.values.get((operation, metric.name)))}"
        for metric in METRICS
        if metric.name in _SHOWN
    ]
    level = str(run.validity) if run.validity else "not judged"
    audit = "audit clean" if run.integrity_ok else run.integrity or "no audit"
    return f"{units.plain(operation, 24)} {', '.join(parts)}; {level}, {audit}"


def main_operation_of(run: RunFigures) -> str:
    """Give the operation of a run that a reader asks about first."""
    operations = list(dict.fromkeys(operation for operation, _ in run.values))
    return "booking" if "booking" in operations else operations[0] if operations else ""


def _so_far(rows: list[Row], experiment: Experiment, looking: bool) -> str:  # noqa: FBT001 - a fact, no switch
    chosen = [row for row in rows if row.metric.name in _SO_FAR]
    parts = [
        f"{row.metric.name} {words.change(row)}" + (f" {row.ruling.answer}" if _answered(row) and looking else "")
        for row in chosen
    ]
    head = f"after {counted(experiment.complete, 'pair')}: {main_operation(rows)} {'; '.join(parts)}"
    if experiment.complete < FEWEST_RUNS:
        return f"{head} (a verdict needs {FEWEST_RUNS})"
    return head


def _answered(row: Row) -> bool:
    return row.ruling.answer not in {Answer.NO_VERDICT, Answer.INCONCLUSIVE}


def ended(experiment: Experiment) -> str:
    """Say in a line how an experiment ended, with the runs that could not be made."""
    lost = [one for one in experiment.attempts if one.failure and not one.counts]
    given_up = sorted({one.turn.pair for one in lost if not experiment.whole(one.turn.pair)})
    parts = [f"{experiment.id}: {counted(experiment.complete, 'pair')} made"]
    if experiment.until_settled:
        parts.append("stopped when settled" if experiment.state is State.SETTLED else "not settled with the most pairs")
    if lost:
        parts.append(f"{counted(len(lost), 'run')} failed: {units.plain(lost[-1].failure, 200)}")
    if given_up:
        parts.append(f"given up: {', '.join(f'pair {pair}' for pair in given_up)}")
    return "; ".join(parts)


@contextmanager
def stopped(experiment: str) -> Iterator[None]:
    """Say of an experiment that is stopped within the block how to go on with it.

    Raises:
        StoppedError: it was stopped.
    """
    try:
        yield
    except StoppedError:
        raise StoppedError(
            f"stopped; the runs that were made are kept: go on with airbourne-lab experiment --resume {experiment}"
        ) from None
