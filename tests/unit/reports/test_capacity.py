"""Capacity: how far it scales, what was full, where thresholds break, and no claim that the steps cannot carry."""

from __future__ import annotations

import json
from dataclasses import replace
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import jsonschema_rs
import pytest

from lab.capacity import Stairs
from lab.errors import RunError, StoppedError
from lab.model.run import Status
from lab.model.threshold import parse_threshold
from reports.capacity import export, files, page, text, words
from reports.capacity.charts import charts
from reports.capacity.reading import read
from tests import synthetic
from tests.stairs import USERS, climb, cpu, gauges, law

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lab.model.sample import SeriesKey
    from reports.capacity.result import Capacity

SCHEMA: Final = Path(__file__).parents[3] / "docs" / "capacity.schema.json"
FLAT: Final = law(60, 0.05, 0.002)
"""Highest with 21.8 users."""
THRESHOLDS: Final = (
    parse_threshold("http_req_duration{operation:booking}", "p(95)<100"),
    parse_threshold("http_req_failed", "rate<0.01"),
    parse_threshold("http_req_duration", "p(99.9)<1"),
    parse_threshold("seats_lost", "value==0"),
)


def found(rate: Callable[[int], float] = FLAT, users: tuple[int, ...] = USERS, **more: Any) -> Capacity:
    """Read a run that is made up."""
    run, ticks = climb(rate, users=users, **more)
    return read(run, ticks, Stairs(users, more.get("hold", 10)).steps, THRESHOLDS)


def busy(n: int) -> Mapping[SeriesKey, float]:
    """One core of the gateway is full from 8 users on, and the pool of booking is too small from 32."""
    return (
        cpu(gateway=min(0.15 * n, 0.97), auth=min(0.1 * n, 0.3), load=0.1)
        | gauges("pool_waiting", "service", {"booking": max(n - 20, 0) / 10})
        | gauges("pool_in_use", "service", {"booking": 5.0})
        | gauges("queue_depth", "queue", {"notifications": 3.0})
        | gauges("threads_busy", "service", {"gateway": min(n, 16)})
    )


def test_the_plateau_the_law_and_the_knee_are_those_put_in() -> None:
    """Throughput stops growing at 16 users; λ, σ, κ and the peak lie in their intervals."""
    one = found()

    assert one.plateau is not None
    assert (one.plateau.users, one.knee) == (16, 16)
    assert one.law is not None
    assert one.law.one.low < 60 < one.law.one.high
    assert one.law.peak.value == pytest.approx(21.8, rel=0.1)
    assert not one.no_peak
    assert "the rate is highest with 2" in words.peak(one)
    assert words.headline(one).startswith("as-found scales up to 16 users: 4")


def test_what_was_full_is_named_the_tightest_first() -> None:
    """The pool, the threads that stopped growing, and the one core; not the queue of three mails."""
    one = found(beside=busy)

    assert [each.what.partition(" (")[0] for each in one.full] == [
        "the connection pool of booking",
        "the threads of gateway",
        "one core of gateway",
    ]
    assert one.unseen == ()
    assert "Full there: the connection pool of booking (5 in use" in words.headline(one)


def test_a_full_machine_and_a_queue_that_grows_are_named() -> None:
    """Nearly all cores in use, and more waiting than a second's work."""
    one = found(beside=lambda _: cpu(a=0.8, b=0.7, load=0.45) | gauges("queue_depth", "queue", {"outbox": 5000.0}))

    assert [each.what.partition(" (")[0] for each in one.full] == [
        "the machine: 1.95 of 2 cores in use",
        "the queue outbox",
    ]


def test_what_no_probe_looked_at_is_not_said_to_be_fine() -> None:
    """Without a single gauge of the platform all four are named."""
    one = found()

    assert one.full == ()
    assert len(one.unseen) == 4
    assert "not looked at: the platform's CPU, its connection pools, its threads, its queues" in words.headline(one)


