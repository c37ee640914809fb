"""Thresholds: k6's grammar, and three outcomes."""

from __future__ import annotations

from contextlib import suppress
from math import inf, isfinite

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.errors import ConfigError
from lab.model.threshold import (
    AGGREGATIONS,
    METRICS,
    OPERATORS,
    MetricKind,
    Outcome,
    Selector,
    Threshold,
    judge,
    parse_option,
    parse_selector,
    parse_threshold,
)

FEW = settings(max_examples=75, deadline=None)
words = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
values = st.text(st.characters(blacklist_characters="{},", codec="utf-8"), min_size=1, max_size=12).filter(
    lambda text: text == text.strip() and text.strip()
)
selectors = st.builds(
    Selector,
    st.sampled_from(sorted(METRICS)),
    st.dictionaries(words, values, max_size=3).map(lambda tags: tuple(sorted(tags.items()))),
)
numbers = st.floats(-1e12, 1e12) | st.integers(-10_000, 10_000).map(float)


@st.composite
def thresholds(draw: st.DrawFn) -> Threshold:
    """Draw any threshold that the grammar allows on a known metric."""
    selector = draw(selectors)
    aggregation = draw(st.sampled_from(AGGREGATIONS[METRICS[selector.metric]]))
    argument = draw(st.floats(0, 100)) if aggregation == "p" else None
    return Threshold(selector, aggregation, draw(st.sampled_from(sorted(OPERATORS))), draw(numbers), argument)


@FEW
@given(thresholds())
def test_every_threshold_is_read_as_it_is_written(threshold: Threshold) -> None:
    """Written and read again, a threshold is the same to the last digit, from a file and from the command line."""
    assert parse_threshold(str(threshold.selector), threshold.expression) == threshold
    assert parse_option(f"{threshold.selector}:{threshold.expression}") == threshold
    assert parse_option(str(threshold)) == threshold


@FEW
@given(thresholds(), st.lists(st.sampled_from(["", " ", "  ", "\t"]), min_size=6, max_size=6))
def test_blanks_do_not_matter(threshold: Threshold, blanks: list[str]) -> None:
    """An expression may have blanks between its parts."""
    a, b, c, d, e, f = blanks
    name = threshold.aggregation
    argument = "" if threshold.argument is None else f"({a}{threshold.argument!r}{b})"
    text = f"{c}{name}{argument}{d}{threshold.operator}{e}{threshold.bound!r}{f}"

    assert parse_threshold(str(threshold.selector), text) == threshold


@FEW
@given(
    st.text(max_size=30) | st.from_regex(r"[a-z_]{1,10}(\{[a-z:,]{0,10}\})?", fullmatch=True),
    st.text(max_size=30) | st.from_regex(r"(p|avg|rate)?(\([0-9.e]{0,5}\))?[<>=!]{0,3}[0-9.e-]{0,6}", fullmatch=True),
)
def test_no_text_breaks_the_parsers(metric: str, expression: str) -> None:
    """Any text is a threshold that can be written and read again, or a ConfigError with a sentence."""
    with suppress(ConfigError):
        found = parse_threshold(metric, expression)
        assert parse_threshold(str(found.selector), found.expression) == found
    for text in (metric, expression, f"{metric}:{expression}"):
        with suppress(ConfigError):
            parse_option(text)


@pytest.mark.parametrize(
    ("metric", "expression", "sentence"),
    [
        ("http_req_duration", "p(95)", "write AGGREGATION OPERATOR NUMBER"),
        ("http_req_duration", "", "write AGGREGATION OPERATOR NUMBER"),
        ("http_req_duration", "p(95)=<5", '"=<" is no operator'),
        ("http_req_duration", "p95<5", "write AGGREGATION"),
        ("http_req_duration", "p(101)<5", "between 0 and 100"),
        ("http_req_duration", "p(-1)<5", "between 0 and 100"),
        ("http_req_duration", "p(nan)<5", '"nan" is no number'),
        ("http_req_duration", "p<5", r"write p\(N\)"),
        ("http_req_duration", "avg(5)<5", "avg takes no argument"),
        ("http_req_duration", "avg<inf", '"inf" is no number'),
        ("http_req_duration", "avg<1e999", '"1e999" is no number'),
        ("http_req_duration", "avg<5ms", '"5ms" is no number'),
        ("http_req_duration", "average<5", 'no "average"'),
        ("http_req_duration", "ma<5", 'did you mean "max"'),
        ("http_req_failed", "p(95)<5", 'a rate like http_req_failed has no "p"'),
        ("vus", "max<5", 'a gauge like vus has no "max"; known are: value'),
        ("checks", "count>5", 'has no "count"'),
        ("mine", "cuont<5", 'there is no "cuont"; did you mean "count"'),
        ("http_req_duraton", "p(95)<5", 'unknown metric "http_req_duraton"; did you mean "http_req_duration"'),
        ("seats_los", "value==0", 'did you mean "seats_lost"'),
        ("{a:b}", "p(95)<5", "is no metric"),
        ("http_reqs{", "count>5", "is no metric"),
        ("http_reqs{name}", "count>5", '"name" is no tag filter'),
        ("http_reqs{name:}", "count>5", '"name:" is no tag filter'),
        ("http_reqs{:x}", "count>5", '":x" is no tag filter'),
        ("http reqs", "count>5", "is no metric"),
        ("", "count>5", "is no metric"),
    ],
)
def test_what_is_wrong_is_named(metric: str, expression: str, sentence: str) -> None:
    """The error says which word is wrong, and the nearest right one."""
    with pytest.raises(ConfigError, match=sentence):
        parse_threshold(metric, expression)


