"""What a chart is annotated with: the start, new stages, thresholds that are crossed, and the end. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isinf
from typing import TYPE_CHECKING, Final, NamedTuple

from lab.judge import judge_all
from lab.model.run import Status
from lab.model.scenario import Scenario
from lab.model.threshold import Outcome
from lab.model.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from lab.model.run import Run
    from lab.model.sample import Tally
    from lab.model.threshold import ThresholdResult

STATES: Final[Mapping[Outcome, int]] = {Outcome.PASS: 1, Outcome.FAIL: 0, Outcome.NO_DATA: -1}


class Mark(NamedTuple):
    """An annotation; `kind` is start, stage, threshold or end."""

    kind: str
    title: str
    text: str


def judged(scenario: Scenario, tally: Tally) -> tuple[ThresholdResult, ...]:
    """Hold the thresholds against the run so far."""
    return judge_all(scenario.thresholds, tally)


def start(run: Run) -> Mark:
    """Say what begins."""
    scenario = run.scenario
    planned = f"{counted(scenario.peak, 'user')} at most, {scenario.duration:g} s planned"
    about = ", ".join(part for part in (run.label, run.profile, run.backend) if part)
    return Mark("start", f"{scenario.name} starts", f"{planned} ({about})" if about else planned)


def verdict(run: Run) -> str:
    """Say in few words what came of a run."""
    if run.verdict is None:
        return "no verdict"
    if run.status is Status.STOPPED:
        return f"{run.verdict.validity}, stopped"
    if run.status is Status.ABORTED:
        return f"{run.verdict.validity}, ended by a threshold"
    return f"{run.verdict.validity}, {'passed' if run.verdict.passed else 'failed'}"


def end(run: Run) -> Mark:
    """Say how it ended."""
    said = run.verdict.sentence if run.verdict else "The run did not come to its end: it has no verdict."
    return Mark("end", f"{run.scenario.name} ends: {verdict(run)}", said)


@dataclass(slots=True)
class Marks:
    """Remembers how the thresholds stood, and knows when stages begin."""

    scenario: Scenario
    _stood: dict[tuple[str, str], Outcome] = field(default_factory=dict)

    def stages(self, before: int, second: int) -> Iterator[Mark]:
        """Name the stages, beside the first, that begin in the seconds from `before` to `second`."""
        bands = self.scenario.bands
        for number, band in enumerate(bands[1:], start=2):
            if before <= int(band.begin) <= second:
                yield Mark("stage", f"stage {number} of {len(bands)}", f"{band.words}, {band.end - band.begin:g} s")

    def crossed(self, results: Iterable[ThresholdResult]) -> list[Mark]:
        """Name the thresholds that do not hold any more, or hold again."""
        found = []
        for result in results:
            key = result.metric, result.expression
            stood = self._stood.get(key, Outcome.NO_DATA)
            self._stood[key] = result.outcome
            fails, failed = result.outcome is Outcome.FAIL, stood is Outcome.FAIL
            if fails != failed and result.outcome is not Outcome.NO_DATA:
                state = "not met" if fails else "met again"
                found.append(Mark("threshold", f"{result.metric} {result.expression} {state}", _measured(result)))
        return found


def _measured(result: ThresholdResult) -> str:
    if result.actual is None:
        return "no data"
    if isinf(result.actual):
        return result.note or "no answer"
    unit = "" if result.unit in {"", "share"} else f" {result.unit}"
    return f"measured {result.actual:.6g}{unit}"
