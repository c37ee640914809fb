"""Every executor does what k6's does, to the iteration: real cells on a virtual clock, by one child for all runs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from lab.model.stage import Stage, users_at
from tests.unit.engine.played import play

EARLY = 0.0005
"""Seconds by which an arrival may begin before its time."""
STEP = 0.101
"""Seconds between two looks at how many users there should be, and how far that may be off."""


@pytest.fixture(scope="module")
def runs() -> dict[str, Any]:
    """Play them all."""
    return play("follow_loads")


@pytest.mark.parametrize(
    ("name", "stages", "start"),
    [
        ("0 to 500 in 5 s", [(5, 500), (1, 500)], 0),
        ("stages of 1 s", [(1, 20), (1, 5), (0, 30), (1, 0)], 0),
        ("a constant number", [(1, 10), (1, 10)], 10),
        ("up, hold, down", [(1, 40), (1, 40), (1, 0)], 0),
    ],
)
def test_users_follow_the_stages(runs: dict[str, Any], name: str, stages: list[tuple[float, int]], start: int) -> None:
    """Wanted and there are as many users, in three processes together, as the line said at a look ago; none is lost."""
    plan, length = [Stage(*stage) for stage in stages], sum(seconds for seconds, _ in stages)
    for at, wanted, there in runs[name]["seen"]:
        if at >= length:
            continue
        recently = [users_at(plan, start, max(at - STEP * part / 10, 0)) for part in range(11)]
        assert min(recently) <= wanted <= max(recently), (at, wanted)
        # A user that leaves may have been within an iteration, or on its way.
        assert min(recently) <= there <= max([*recently, users_at(plan, start, max(at - 0.2, 0))]), (at, there)
    for number, (_, target) in enumerate(stages[:-1], start=1):
        end = sum(seconds for seconds, _ in stages[:number])
        near = [wanted for at, wanted, _ in runs[name]["seen"] if end - STEP <= at <= end + STEP]
        # A jump at that moment may come before the next look does.
        assert any(abs(wanted - target) <= max(0.1 * target, 2) for wanted in near), (number, near)
    assert runs[name]["seen"][-1][1:] == [0, 0]
    assert runs[name]["seconds"] <= length + 0.4


@pytest.mark.parametrize(("name", "gone"), [("leaving while thinking", 1.5), ("leaving while at work", 1.6)])
def test_a_ramp_down_waits_for_nobody(runs: dict[str, Any], name: str, gone: float) -> None:
    """Eight users that take their time to leave are still there when they are not wanted; three others stay."""
    seen = runs[name]["seen"]

    assert {wanted for at, wanted, _ in seen if 1.11 <= at < 5} == {3}
    assert [there for at, _, there in seen if 1.11 <= at < 1.2] == [11, 11]
    assert {there for at, _, there in seen if gone + STEP <= at < 5} == {3}


def test_a_user_that_leaves_too_slowly_is_made_to(runs: dict[str, Any]) -> None:
    """After gracefulRampDown an iteration is cut, and not counted; those who stay count."""
    found = runs["leaving too slowly"]

    assert [left for left in found["left"] if left < 2] == [pytest.approx(1.6, abs=STEP)] * 8
    assert (len(found["begun"]), found["iterations"]) == (14, 6)


def test_shared_iterations_are_made_once(runs: dict[str, Any]) -> None:
    """Seven users in three processes make a hundred iterations together, those who are faster more of them."""
    found = runs["shared"]

    assert (found["iterations"], len(found["begun"]), len(found["by_user"])) == (100, 100, 7)
    assert found["by_user"][0] < found["by_user"][-1]
    assert found["seconds"] < 10


def test_each_user_makes_its_iterations(runs: dict[str, Any]) -> None:
    """Seven users in three processes make nine iterations each, and the run is over with the last of them."""
    found = runs["each"]

    assert found["by_user"] == [9] * 7
    assert found["iterations"] == 63
    assert found["seconds"] == pytest.approx(found["left"][-1], abs=2 * STEP)


def test_iterations_end_with_their_time(runs: dict[str, Any]) -> None:
    """After maxDuration nobody begins, and after gracefulStop nobody is left: what was cut is not counted."""
    found = runs["no time"]

    assert max(found["begun"]) <= 5
    assert found["left"] == [pytest.approx(5.5, abs=STEP)] * 2
    assert (len(found["begun"]), found["iterations"]) == (6, 4)


def test_arrivals_come_evenly(runs: dict[str, Any]) -> None:
    """Twenty a second in two processes: each at its time from the first on, so many in each second, none dropped."""
    found = runs["steady rate"]

    assert sorted(found["begun"]) == pytest.approx([number / 20 for number in range(200)], abs=2 * EARLY)
    assert (found["iterations"], found["dropped"]) == (200, 0)
    assert found["little"] == pytest.approx(1, rel=0.001)


def test_a_rate_may_be_a_minutes(runs: dict[str, Any]) -> None:
    """Ninety a minute are fifteen in ten seconds."""
    assert runs["rate a minute"]["begun"] == pytest.approx([number / 1.5 for number in range(15)], abs=2 * EARLY)


def test_a_rate_follows_its_stages(runs: dict[str, Any]) -> None:
    """From 0 to 80/s in 4 s, at once 10/s for 2 s, and to 0 in 2 s: in each second what the line adds up to, ± 1."""
    found = runs["ramping rate"]

    by_second = Counter(int(at + EARLY) for at in found["begun"])
    assert [by_second[second] for second in range(8)] == pytest.approx([10, 30, 50, 70, 10, 10, 7.5, 2.5], abs=1)
    assert found["dropped"] == 0


def test_random_arrivals_are_the_same_however_many_processes_share_them(runs: dict[str, Any]) -> None:
    """One seed gives one schedule, to the union of one to five processes; another seed gives another."""
    alone = sorted(runs["poisson in 1"]["begun"])

    for places in range(2, 6):
        assert sorted(runs[f"poisson in {places}"]["begun"]) == pytest.approx(alone, abs=1e-6), places
    assert len(alone) == pytest.approx(150, abs=40)
    assert sorted(runs["poisson of another seed"]["begun"])[:5] != pytest.approx(alone[:5], abs=1e-3)


def test_loads_run_side_by_side(runs: dict[str, Any]) -> None:
    """Each begins at its own time, works as its own env says, and counts under its own name and tags."""
    found = runs["side by side"]

    assert found["by_load"] == {"steady": 14, "later": 60, "few": 12}
    assert found["first"]["steady"] == 0
    assert found["first"]["few"] == pytest.approx(1.0, abs=STEP)
    assert found["tags"] == [
        '[["operation", "other"], ["scenario", "few"]]',
        '[["operation", "other"], ["scenario", "later"], ["team", "b"]]',
        '[["operation", "other"], ["scenario", "steady"], ["team", "a"]]',
    ]


def test_a_load_that_begins_later_begins_with_users_that_are_ready(runs: dict[str, Any]) -> None:
    """Its pre-allocated users came before, who take a second to get ready, and its first arrival is not late."""
    found = runs["side by side"]

    assert found["first"]["later"] == pytest.approx(2.5, abs=2 * EARLY)
    assert found["late"] < 51_000  # µs, of which 50,000 are the iteration itself


@pytest.mark.parametrize(
    ("name", "counted", "gone"), [("too long at the end", 4, 6.0), ("finishing at the end", 8, 6.4)]
)
def test_an_iteration_may_finish_within_the_graceful_stop(
    runs: dict[str, Any], name: str, counted: int, gone: float
) -> None:
    """Four users are 1.4 s from the end of their second iteration: it counts with 1.5 s of grace, not with 1 s."""
    found = runs[name]

    assert len(found["begun"]) == 8
    assert found["iterations"] == counted
    assert found["left"] == [pytest.approx(gone, abs=STEP)] * 4


def test_requests_keep_to_the_limit_of_their_rate(runs: dict[str, Any]) -> None:
    """Fifty users of three processes send no more than 30 requests in any second, and one by chance; and no fewer."""
    sent = sorted(runs["rps"]["sent"])

    assert max(sum(at <= other < at + 1 for other in sent) for at in sent) <= 31 + 2
    assert len([at for at in sent if 1 <= at < 9]) == pytest.approx(8 * 30, abs=3)


def test_who_is_left_takes_the_part_of_a_process_that_is_lost(runs: dict[str, Any]) -> None:
    """Of three load processes one is gone at 3 s: the two others have the thirty users within a look."""
    assert {wanted for at, wanted, _ in runs["lost"]["seen"] if at < 2.9} == {30}
    assert {wanted for at, wanted, _ in runs["lost"]["seen"] if 3.0 + STEP < at < 5.9} == {30}
    assert {there for at, _, there in runs["lost"]["seen"] if 3.0 + 2 * STEP < at < 5.9} == {30}

    arrived = sorted(runs["lost rate"]["begun"])
    assert arrived == pytest.approx([number / 20 for number in range(200)], abs=2 * EARLY)


def test_an_edit_holds_from_now_on(runs: dict[str, Any]) -> None:
    """To 15 users at 2 s and to 3 at 4 s; or from 10/s to 40/s, not one of which is late."""
    seen = runs["edited"]["seen"]
    assert {wanted for at, wanted, _ in seen if at < 1.99} == {4}
    assert {wanted for at, wanted, _ in seen if 2.0 + STEP < at < 3.99} == {15}
    assert {wanted for at, wanted, _ in seen if 4.0 + STEP < at < 5.99} == {3}
    assert runs["edited"]["seconds"] == pytest.approx(6, abs=2 * STEP)

    rate = runs["edited rate"]
    assert len([at for at in rate["begun"] if at < 2]) == pytest.approx(20, abs=1)
    assert len([at for at in rate["begun"] if 3 <= at < 6]) == pytest.approx(120, abs=1)
    assert rate["late"] < 1000


def test_an_edit_is_the_first_loads_that_goes_on(runs: dict[str, Any]) -> None:
    """Of two loads the first takes an edit while it runs, and the second one after that."""
    seen = runs["edited before its begin"]["seen"]

    assert {wanted for at, wanted, _ in seen if 3.5 + STEP < at < 3.95} == {3}
    assert {wanted for at, wanted, _ in seen if 4.5 + STEP < at < 6.95} == {5}


def test_a_load_that_is_asked_to_end_finishes_what_it_began(runs: dict[str, Any]) -> None:
    """At 5 s nobody begins any more, what was begun counts, and a load that was to come later does not."""
    found = runs["closed"]

    assert max(found["begun"]) <= 5 + STEP
    assert found["iterations"] == len(found["begun"])
    assert "never" not in found["by_load"]
    assert found["seconds"] == pytest.approx(5.8, abs=2 * STEP)
    assert found["dropped"] == 0


def test_pre_allocated_users_are_ready_when_the_load_begins(runs: dict[str, Any]) -> None:
    """Getting ready takes them two seconds, and is over before second 0: nobody is late, nobody is dropped."""
    found = runs["slow to get ready"]

    assert found["begun"] == pytest.approx([number / 20 for number in range(60)], abs=2 * EARLY)
    assert (found["late"] <= 100_100, found["dropped"]) == (True, 0)


def test_arrivals_wait_for_users_who_come_for_them(runs: dict[str, Any]) -> None:
    """Where none is pre-allocated, each of the first arrivals lets a user come; those beyond the most are dropped."""
    found = runs["nobody ready"]

    assert found["iterations"] + found["dropped"] == 60
    assert found["first"][""] == pytest.approx(1, abs=0.01)
    assert found["late"] == pytest.approx(1_100_000, rel=0.01)  # µs: getting ready, and the iteration


@pytest.mark.parametrize(("name", "dropped"), [("fails", 0), ("fails openly", 30)])
def test_users_that_cannot_get_ready_make_no_iterations(runs: dict[str, Any], name: str, dropped: int) -> None:
    """The run goes to its end without them; in an open model every arrival is dropped."""
    found = runs[name]

    assert (found["iterations"], found["dropped"]) == (0, dropped)
    assert found["seconds"] == pytest.approx(3.1, abs=STEP)
    assert found["little"] == 0
    assert found["errors"] > 3, "a script that raised in on_start passes for one that did not"


def test_a_plain_users_requests_are_counted_as_sent_beside_the_labs(runs: dict[str, Any]) -> None:
    """Those of the lab's users are counted by their client already; twice would be a run that lost requests."""
    found = runs["a plain user among the lab's"]

    assert (found["iterations"], found["counted as sent"]) == (7, 3)


def test_what_has_no_answer_when_the_run_ends_is_unfinished(runs: dict[str, Any]) -> None:
    """Also where its user could not be made to go: the count of what was sent must match."""
    assert runs["no answer at the end"]["unfinished"] == 1


def test_a_user_that_cannot_be_made_ends_the_run(runs: dict[str, Any]) -> None:
    """In an open model as in a closed one: a load whose users never come must not look like a quiet one."""
    assert "Unmakeable could not be made: LookupError: the dataset has no users" in runs["cannot be made"]["error"]


@pytest.mark.parametrize("name", ["thinking", "nested", "edited", "closed", "stages of 1 s"])
def test_users_time_is_their_iterations_and_their_thinking(runs: dict[str, Any], name: str) -> None:
    """Little's law, as the gate has it: 2 % and a cycle's share of a stay."""
    assert runs[name]["little"] == pytest.approx(1, abs=0.02 + 0.6 / 20)


def test_an_open_model_knows_no_thinking(runs: dict[str, Any]) -> None:
    """Four users of 0.1 s serve 20/s, though their task set, or what it inherits from, says to think half a second."""
    found = runs["nested arrivals"]

    assert (found["iterations"], found["dropped"]) == (200, 0)
