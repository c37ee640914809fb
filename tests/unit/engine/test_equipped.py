"""Checks, groups and metrics of user code, on a user that sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf, nan
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.engine.equipped import Equipped
from lab.engine.kinds import MAX_METRICS
from lab.engine.recorder import Recorder
from lab.errors import ScriptError
from lab.model.histogram import bin_of, middle
from lab.model.metrics import OWN
from lab.model.sample import Tally
from lab.model.threshold import Selector, parse_threshold

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass
class Lab:
    """What holds the recorder."""

    recorder: Recorder = field(default_factory=lambda: Recorder(lambda: 0.0))


class Loaded(Equipped):
    """A user of a load with a tag."""

    def __init__(self) -> None:
        self.lab = Lab()
        self.load_tags = {"scenario": "a"}

    def context(self) -> dict[str, Any]:
        """Give what a load's users say of themselves."""
        return {**super().context(), "scenario": "a", "_late": 7}

    def tally(self) -> Tally:
        """Sum what was recorded."""
        whole = Tally()
        for tick in self.lab.recorder.close({}, everything=True):
            whole.add(tick)
        return whole

    def measure(self, metric: str, expression: str) -> tuple[float | None, str]:
        """Give what a threshold would see."""
        return self.tally().measure(parse_threshold(metric, expression))


def test_each_kind_reaches_its_thresholds() -> None:
    """A counter, a gauge, a rate, a trend and a trend of times, by tag, in their own units."""
    user = Loaded()
    user.count("seats_sold", 2, tier="gold")
    user.count("seats_sold")
    user.gauge("cart", 3)
    user.gauge("cart", 5, tier="gold")
    user.gauge("cart", -1.5)
    user.rate("upgraded", 1)
    user.rate("upgraded", "")
    user.trend("hits", 12.5)
    user.trend("hits", 1, tier="gold")
    user.trend("render", 12.5, time=True)
    tally = user.tally()

    def seen(metric: str, expression: str) -> tuple[float | None, str]:
        return tally.measure(parse_threshold(metric, expression))

    assert seen("seats_sold", "count>0") == (3, "")
    assert seen("seats_sold{tier:gold,scenario:a}", "count>0") == (2, "")
    assert seen("cart", "value>0") == (-1.5, "")
    assert seen("cart{tier:gold}", "value>0") == (5, "")
    assert seen("upgraded", "rate>0") == (0.5, "share")
    assert seen("hits", "p(95)>0") == (middle(bin_of(12_500)) / 1000, "")
    assert seen("hits{tier:gold}", "p(95)>0") == (1, "")
    assert seen("render", "p(95)>0") == (middle(bin_of(12_500)) / 1000, "ms")
    assert seen("hits{tier:tin}", "p(95)>0")[0] is None
    assert seen("hits", "rate>0") == (None, "")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 1e9) | st.integers(0, 10**12), min_size=1, max_size=20), st.booleans())