def test_a_threshold_breaks_between_two_steps() -> None:
    """With the users and the rate of both, and what was measured; one without samples is not judged; no audit's."""
    first, second, third = found().breaks

    assert first.held is not None
    assert first.broke is not None
    assert (first.held.users, first.broke.users, first.again) == (32, 64, False)
    assert float(first.figure.split()[0]) > 200
    assert (second.held and second.held.users, second.broke) == (64, None)
    assert (third.held, third.broke) == (None, None)
    said = [words.broken(each) for each in found().breaks]
    assert said[0].startswith("held with 32 users (4")
    assert said[1].startswith("held at every step, up to 64 users")
    assert said[2].startswith("not judged")


def test_a_step_that_could_not_be_judged_is_not_said_to_have_held_or_broken() -> None:
    """With 1, 2 and 4 users there are too few samples for p99, before a break as where nothing breaks."""
    judged = (parse_threshold("http_req_duration", "p(99)<50"), parse_threshold("http_req_duration", "p(99)<5000"))
    run, ticks = climb(law(28, 0.05, 0.002))
    broke, held = read(run, ticks, Stairs(USERS, 10).steps, judged).breaks

    assert (broke.unjudged, held.unjudged) == ((1, 2, 4), (1, 2, 4))
    assert (broke.held, broke.broke and broke.broke.users) == (None, 8)
    assert words.broken(broke).endswith("; too few samples with 1, 2, 4 users")
    assert words.broken(held).startswith("held at every step that was judged, up to 64 users")
    few = read(
        run, [tick if tick.second < 60 else replace(tick, trends={}) for tick in ticks], Stairs(USERS, 10).steps, judged
    )
    assert words.broken(few.breaks[1]).startswith("held at every step that was judged, up to 16 users")


def test_a_rate_that_still_grows_has_no_plateau_and_no_peak() -> None:
    """Nothing is said to be full, and more steps are asked for."""
    one = found(law(20, 0.001, 0.0))

    assert one.plateau is None
    assert "still grew at the last step" in words.headline(one)
    assert one.full == ()
    assert "No peak is claimed" in words.peak(one)


def test_no_peak_is_claimed_beyond_what_was_measured() -> None:
    """κ is surely above 0, and the law's peak at 100 users: 64 were measured."""
    one = found(law(60, 0.0, 0.0001), noise=0.002)

    assert one.law is not None
    assert one.law.peaks
    assert "64 is the most that was measured" in one.no_peak


@pytest.mark.parametrize("cap", [6, 12, 16])
def test_no_peak_is_claimed_on_a_flat_plateau(cap: int) -> None:
    """A queue behind one full resource bends sharply and stays flat; the law would follow it with a κ above 0."""
    one = found(lambda n: 50.0 * min(n, cap))

    assert one.plateau is not None
    assert one.no_peak


def test_a_sharp_bend_alone_is_no_peak_even_where_the_law_has_one() -> None:
    """Its κ is surely above 0 here, and the sentence says why that is not enough."""
    one = found(lambda n: 50.0 * min(n, 12), hold=20)

    assert one.law is not None
    assert one.law.peaks
    assert "a plateau describes them as well" in one.no_peak


def test_no_peak_is_claimed_by_a_law_that_does_not_describe_the_steps() -> None:
    """A platform that falls over at 16 users is no case of the law."""
    one = found(lambda n: 40.0 * n if n < 16 else 50.0)

    assert "does not describe this platform" in one.no_peak


def test_a_generator_that_was_late_is_the_limit() -> None:
    """Timers 80 ms late from 32 users on: the answer is no figure of the platform's, and there is no peak."""
    one = found(late_ms=lambda n: 80.0 if n >= 32 else 0.5)

    assert one.limited is not None
    assert one.limited.users == 32
    assert "from 32 users on the load generator was the limit" in words.headline(one)
    assert "generator was the limit" in one.no_peak
    assert page.outlook(one)[2] == "GENERATOR-BOUND"


