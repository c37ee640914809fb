"""How often the comparison is wrong, when what is true is known: simulated experiments through `reports.compare`.

    python benchmarks/calibration.py [--experiments 2000] [--seed 1]

Prints the table of docs/comparison.md (T7 to T11 of the lab's measurement rules). The unit tests run the same
simulations, smaller. Every line has random numbers of its own, so that lines are independent of each other, and says
how far chance may have moved it (two standard errors). Worlds of a single row are simulated ten times as often.
"""

from __future__ import annotations

import sys
from pathlib import Path

# Beside this file stand reports.py and platform.py, which are not the modules that others mean by these names.
if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy import stats

from lab.errors import NotComparableError
from reports.compare import Options, compare
from reports.comparison.figures import RunFigures, Side
from reports.comparison.metrics import METRICS
from reports.comparison.result import Comparison
from reports.stats.ruling import Answer
from reports.stats.sequential import looks

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from reports.comparison.metrics import Metric
    from reports.stats.sequential import Look

WRONG: Final = (Answer.IMPROVED, Answer.REGRESSED)
BY_NAME: Final = {metric.name: metric for metric in METRICS}
_LEVELS: Final = {"p50": 20_000.0, "p95": 60_000.0, "p99": 110_000.0, "throughput": 80.0, "failures": 0.01}
_FAILURE_NOISE: Final = 0.03
"""Failures are shares: a noise of 5 % on the others is 0.15 points on them."""


@dataclass(frozen=True, slots=True)
class World:
    """What is true in a simulated experiment.

    Attributes:
        ratio: candidate / baseline; of failures, this much more than 1 are points of a hundred.
        noise: standard deviation of the differences within pairs, of logarithms.
        pairs: how many pairs.
        operations: how many operations, each with all of `metrics`.
        metrics: which metrics.
        affected: how many of the rows have the effect; None for all.
        shared: how much of a run's noise (its variance, 0 to 1) all rows of the run have in common.
        autocorrelation: of that noise, from one run to the next.
        heavy: whether the noise has the tails of a t distribution with 3 degrees of freedom.
        drift: by how much everything grows with each run.
        interleaved: whether runs alternate in pairs of random order, or one side is made after the other.
        paired: whether the comparison is told of the pairs.
    """

    ratio: float = 1.0
    noise: float = 0.05
    pairs: int = 10
    operations: int = 4
    metrics: tuple[str, ...] = tuple(_LEVELS)
    affected: int | None = None
    shared: float = 0.0
    autocorrelation: float = 0.0
    heavy: bool = False
    drift: float = 0.0
    interleaved: bool = True
    paired: bool = True


