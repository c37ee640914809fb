"""Warm-up: which of a run's first seconds are shown, and judge nothing (measurement.md §2). Pure.

The automatic one is MSER-5: of every point at which a series could be cut, the one after which the mean of what is left
is known best (the least squared standard error). It is asked of batches of five seconds, of their throughput, p50 and
p95, and the latest of the three answers counts. Past half of the run it says that there was no steady time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError
from lab.gates.observed import REQUESTS
from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, SERVICE, SeriesKey, Tally
from lab.model.stage import parse_duration
from lab.model.verdict import Finding, Validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lab.model.sample import Tick
    from lab.model.scenario import Scenario

AUTO: Final = "auto"
GATE: Final = "warm-up"
BATCH: Final = 5
"""Seconds of a batch."""
FEWEST_LEFT: Final = 5
"""Batches that a cut must leave: the error of fewer is small by chance."""
FEWEST: Final = 2 * FEWEST_LEFT
NEVER: Final = 0.5
"""A cut past half the run is taken for the better one where it leaves less than this part of the error."""
NO_ANSWER: Final = 100.0
"""How many times the first percentile that there is stands for those before it, in which nothing succeeded."""
CHANCE: Final = 6.0
"""What cutting off one batch more changes in a steady run, by chance: so many n-ths of the error."""


def with_warmup(scenario: Scenario, text: str) -> Scenario:
    """Give a scenario the warm-up of the command line: `30s`, or `auto`.

    Raises:
        ConfigError: it is no duration, or leaves nothing of the run.
    """
    if text == AUTO:
        return replace(scenario, warmup=0.0, auto_warmup=True)
    try:
        seconds = parse_duration(text)
    except ConfigError as error:
        raise ConfigError(f'--warmup: {error}, or "{AUTO}"') from None
    if seconds >= scenario.duration:
        raise ConfigError(f"--warmup {text}: that leaves nothing of a run of {scenario.duration:g} s")
    return replace(scenario, warmup=seconds, auto_warmup=False)


class Sums:
    """A run's sum, and that of what is judged of it: what comes after the warm-up, whose seconds begin at 0 again."""

    def __init__(self, scenario: Scenario, warmup: float = 0.0) -> None:
        """Begin at nothing; `warmup` in seconds."""
        self._warmup = round(warmup)
        self.whole = primed(scenario)
        self.judged = primed(scenario) if self._warmup else self.whole

    def add(self, tick: Tick) -> None:
        """Add a second."""
        self.whole.add(tick)
        if self._warmup and tick.second >= self._warmup:
            self.judged.add(replace(tick, second=tick.second - self._warmup))


def primed(scenario: Scenario) -> Tally:
    """Give an empty sum that knows of no dropped arrival where one could be dropped: none is a figure, and no gap."""
    tally = Tally()
    for load in scenario.loads:
        if load.open:
            tags = {**dict(load.tags), **({"scenario": load.name} if load.name else {})}
            tally.counters[SeriesKey("dropped_iterations", tuple(sorted(tags.items())))] = 0
    return tally


def truncation(values: Sequence[float]) -> int | None:
    """Give how many values to cut off at the beginning: MSER, in the first half; None where that is never steady.

    The first cut is taken that is as good as the best one but for chance, which would cut on and on.
    """
    errors, half = _errors(values), len(values) // 2
    least = min(errors[: half + 1])
    late = min(errors[half + 1 : len(values) - max(FEWEST_LEFT, len(values) // 10) + 1], default=inf)
    if late < NEVER * least:
        return None
    return next(cut for cut, error in enumerate(errors) if error <= least * (1 + CHANCE / len(values)))


def _errors(values: Sequence[float]) -> list[float]:
    """Give the squared standard error of the mean of what each cut leaves."""
    errors = []
    total = squares = 0.0
    # Against the last value, so that a small spread is not lost in the squares of large numbers.
    for left, value in enumerate((value - values[-1] for value in reversed(values)), start=1):
        total, squares = total + value, squares + value * value
        errors.append(max(squares - total * total / left, 0.0) / left**2)
    return errors[::-1]


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the warm-up ends, in whole seconds, and what is to be said of it, where something is."""

    seconds: int = 0
    findings: tuple[Finding, ...] = ()


@dataclass(slots=True)
class _Batch:
    answered: int = 0
    times: Histogram = field(default_factory=Histogram)


def found(scenario: Scenario, ticks: Iterable[Tick], seconds: int) -> Cut:
    """Give where a run's warm-up ends.

    Args:
        scenario: says how long it is, or that it is to be found out.
        ticks: the run's seconds; only read where it is to be found out.
        seconds: how long the run was recorded.
    """
    if not scenario.auto_warmup:
        return Cut(min(round(scenario.warmup), seconds))
    until = int(min(_leaves_peak(scenario), seconds))
    batches = _batches(ticks, until // BATCH)
    if len(batches) < FEWEST:
        sentence = f"in {until} s no warm-up can be told from the rest (it takes {FEWEST * BATCH} s): nothing was cut"
        return Cut(0, (Finding(GATE, Validity.SUSPECT, sentence),))
    cuts = {
        "throughput": truncation([float(batch.answered) for batch in batches]),
        "p50": _of_times(batches, 0.5),
        "p95": _of_times(batches, 0.95),
    }
    restless = [name for name, cut in cuts.items() if cut is None]
    if restless:
        sentence = (
            f"never steady: in the first half of {until} s {' and '.join(restless)} did not settle; nothing was cut"
        )
        return Cut(0, (Finding(GATE, Validity.SUSPECT, sentence),))
    latest = max(cuts, key=lambda name: cuts[name] or 0)
    end = (cuts[latest] or 0) * BATCH
    sentence = f"{latest} was steady after {end} s, as the last" if end else "steady from the beginning"
    return Cut(end, (Finding(GATE, Validity.VALID, sentence),))


def _leaves_peak(scenario: Scenario) -> float:
    """Give the second from which on all loads go down for good: no steadiness is to be looked for there."""
    ends = [0.0]
    for load in scenario.loads:
        clock = load.start_time
        for stage in load.stages:
            clock += stage.duration
            if stage.target == load.top:
                ends.append(clock)
    return max(ends)


def _batches(ticks: Iterable[Tick], number: int) -> list[_Batch]:
    found = [_Batch() for _ in range(number)]
    for tick in ticks:
        if tick.second // BATCH >= number:
            continue
        batch = found[tick.second // BATCH]
        for key, bins in tick.trends.items():
            if key.metric == REQUESTS.metric and key.clock == SERVICE and key.outcome in {OK, FAIL}:
                batch.answered += sum(bins.values())
                if key.outcome == OK:
                    batch.times.merge(bins)
    return found


def _of_times(batches: Sequence[_Batch], share: float) -> int | None:
    """Give where a percentile of the batches would be cut; one that nothing succeeded in is as the one before it."""
    values = [batch.times.percentile(share) for batch in batches]
    first = next((float(value) for value in values if value is not None), 0.0)
    filled: list[float] = []
    for value in values:
        filled.append(float(value) if value is not None else filled[-1] if filled else NO_ANSWER * first)
    return truncation(filled)