def test_what_a_late_generator_leaves_open_is_no_fault_of_the_platforms() -> None:
    """Nothing was full, and no unseen lock is blamed; the steps that it spoilt are told on the page, each with why."""
    beside = gauges("pool_waiting", "service", {"a": 0}) | gauges("threads_busy", "service", {"a": 1})
    beside |= gauges("queue_depth", "queue", {"q": 0}) | cpu(auth=0.4, load=0.3)
    one = found(late_ms=lambda n: 80.0 if n >= 32 else 0.5, beside=lambda _: beside)
    well = found(beside=lambda _: beside)

    assert words.stopped_by(one).endswith("since the load generator was the limit.")
    assert "(the platform and its load used 0.70 of 2 cores): a lock, a disk or a wait" in words.stopped_by(well)
    assert page.render(one).count("! generator with") == page.render(one).count("!&nbsp;generator") == 2
    assert "! generator with" not in page.render(well)


def test_a_rate_that_falls_from_the_first_step_on_has_no_peak_among_the_steps() -> None:
    """The law puts it below one user, where nobody measured."""
    one = found(lambda n: 200.0 / (0.5 + 0.5 * n))

    assert one.plateau is not None
    assert one.plateau.users == 1
    assert one.no_peak.startswith("the law puts it below 1 user, and that is the least")


def test_a_step_that_dips_is_told() -> None:
    """Slower with 4 users than with 2 and with 8: something else did that. A rate that falls at the end is no dip."""
    one = found(lambda n: 60.0 if n == 4 else FLAT(n))

    assert [step.users for step in one.dips] == [4]
    assert words.caution(one).startswith("With 4 users the rate was surely lower than with fewer and than with more")
    assert found().dips == found(law(100, 0.0, 0.01)).dips == ()


def test_a_law_that_does_not_describe_the_steps_is_not_drawn() -> None:
    """Its parameters say so; one without a peak to claim says that it claims none."""

    def drawn(one: Capacity) -> list[str]:
        figure = charts(one)[0].figure
        return [trace["name"] for trace in figure["data"]] if figure else []

    odd = found(lambda n: 40.0 * n if n < 16 else 50.0)
    assert drawn(odd) == ["measured", "plateau begins"]
    assert "does not describe them" in text.summary(odd)
    assert "the law, which claims no peak" in drawn(found(lambda n: 50.0 * min(n, 12)))
    assert "the law" in drawn(found())
    wild = charts(found(noise=0.9, hold=6))[0].figure
    assert wild is not None
    error, rates = wild["data"][0]["error_y"], wild["data"][0]["y"]
    assert all(below <= rate for below, rate in zip(error["arrayminus"], rates, strict=True))


def test_a_platform_that_answers_nothing_has_no_capacity() -> None:
    """All that it does is fail: every renderer says so, and nothing is divided by it."""
    run, ticks = climb(FLAT)
    one = read(run, synthetic.failing(ticks), Stairs(USERS, 10).steps, THRESHOLDS)

    assert words.headline(one) == "as-found answered nothing well at any step: 100.00% of the requests failed."
    assert "answered nothing well" in page.render(one)
    assert page.outlook(one)[2] == "NO ANSWER"
    assert "answered nothing well" in text.summary(one)
    assert json.loads(export.render(one))["law"] is None
    part = [*ticks[:66], *synthetic.failing(ticks[66:])]
    half = read(run, part, Stairs(USERS, 10).steps, ())
    assert "; 100.00% of the requests with 64 users failed" in words.headline(half)


def test_one_step_and_a_step_without_growth_are_no_growth() -> None:
    """Growth is told where there is some; one flat step is no plateau yet, and a plateau from the first step is one."""

    def said(rate: Callable[[int], float], *users: int) -> str:
        return words.headline(found(rate, users=users))

    assert "was held with 8 users alone" in said(FLAT, 8)
    assert "still grew at the last step" in said(lambda n: 60.0 * n, 1, 2)
    assert "had not settled at the last step" in said(lambda _: 100.0, 1, 2)
    assert said(lambda _: 100.0, 1, 2, 4).startswith("as-found answers no more than with 1 user: ")


def test_few_steps_have_no_law() -> None:
    """Four steps are measured and shown; a law is not fitted to them."""
    one = found(users=(1, 2, 4, 8))

    assert one.law is None
    assert one.no_law.startswith("4 steps can have no law: it takes 5")
    assert one.no_law in words.peak(one)