def experiment(world: World, rng: np.random.Generator) -> tuple[Side, Side]:
    """Simulate an experiment."""
    runs = 2 * world.pairs
    keys = [(f"operation {number}", metric) for number in range(world.operations) for metric in world.metrics]
    noise = _noise(world, rng, runs, len(keys)) * world.noise / np.sqrt(2)
    noise += world.drift * np.arange(runs)[:, None]
    order = _order(world, rng)
    effect = np.zeros(len(keys))
    effect[: world.affected] = np.log(world.ratio)
    moved = noise + np.outer(order, effect)
    sides: tuple[list[RunFigures], list[RunFigures]] = ([], [])
    for place, candidate in enumerate(order.tolist()):
        values = {key: _value(key[1], float(moved[place, column])) for column, key in enumerate(keys)}
        pair = str(place // 2) if world.paired else ""
        started = f"2026-01-01T{place // 60:02}:{place % 60:02}:00Z"
        sides[candidate].append(RunFigures(f"run {place}", "simulated", started, values, pair=pair))
    return Side("before", tuple(sides[0])), Side("after", tuple(sides[1]))


def _value(metric: str, moved: float) -> float:
    level = _LEVELS[metric]
    # A ratio of 1.001 is 0.1 points of failures; their noise is a thirtieth, so that it fits to their margin.
    return level + moved * _FAILURE_NOISE if metric == "failures" else float(level * np.exp(moved))


def _order(world: World, rng: np.random.Generator) -> NDArray[np.int64]:
    if not world.interleaved:
        return np.repeat([0, 1], world.pairs)
    first = rng.integers(0, 2, world.pairs)
    return np.stack([first, 1 - first], axis=1).reshape(-1)


def _noise(world: World, rng: np.random.Generator, runs: int, rows: int) -> NDArray[np.float64]:
    """Draw noise of standard deviation 1: a part that the rows of a run share, and one of each row."""

    def draw(columns: int) -> NDArray[np.float64]:
        if world.heavy:
            return np.asarray(rng.standard_t(3, (runs, columns)) / np.sqrt(3))
        return np.asarray(rng.standard_normal((runs, columns)))

    both: NDArray[np.float64] = np.sqrt(world.shared) * draw(1) + np.sqrt(1 - world.shared) * draw(rows)
    kept, fresh = world.autocorrelation, np.sqrt(1 - world.autocorrelation**2)
    for run in range(1, runs):
        both[run] = kept * both[run - 1] + fresh * both[run]
    return both


def comparisons(world: World, experiments: int, seed: int, options: Options | None = None) -> Iterator[Comparison]:
    """Simulate experiments and compare their sides; the sign-flip test, which changes no verdict, is left out."""
    rng = np.random.default_rng(seed)
    how = options or Options(tuple(BY_NAME[name] for name in world.metrics), cross_check=False)
    for _ in range(experiments):
        baseline, candidate = experiment(world, rng)
        yield compare(baseline, [candidate], how)


def share(found: Iterable[Comparison], holds: Callable[[Comparison], bool]) -> float:
    """Give the share of comparisons of which something holds."""
    held = [holds(comparison) for comparison in found]
    return sum(held) / len(held)


def any_wrong(found: Comparison) -> bool:
    """Tell whether a comparison of identical systems claims a difference anywhere."""
    return any(row.ruling.answer in WRONG for row in found.rows)


def first_significant(found: Comparison) -> bool:
    """Tell whether the t-test of the first row alone finds a difference at 5 %."""
    effect = found.rows[0].effect
    return effect is not None and effect.p <= found.levels.alpha


def first_is(answer: Answer) -> Callable[[Comparison], bool]:
    """Give the question whether the first row's verdict is this one."""
    return lambda found: found.rows[0].ruling.answer is answer


def covers(ratio: float) -> Callable[[Comparison], bool]:
    """Give the question whether the first row's interval holds the true ratio."""

    def covered(found: Comparison) -> bool:
        interval = found.rows[0].interval
        return interval is not None and interval[0] <= ratio <= interval[1]

    return covered


def refused(world: World, seed: int) -> bool:
    """Tell whether an experiment is refused."""
    try:
        next(comparisons(world, 1, seed))
    except NotComparableError:
        return True
    return False


def until_settled(world: World, rng: np.random.Generator, planned: tuple[Look, ...]) -> tuple[Comparison, int]:
    """Simulate an experiment that stops at the first look at which every row is settled.

    Returns:
        The last look's comparison, and how many pairs were made.
    """
    baseline, candidate = experiment(replace(world, pairs=planned[-1].pairs), rng)
    metrics = tuple(BY_NAME[name] for name in world.metrics)
    for look in planned:
        found = compare(
            *_first(baseline, candidate, look.pairs), Options(metrics, levels=look.levels, cross_check=False)
        )
        if all(row.ruling.answer is not Answer.INCONCLUSIVE for row in found.rows):
            break
    return found, look.pairs


def _first(baseline: Side, candidate: Side, pairs: int) -> tuple[Side, list[Side]]:
    before, after = (replace(side, runs=side.runs[:pairs]) for side in (baseline, candidate))
    return before, [after]


NULLS: Final = {
    "normal noise": World(),
    "rows that move together": World(shared=0.8),
    "autocorrelation 0.6": World(shared=0.8, autocorrelation=0.6),
    "heavy tails": World(heavy=True, shared=0.5),
    "autocorrelation 0.6, drift 1 % a run": World(shared=0.8, autocorrelation=0.6, drift=0.01),
    "six pairs": World(pairs=6, shared=0.5),
    "not paired (Welch)": World(shared=0.5, paired=False),
}
"""Worlds in which nothing differs: T7."""
POWER: Final = World(metrics=("p50",), operations=20)
"""The world of T8: 20 rows, of which one has the effect unless told otherwise."""


def at_the_margin(metric: Metric, pairs: int) -> World:
    """Give a world in which one row differs by exactly what just counts as different."""
    ratio = float(np.exp(metric.margin / _FAILURE_NOISE)) if metric.absolute else 1 + metric.margin
    return World(ratio=ratio, metrics=(metric.name,), operations=1, pairs=pairs)


POWER_METRICS: Final = tuple(_LEVELS)
_ONE: Final = 10
"""How many times as often a world of one row is simulated."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table: what is true, what is counted in how many experiments, and what it must come to."""

    number: str
    true: str
    counted: str
    must: str
    world: World
    times: int
    holds: Callable[[Comparison], bool]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--experiments", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{asked.experiments} experiments a line, seed {asked.seed}; 10 pairs and s = 5 % unless said otherwise\n")
    print("| # | what is true | what is counted | must be | is | ± |")
    print("| --- | --- | --- | --- | --- | --- |")
    for place, line in enumerate(_lines()):
        count = asked.experiments * line.times
        held = share(comparisons(line.world, count, asked.seed * 1000 + place), line.holds)
        _print(line.number, line.true, line.counted, line.must, *_percent(held, count))
    for paired, text in ((True, "as pairs"), (False, "not as pairs")):
        yes = refused(World(drift=0.01, interleaved=False, paired=paired), asked.seed)
        _print("T11", f"drift 1 % a run, AAAA…BBBB {text}", "refused", "yes", "yes" if yes else "NO", "")
    _sequential(asked.experiments, asked.seed)