def test_a_trend_keeps_its_values_to_a_thousandth(values: list[float], time: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever is put in comes back within 1/1024 or 1/1000 of its unit, at either end."""
    user = Loaded()
    for value in values:
        user.trend("hits", value, time=time)
    tally = user.tally()
    for text, value in (("min>0", min(values)), ("max>0", max(values)), ("p(100)>0", max(values))):
        found, unit = tally.measure(parse_threshold("hits", text))
        assert found == middle(bin_of(round(value * 1000))) / 1000 == pytest.approx(value, rel=1 / 1024, abs=1 / 1000)
        assert unit == ("ms" if time else "")


@pytest.mark.parametrize(
    ("use", "words"),
    [
        (lambda u: u.count("http_reqs"), "of the lab's own"),
        (lambda u: u.trend("group_duration", 1), "of the lab's own"),
        (lambda u: u.count("seats sold"), "no name for a metric"),
        (lambda u: u.count("größe"), "no name for a metric"),
        (lambda u: u.count(7), "no name for a metric"),
        (lambda u: u.gauge("sold", 1), '"sold" is a counter already and cannot be a gauge'),
        (lambda u: u.rate("sold", 1), "is a counter already"),
        (lambda u: u.trend("hits", 1, time=True), '"hits" is a trend already and cannot be a trend of times'),
        (lambda u: u.count("sold", -1), "takes 0 and more"),
        (lambda u: u.count("sold", 1.5), "counts whole things"),
        (lambda u: u.count("sold", inf), "finite"),
        (lambda u: u.trend("hits", -0.1), "takes 0 and more"),
        (lambda u: u.trend("hits", nan), "finite"),
        (lambda u: u.gauge("cart", inf), "finite"),
        (lambda u: u.gauge("cart", "many"), "finite"),
        (lambda u: u.group("").__enter__(), "no name for a group"),
        (lambda u: u.group("a::b").__enter__(), "no name for a group"),
    ],
)
def test_what_cannot_be_recorded_is_said_at_once(use: Callable[[Any], None], words: str) -> None:
    """A wrong name, kind or value raises where it stands, and leaves nothing behind."""
    user = Loaded()
    user.count("sold", 1)
    user.trend("hits", 1)

    with pytest.raises(ScriptError, match=words):
        use(user)

    tally = user.tally()
    series = {key.metric for kept in (tally.counters, tally.gauges, tally.rates) for key in kept}
    assert (series, {key.metric for key in tally.trends}) == ({"sold"}, {"hits"})
    assert (tally.counter("sold"), tally.trends.popitem()[1].count) == (1, 1)


@pytest.mark.parametrize("metric", sorted(OWN))
def test_no_metric_of_the_labs_own_is_mixed_up(metric: str) -> None:
    """Every name that the lab records under is taken."""
    with pytest.raises(ScriptError, match="of the lab's own"):
        Loaded().count(metric)


def test_metrics_are_bounded() -> None:
    """An id in a name ends as an error that names the remedy, and what was there before goes on."""
    user = Loaded()
    for number in range(MAX_METRICS):
        user.count(f"sold_{number}")
    with pytest.raises(ScriptError, match="into a tag"):
        user.count("sold_more")
    user.count("sold_7")
    assert user.measure("sold_7", "count>0")[0] == 2


def test_groups_are_nested_and_left() -> None:
    """What happens inside carries the whole path; an error leaves the group and no duration."""
    user = Loaded()
    checks = {"good": lambda _: True, "bad": lambda _: False, "raises": lambda _: 1 / 0}
    with user.group("checkout"):
        user.count("clicks")
        with user.group("pay"):
            assert user.group_path == "::checkout::pay"
            user.count("clicks", 2)
            assert not user.check(None, checks, "booking", tier="gold")
    with pytest.raises(KeyError), user.group("broken"):
        raise KeyError
    assert (user.group_path, Loaded.group_path) == ("", "")
    user.count("clicks", 4)
    tally = user.tally()

    counted = {dict(key.tags).get("group"): number for key, number in tally.counters.items()}
    assert counted == {"::checkout": 1, "::checkout::pay": 2, None: 4}
    seen = {dict(key.tags)["group"]: histogram.count for key, histogram in tally.trends.items()}
    assert seen == {"::checkout": 1, "::checkout::pay": 1}
    inside = (("group", "::checkout::pay"), ("operation", "booking"), ("scenario", "a"), ("tier", "gold"))
    assert tally.rate(Selector("checks", inside)) == (1, 3)
    assert tally.rate(Selector("checks", (("check", "good"),))) == (1, 1)
    times = [
        tally.measure(parse_threshold(f"group_duration{{group:{path}}}", "max>=0"))
        for path in ("::checkout::pay", "::checkout", "::broken")
    ]
    assert [unit for _, unit in times] == ["ms"] * 3
    assert times[0][0] is not None
    assert times[1][0] is not None
    assert 0 <= times[0][0] <= times[1][0]
    assert times[2][0] is None