@pytest.mark.parametrize("text", ["", "http_reqs", ":", ":p(95)<5", "http_reqs:", "http_reqs{a:b}"])
def test_half_an_option_is_refused(text: str) -> None:
    """The error shows the option's form."""
    with pytest.raises(ConfigError, match=r"--threshold .* write METRIC:EXPRESSION"):
        parse_option(text)


def test_a_metric_of_the_users_own_is_let_through() -> None:
    """A name that is near no known metric may have any aggregation; whether it has data shows in the run."""
    assert parse_threshold("queue_depth{queue:mail}", "p(99.9)<5").selector == Selector(
        "queue_depth", (("queue", "mail"),)
    )


def test_tags_are_compared_in_any_order() -> None:
    """A selector is the same whichever tag is written first, and a colon belongs to a value."""
    assert parse_selector("http_reqs{b:2, a:1}") == parse_selector("http_reqs{a:1,b:2,}")
    assert parse_selector("http_reqs{url:http://x/}").tags == (("url", "http://x/"),)


def test_a_selector_matches_samples_with_all_its_tags() -> None:
    """More tags than asked for are fine; a missing or another one is not."""
    selector = parse_selector("http_reqs{a:1,b:2}")

    assert selector.matches({"a": "1", "b": "2", "c": "3"})
    assert not selector.matches({"a": "1"})
    assert not selector.matches({"a": "1", "b": "3"})
    assert Selector("http_reqs").matches({})


COMPARED = [("<", (True, False, False)), ("<=", (True, True, False)), (">", (False, False, True)),
            (">=", (False, True, True)), ("==", (False, True, False)), ("!=", (True, False, True))]  # fmt: skip


@pytest.mark.parametrize(("sign", "held"), COMPARED)
def test_a_threshold_holds_or_fails(sign: str, held: tuple[bool, ...]) -> None:
    """Below, at and above the bound."""
    threshold = parse_threshold("http_reqs", f"count{sign}5")

    assert [judge(threshold, actual).outcome is Outcome.PASS for actual in (4, 5, 6)] == list(held)
    assert {judge(threshold, actual).outcome for actual in (4, 5, 6)} <= {Outcome.PASS, Outcome.FAIL}


@FEW
@given(thresholds())
def test_no_data_never_passes(threshold: Threshold) -> None:
    """Where nothing was measured, the outcome is NO DATA for every expression."""
    result = judge(threshold, None)

    assert (result.outcome, result.actual) == (Outcome.NO_DATA, None)


@FEW
@given(st.floats(0, 1e12))
def test_no_answer_is_beyond_every_bound(bound: float) -> None:
    """A percentile that fell among the failures fails each upper bound."""
    threshold = Threshold(Selector("http_req_duration"), "p", "<", bound, 95.0)

    assert judge(threshold, inf).outcome is Outcome.FAIL
    assert isfinite(threshold.bound)


@FEW
@given(thresholds())
def test_no_answer_never_passes(threshold: Threshold) -> None:
    """Not a lower bound either: a target that only fails is not slow enough, it is not there."""
    assert judge(threshold, inf).outcome is Outcome.FAIL


def test_a_result_says_what_was_judged() -> None:
    """It carries metric, expression, figure, unit and note as a table needs them."""
    result = judge(parse_threshold("http_req_duration{operation:booking}", "p( 95 ) < 2000"), 12.5, "ms", "why")

    assert result.metric == "http_req_duration{operation:booking}"
    assert (result.expression, result.actual, result.unit, result.note) == ("p(95)<2000", 12.5, "ms", "why")


def test_every_kind_of_metric_has_its_aggregations() -> None:
    """Each known metric takes exactly the aggregations of its kind."""
    assert set(AGGREGATIONS) == set(MetricKind)
    for metric, kind in METRICS.items():
        for aggregation in {name for names in AGGREGATIONS.values() for name in names}:
            text = f"{aggregation}(50)<1" if aggregation == "p" else f"{aggregation}<1"
            if aggregation in AGGREGATIONS[kind]:
                assert parse_threshold(metric, text).aggregation == aggregation
            else:
                with pytest.raises(ConfigError):
                    parse_threshold(metric, text)
