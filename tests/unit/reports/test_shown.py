"""Percentiles that too few samples lie beyond are hidden, and what is judged by one says so."""

from __future__ import annotations

from math import inf

import pytest

from lab.model.histogram import Histogram
from lab.model.sample import OK, Tally, Tick, TrendKey
from lab.model.threshold import judge, parse_threshold
from lab.model.verdict import Validity, Verdict
from lab.validity import Observed, gates
from reports import text, words
from reports.shown import shown_percentile
from tests import synthetic


def few(requests: int) -> Tally:
    """Sum a second with so many requests that succeeded."""
    key = TrendKey("http_req_duration", "POST /", (("operation", "booking"),), OK)
    return synthetic.tally([Tick(0, {key: {1000: requests}})])


@pytest.mark.parametrize(
    ("count", "failed", "share", "shown"),
    [(199, 0, 0.95, None), (200, 0, 0.95, 1000), (190, 10, 0.95, 1000), (5, 5, 0.95, inf), (0, 0, 0.5, None)],
)
def test_ten_samples_must_lie_beyond(count: int, failed: int, share: float, shown: float | None) -> None:
    """p95 is shown from 200 answers on, failures among them; "no answer" needs no such number."""
    assert shown_percentile(Histogram({1000: count} if count else {}), share, failed) == shown


@pytest.mark.parametrize(
    ("requests", "said"),
    [(8, "rests on 0.4 of 8 samples"), (200, "rests on 10.0 of 200 samples, which is weak"), (2000, "")],
)
def test_a_threshold_on_few_samples_says_so(requests: int, said: str) -> None:
    """Its figure stays, since it was judged by it, and the gate's count stands behind it."""
    tally = few(requests)
    plan = synthetic.scenario(thresholds=(parse_threshold("http_req_duration{operation:booking}", "p(95)<2000"),))
    findings = gates(Observed(plan, tally, synthetic.totals(tally), {}, {}, 0))
    results = tuple(judge(threshold, *tally.measure(threshold)) for threshold in plan.thresholds)
    run = synthetic.run(
        tally,
        scenario=plan,
        thresholds=results,
        verdict=Verdict(Validity.SUSPECT, passed=True, exit_code=0, sentence="Held.", findings=findings),
    )
    assert words.note(run, results[0]) == said
    assert f"p(95)=1ms{f'  ({said})' if said else ''}\n" in text.summary(run, tally)
