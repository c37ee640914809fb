"""Steps of load: what the options mean, what a scenario becomes, and when the plateau has been seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli import app
from lab import catalogue
from lab.afterwards import Followed
from lab.capacity import Plateau, Stairs, Step, flat, stairs
from lab.errors import ConfigError
from lab.load import LoadEnd
from lab.model.histogram import bin_of
from lab.model.run import Status
from lab.model.sample import Tick, TrendKey
from lab.model.stage import Stage
from lab.steady import Sums

SCENARIOS = Path(__file__).parents[2] / "scenarios"
USERS = (1, 2, 4, 8, 16, 32, 64)


def second(number: int, answers: int) -> Tick:
    """Make a second with so many successful bookings."""
    return Tick(number, {TrendKey("http_req_duration", "book", ()): {bin_of(9000): answers}})


def test_steps_are_held_after_a_second_of_rise_and_measured_when_settled() -> None:
    """A fifth of each hold is left out, and nothing of one step counts for the next."""
    found = stairs("1, 2,8", "10s", 2.0)

    assert found == Stairs((1, 2, 8), 20)
    assert found.steps == (Step(1, 1, 21), Step(2, 22, 42), Step(8, 43, 63))
    assert [step.measured for step in found.steps] == [5, 26, 47]


def test_a_scenario_becomes_stairs_whose_thresholds_judge_no_run() -> None:
    """The users are its own; the load, the warm-up and the thresholds are not."""
    found = Stairs((1, 4), 10).scenario(catalogue.load("load", SCENARIOS))

    assert found.loads[0].stages == (Stage(1, 1), Stage(10, 1), Stage(1, 4), Stage(10, 4))
    assert found.loads[0].user_class == "SessionBooker"
    assert (found.thresholds, found.warmup, found.duration) == ((), 0, 22)


def test_the_scenario_that_ships_has_the_default_steps() -> None:
    """So that drawing it shows what `capacity` does."""
    found = catalogue.load("capacity", SCENARIOS)

    assert stairs("1,2,4,8,16,32,64,128", "10s", 1.0).scenario(found).loads == found.loads
    assert found.thresholds


@pytest.mark.parametrize(
    ("steps", "hold", "scale", "said"),
    [
        ("1,2,two", "10s", 1, "--steps 1,2,two: write numbers of users"),
        ("0,1", "10s", 1, "write numbers of users"),
        ("", "10s", 1, "write numbers of users"),
        ("1," + "9" * 5000, "10s", 1, "write numbers of users"),
        ("1,4,2", "10s", 1, "more users than the one before"),
        ("1,1", "10s", 1, "more users than the one before"),
        ("1,2", "10", 1, "--hold: "),
        ("1,2", "10s", 0.5, "--hold 10s × 0.5 is 5 s: a step takes 6 s"),
        ("1,2", "10s", 0, "--time-scale 0 must be"),
        ("1,2", "10s", float("nan"), "--time-scale nan must be"),
    ],
)
def test_wrong_options_are_told(steps: str, hold: str, scale: float, said: str) -> None:
    """In a sentence that names the option."""
    with pytest.raises(ConfigError) as caught:
        stairs(steps, hold, scale)

    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["breakpoint", "several"])
def test_loads_that_have_no_number_of_users_are_refused(name: str, tmp_path: Path) -> None:
    """An arrival rate, or several loads in one file."""
    several = tmp_path / "several.toml"
    several.write_text(
        "".join(
            f'[scenarios.{one}]\nexecutor = "constant-vus"\nexec = "PoolBooker"\nvus = 1\nduration = "9s"\n'
            for one in "ab"
        )
    )
    found = catalogue.load("breakpoint" if name == "breakpoint" else str(several), SCENARIOS)

    with pytest.raises(ConfigError, match="breakpoint" if name == "breakpoint" else "several has 2 scenarios"):
        Stairs((1, 2), 10).scenario(found)


@pytest.mark.parametrize(
    ("rates", "answer"),
    [
        ([10, 20, 40, 80, 160, 320, 640], False),
        ([10, 20, 40, 80, 81, 82], True),
        ([10, 20, 40, 80, 60, 50], True),
        ([10, 20, 40, 80, 80, 120], False),
        ([10, 20, 40, 80, 79], False),
        ([10, 20, 20, 20, 20], True),
        ([10, 10, 10, 10], False),
        ([0, 0, 0, 0, 0], False),
        ([10, 20, 40, 0, 0], True),
    ],
)
def test_two_steps_without_growth_are_the_plateau(rates: list[float], answer: bool) -> None:  # noqa: FBT001 - a row
    """Compared with the best before them, and never before five steps are done; what never worked has none."""
    assert flat(USERS, rates) is answer


def test_a_run_is_ended_when_its_plateau_was_seen_and_not_earlier() -> None:
    """At the end of the second flat step; its seconds come in any order and in parts."""
    steps = Stairs(USERS, 10).steps
    watch = Plateau(steps)
    ended = None
    for number in range(steps[-1].end):
        step = max(n for n, each in enumerate(steps) if number >= each.begin - 1)
        part = second(number, min(USERS[step], 8) * 5)
        if [watch.enough(part), watch.enough(part)][1]:
            ended = number
            break

    assert ended == steps[5].end - 1


def test_seconds_in_which_users_have_just_come_do_not_count() -> None:
    """A burst at the begin of each step does not hide that the rate no longer grows."""
    steps = Stairs(USERS, 10).steps
    watch = Plateau(steps)
    burst = {step.begin + number: 1000 * step.users for step in steps for number in range(2)}
    seen = [watch.enough(second(number, burst.get(number, 40))) for number in range(steps[4].end)]

    assert seen.index(True) == steps[4].end - 1


def test_a_load_that_has_shown_enough_has_finished() -> None:
    """It was not stopped by the user, and no threshold ended it; a crash stays a crash."""
    sums = Sums(catalogue.load("smoke", SCENARIOS))

    def status(reason: str, *, enough: bool) -> Status:
        return Followed(sums, {}, LoadEnd(reason), enough=enough).status

    assert status("stopped", enough=True) is Status.FINISHED
    assert status("stopped", enough=False) is Status.STOPPED
    assert status("crashed", enough=True) is Status.CRASHED


@pytest.mark.parametrize(
    "words", [["--steps", "1,x"], ["--hold", "2s"], ["--scenario", "breakpoint"], ["--threshold", "checks"]]
)
def test_wrong_options_are_told_before_anything_is_started(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command ends with 104, and leaves nothing behind."""
    monkeypatch.chdir(tmp_path)
    error = CliRunner().invoke(app, ["capacity", *words]).exception

    assert getattr(error, "exit_code", None) == 104
    assert list(tmp_path.iterdir()) == []