def stopped(planned: tuple[Look, ...], count: int, rng: np.random.Generator, *, naive: bool = False) -> float:
    """Give the share of experiments without a difference in which the t-test of any look finds one."""
    drawn = rng.standard_normal((count, planned[-1].pairs))
    wrong = np.zeros(count, np.bool_)
    for look in planned:
        p = stats.ttest_1samp(drawn[:, : look.pairs], 0.0, axis=1).pvalue
        wrong |= p <= (0.05 if naive else look.levels.alpha)
    return float(wrong.mean())


def _lines() -> Iterator[Line]:
    wrong = "a false verdict in any of 20 rows"
    for name, world in NULLS.items():
        yield Line("T7", f"nothing differs: {name}", wrong, "≤ 5 %", world, 1, any_wrong)
    one = World(metrics=("p50",), operations=1)
    five = replace(one, ratio=1.05)
    ten = replace(POWER, ratio=1.10, affected=1)
    regressed, improved = first_is(Answer.REGRESSED), first_is(Answer.IMPROVED)
    yield Line("T8", "+5 %", "the t-test alone finds it (p ≤ 0.05)", "80 ± 3 %", five, _ONE, first_significant)
    yield Line("T8", "+10 % in one row of 20", "REGRESSED (q ≤ 0.05)", "≥ 90 %", ten, 1, regressed)
    for ratio in (1.01, 1.05, 1.10):
        world = replace(one, ratio=ratio)
        yield Line("T8", f"+{ratio - 1:.0%}", "the wrong sign (IMPROVED)", "≤ 2.5 %", world, _ONE, improved)
    for ratio in (0.77, 1.0, 1.3):
        world = World(ratio=ratio, metrics=("p95",), operations=1)
        covered = "the 95 % interval covers it"
        yield Line("T9", f"ratio {ratio}", covered, "93.5–96.5 %", world, _ONE, covers(ratio))
    for name in POWER_METRICS:
        for pairs in (10, 40):
            world, text = at_the_margin(BY_NAME[name], pairs), f"{name} differs by its margin, {pairs} pairs"
            yield Line("T10", text, "EQUIVALENT", "≤ 5 %", world, _ONE, first_is(Answer.EQUIVALENT))
    yield Line("T11", "drift 1 % a run, interleaved", wrong, "≤ 5 %", World(drift=0.01), 1, any_wrong)


def _sequential(count: int, seed: int) -> None:
    planned, many = looks(), 50 * count
    for most in (8, 10, 14, 20, 40):
        share_wrong = stopped(looks(most), many, np.random.default_rng(seed * 1000 + 400 + most))
        text = f"the t-test finds something at any look after 6–{most} pairs"
        _print("looks", "nothing differs", text, "≤ 5 %", *_percent(share_wrong, many))
    share_wrong = stopped(planned, many, np.random.default_rng(seed * 1000 + 499), naive=True)
    _print("looks", "nothing differs", "the same, 5 % at each of 6–20 pairs", "–", *_percent(share_wrong, many))
    p95, noisy = World(metrics=("p95",), operations=1), World(metrics=("p95",), operations=1, noise=0.3)
    for place, (world, text, answers, claim, bound) in enumerate(
        (
            (noisy, "nothing differs, s = 30 % (never equivalent)", WRONG, "a false verdict", "≤ 5 %"),
            (p95, "nothing differs", WRONG, "a false verdict", "≤ 5 %"),
            (p95, "nothing differs", (Answer.EQUIVALENT,), "EQUIVALENT", "–"),
            (replace(p95, ratio=1.10), "p95 differs by its margin", (Answer.EQUIVALENT,), "EQUIVALENT", "≤ 5 %"),
            (replace(p95, ratio=1.20), "+20 %", (Answer.REGRESSED,), "REGRESSED", "–"),
        )
    ):
        rng = np.random.default_rng(seed * 1000 + 500 + place)
        ended = [until_settled(world, rng, planned) for _ in range(count)]
        hits = sum(found.rows[0].ruling.answer in answers for found, _ in ended) / count
        pairs = sum(pairs for _, pairs in ended) / count
        what = f"{claim}, a look after each of 6–20 pairs (stops after {pairs:.1f})"
        _print("looks", text, what, bound, *_percent(hits, count))


def _percent(value: float, count: int) -> tuple[str, str]:
    return f"{value * 100:.1f} %", f"{200 * np.sqrt(value * (1 - value) / count):.1f}"


def _print(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