def test_a_run_that_was_stopped_says_what_its_whole_steps_say() -> None:
    """A step that was cut short is left out; one that ended before its first step says nothing."""
    run, ticks = climb(FLAT)
    steps = Stairs(USERS, 10).steps

    assert [step.users for step in read(run, ticks[:40], steps, ()).steps] == [1, 2, 4]
    with pytest.raises(RunError, match="before its first step"):
        read(run, ticks[:8], steps, ())
    with pytest.raises(StoppedError, match="before its first step"):
        read(replace(run, status=Status.STOPPED), ticks[:8], steps, ())


def test_a_folder_gets_its_report_its_page_and_its_values(tmp_path: Path) -> None:
    """The page may stand elsewhere; a run that says nothing of its capacity has its own report all the same."""
    run, ticks = climb(FLAT)
    folder = synthetic.folder(tmp_path / "run", run, ticks)
    steps = Stairs(USERS, 10).steps
    one, path = files.climbed(folder, steps, THRESHOLDS, tmp_path / "elsewhere.html")

    assert path == tmp_path / "elsewhere.html"
    assert "Capacity of as-found" in path.read_text(encoding="utf-8")
    assert json.loads((folder.path / "capacity.json").read_text(encoding="utf-8")) == export.as_dict(one)
    assert files.climbed(folder, steps, ())[1] == folder.path / "capacity.html"
    short = synthetic.folder(tmp_path / "short", run, ticks[:5])
    with pytest.raises(RunError):
        files.climbed(short, steps, ())
    assert short.report.exists()


def test_rates_that_are_hardly_known_are_told() -> None:
    """Seconds that differ by half make a guess of what follows; seconds that differ by a fiftieth don't."""
    guess = found(noise=0.6, hold=6)
    assert words.caution(guess).startswith("The rate with ")
    assert not words.caution(found())
    assert page.outlook(replace(guess, plateau=guess.most))[2] == "CAPACITY, BY A GUESS"
    assert page.outlook(found())[2] == "CAPACITY"


def test_the_text_fits_a_terminal() -> None:
    """At 80 columns, and as plain text; the plateau is marked."""
    lines = text.summary(found(beside=busy), 80).splitlines()

    assert max(map(len, lines)) <= 80
    assert sum("← plateau" in line for line in lines) == 1


def test_the_json_has_no_infinity_and_every_step() -> None:
    """An interval without an end says so in words."""
    values = json.loads(export.render(found(law(20, 0.001, 0.0))))

    assert [step["users"] for step in values["steps"]] == list(USERS)
    assert values["peak"] is None
    assert all(isfinite(step["rate"]) for step in values["steps"])
    assert values["law"]["kappa"]["low"] == 0


def test_the_json_keeps_to_its_schema() -> None:
    """Every kind of value that a capacity can hold is one that docs/capacity.schema.json names."""
    checker = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text(encoding="utf-8")))
    some = found(beside=busy)
    step = some.steps[-1]
    unknown = replace(step, level=replace(step.level, error=inf, median=None, p95=inf, gauges={}))
    for each in (
        some,
        found(law(20, 0.001, 0.0)),
        found(users=(1, 2, 4, 8)),
        found(late_ms=lambda _: 80.0),
        replace(some, steps=(*some.steps[:-1], unknown), knee=None),
    ):
        values = json.loads(export.render(each))
        checker.validate(values)
    assert values["steps"][-1]["p95"] == "no answer"
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "steps": [{**values["steps"][0], "rate": None}]})
    with pytest.raises(jsonschema_rs.ValidationError):
        checker.validate({**values, "maximum": 64})


def test_the_page_draws_three_charts_and_survives_hostile_names() -> None:
    """A process that is called like a tag stays text."""
    hostile = '<img src=x onerror="alert(1)">'
    html = page.render(found(beside=lambda _: gauges("cpu", "process", {hostile: 0.95})))

    assert hostile not in html
    assert all(f'id="{chart}"' in html for chart in ("throughput", "latency", "cores"))
    assert "Capacity of as-found" in html
