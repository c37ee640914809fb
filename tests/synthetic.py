"""Runs made up from a seed, for the tests of reports: with stages, failures, checks, defects and hostile names."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import fields, replace
from math import inf
from typing import TYPE_CHECKING, Any, Final

from lab import samples_file
from lab.model.histogram import bin_of
from lab.model.load import Load
from lab.model.run import DatasetSummary, Machine, Revision, Run, ScriptTrace, Status, Totals
from lab.model.sample import FAIL, OK, SeriesKey, Tally, Tick, TrendKey
from lab.model.scenario import Scenario
from lab.model.stage import Stage, users_at
from lab.model.target import local_target
from lab.model.threshold import INTEGRITY_METRICS, judge, parse_threshold
from lab.model.verdict import Finding, FlightDefect, Integrity, Validity, Verdict
from lab.store import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

STAGES: Final = (Stage(30, 20), Stage(30, 50), Stage(30, 100), Stage(30, 0))
HOSTILE: Final = (
    "</script><script>window.stolen=1;alert('name')</script>",
    '<img src=x onerror="window.stolen=2;alert(2)">',
    "<b>bold</b> & <a href='javascript:window.stolen=3'>link</a>",
    "line\u2028separator \u202egnihton\u202c \x1b[31mred\x1b[0m",
    "{{ 7 * 7 }} %{x} $\\alpha$ 予約 ñ 🛫",
    "x" * 3000,
)
"""Texts that a server, a scenario's author or a user name may bring into a report."""

_OPERATIONS: Final = (
    # operation, name, share of requests, typical ms at the start, failures' share
    ("booking", "POST /bookingservice/api/v1/bookings", 0.6, 24.0, 0.01),
    ("search", "GET /flights/api/v1/flights", 0.3, 9.0, 0.0),
    ("signin", "POST /auth/api/v1/signin", 0.1, 61.0, 0.002),
)


_OF_LOAD = {field.name for field in fields(Load)} - {"name"}


def scenario(**changes: Any) -> Scenario:
    """Make up a scenario: the ramp, unless told otherwise."""
    shape = {"executor": "ramping-vus", "stages": STAGES, "user_class": "PoolBooker"}
    shape |= {name: changes.pop(name) for name in _OF_LOAD & changes.keys()}
    values: dict[str, Any] = {
        "name": "ramp",
        "loads": (Load(**shape),),  # type: ignore[arg-type]  # by name
        "description": "Users from the pool book a random one of 50 flights.",
        "thresholds": tuple(
            parse_threshold(metric, text)
            for metric, text in (
                ("http_req_duration", "p(95)<2000"),
                ("http_req_duration{operation:booking}", "p(95)<2000"),
                ("http_req_failed", "rate<0.05"),
                ("checks", "rate>0.99"),
            )
        ),
    }
    return Scenario(**{**values, **changes})


def ticks(seconds: int = 120, seed: int = 1, hostile: Sequence[str] = ()) -> list[Tick]:
    """Make up what the engine records: one tick a second; each hostile text becomes names, tags and reasons."""
    rng = random.Random(seed)
    rows = [*_OPERATIONS, *((text, text, 0.02, 15.0, 0.3) for text in hostile)]
    return [_tick(second, rng, rows) for second in range(seconds)]


def _tick(second: int, rng: random.Random, rows: Sequence[tuple[str, str, float, float, float]]) -> Tick:
    users = users_at(STAGES, 0, second)
    load = users * 0.9
    trends: dict[TrendKey, Counter[int]] = {}
    rates: dict[SeriesKey, tuple[int, int]] = {}
    counters: Counter[SeriesKey] = Counter()
    for operation, name, share, typical, failing in rows:
        tags = (("operation", operation),)
        sent = int(load * share + rng.random())
        passed = 0
        for _ in range(sent):
            us = int(1000 * typical * (1 + users / 60) * rng.lognormvariate(0, 0.45))
            failed = rng.random() < failing
            bins = trends.setdefault(TrendKey("http_req_duration", name, tags, FAIL if failed else OK), Counter())
            bins[bin_of(us)] += 1
            if failed:
                reason = "HTTP 503 Service Unavailable" if operation in {"booking", "signin"} else name
                counters[SeriesKey("failures", (*tags, ("name", name), ("reason", reason)))] += 1
            passed += not failed
        if sent:
            rates[SeriesKey("checks", (("check", f"{operation} was answered"), *tags))] = (passed, sent)
            counters[SeriesKey("sent")] += sent
            counters[SeriesKey("data_received")] += sent * 412
            counters[SeriesKey("data_sent")] += sent * 298
    done = int(load * 0.6 + rng.random())
    if done:
        iterations = Counter(bin_of(int(1e6 * rng.uniform(1.01, 1.2))) for _ in range(done))
        trends[TrendKey("iteration_duration", "book", ())] = iterations
        counters[SeriesKey("iterations")] += done
    gauges = {
        SeriesKey("vus"): float(max(users - (second % 7 == 3), 0)),
        SeriesKey("vus_target"): float(users),
        SeriesKey("unfinished"): 0.0,
        SeriesKey("generator_cpu"): 0.1 + users / 400,
        SeriesKey("generator_lag_p99"): 0.4 + users / 100,
        SeriesKey("generator_memory"): 92.0,
    }
    return Tick(second, trends, rates, dict(counters), gauges)


def failing(seconds: Sequence[Tick]) -> list[Tick]:
    """Make every request of these ticks one that failed."""
    return [
        replace(
            tick,
            trends={
                key._replace(outcome=FAIL) if key.metric == "http_req_duration" else key: bins
                for key, bins in _merged(tick.trends).items()
            },
        )
        for tick in seconds
    ]


def _merged(trends: Mapping[TrendKey, Mapping[int, int]]) -> dict[TrendKey, Counter[int]]:
    """Sum what failed with what did not, under the key of what did not."""
    found: dict[TrendKey, Counter[int]] = {}
    for key, bins in trends.items():
        found.setdefault(key._replace(outcome=OK), Counter()).update(bins)
    return found


def tally(seconds: Sequence[Tick]) -> Tally:
    """Sum ticks."""
    whole = Tally()
    for tick in seconds:
        whole.add(tick)
    return whole


def totals(whole: Tally) -> Totals:
    """Count what a tally holds."""
    ok, failed = (
        sum(h.count for key, h in whole.trends.items() if key.metric == "http_req_duration" and key.outcome == outcome)
        for outcome in (OK, FAIL)
    )
    hits = [value for key, value in whole.rates.items() if key.metric == "checks"]
    passed = sum(hit for hit, _ in hits)
    return Totals(
        sent=ok + failed,
        ok=ok,
        failed=failed,
        iterations=whole.counter("iterations"),
        checks_passed=passed,
        checks_failed=sum(total for _, total in hits) - passed,
        seconds=whole.seconds,
    )


SOUND: Final = Integrity(
    checked=True,
    seats_oversold=0,
    seats_lost=0,
    bookings_missing=0,
    bookings_unexpected=0,
    notifications_missing=0,
    notifications_unexpected=0,
    flights_checked=50,
    bookings_accepted=3120,
    bookings_found=3120,
    seats_accepted=7804,
    notifications_found=3120,
    drain_seconds=3.4,
)

OVERSOLD: Final = Integrity(
    checked=True,
    seats_oversold=345,
    seats_lost=357,
    bookings_missing=1,
    bookings_unexpected=96,
    notifications_missing=None,
    flights_checked=1,
    bookings_accepted=189,
    bookings_unknown=2,
    bookings_found=189,
    seats_accepted=567,
    drain_seconds=30.0,
    defects=(FlightDefect("17", "AB101", 222, 12, 567, -357, 345),),
    notes=("the reminder service gave no listing: notifications were not checked",),
)

VALID: Final = Verdict(
    Validity.VALID,
    passed=True,
    exit_code=0,
    sentence="The platform held: every threshold passed, and what it sold is still true.",
    findings=(
        Finding("generator CPU", Validity.VALID, "the load process used at most 35 % of a core"),
        Finding("count", Validity.VALID, "every request sent is accounted for"),
    ),
)

FAILED: Final = Verdict(
    Validity.SUSPECT,
    passed=False,
    exit_code=99,
    sentence="345 seats were sold that did not exist, and 2 of 8 thresholds failed.",
    findings=(
        Finding("auth-bound", Validity.SUSPECT, "sign-up and sign-in took 71 % of all service time"),
        Finding("generator CPU", Validity.VALID, "the load process used at most 35 % of a core"),
    ),
)

INVALID: Final = Verdict(
    Validity.INVALID,
    passed=True,
    exit_code=98,
    sentence="This run cannot be believed: the load generator was itself too slow.",
    findings=(
        Finding(
            "generator CPU", Validity.INVALID, "the load process used 97 % of a core for 31 s; 80 % for 5 s is too much"
        ),
        Finding("shape", Validity.SUSPECT, "the full load was never held"),
    ),
)


def run(whole: Tally | None = None, **changes: Any) -> Run:
    """Make up a finished, valid run of what a tally holds; `changes` are fields of Run."""
    plan = changes.get("scenario", scenario())
    integrity: Integrity | None = changes.get("integrity", SOUND)
    results = []
    if whole is not None:
        results = [judge(threshold, *whole.measure(threshold)) for threshold in plan.thresholds]
    if integrity is not None and whole is not None:
        for metric in INTEGRITY_METRICS:
            figure = getattr(integrity, metric)
            results.append(judge(parse_threshold(metric, "value==0"), None if figure is None else float(figure)))
    values: dict[str, Any] = {
        "id": "20261123-041500-ramp",
        "scenario": plan,
        "target": local_target(),
        "seed": 1,
        "started": "2026-11-23T04:15:00+00:00",
        "ended": "2026-11-23T04:17:09+00:00",
        "machine": Machine("Linux 6.12", "2-core cloud CPU", 2, 7.8, "3.11.15", "lab-host"),
        "packages": {"airbourne-lab": "0.1.0", "locust": "2.47.0", "gevent": "26.9.1"},
        "command": "airbourne-lab run --scenario ramp --profile safe",
        "profile": "safe",
        "backend": "embedded",
        "dataset": DatasetSummary("3f9a1c", 50, 200, 31250, 1),
        "revision": Revision("f1efe54d0c2b7a9e", dirty=True),
        "status": Status.FINISHED,
        "totals": totals(whole) if whole is not None else Totals(),
        "thresholds": tuple(results),
        "integrity": integrity,
        "verdict": VALID,
    }
    return Run(**{**values, **changes})


def hostile_run(whole: Tally) -> Run:
    """Make up a failed run whose every text is hostile."""
    markup = HOSTILE[0] + HOSTILE[1]
    no_answer = judge(parse_threshold("http_req_duration", "p(99)<1"), inf, "ms", HOSTILE[2])
    base = run(whole, integrity=OVERSOLD)
    return run(
        whole,
        scenario=scenario(name=markup, description=HOSTILE[2], user_class=HOSTILE[1], tags=((HOSTILE[0], HOSTILE[3]),)),
        label=markup + HOSTILE[3],
        command=f"airbourne-lab run --label '{markup + HOSTILE[3]}'",
        profile=HOSTILE[2],
        backend=HOSTILE[1],
        integrity=Integrity(
            checked=True,
            seats_oversold=345,
            flights_checked=1,
            defects=(FlightDefect(HOSTILE[0], HOSTILE[1], 222, 12, 567, -357, 345),),
            notes=HOSTILE,
        ),
        thresholds=(*base.thresholds, no_answer),
        verdict=Verdict(
            Validity.SUSPECT, passed=False, exit_code=99, sentence=markup,
            findings=(Finding(HOSTILE[1], Validity.SUSPECT, HOSTILE[0] + HOSTILE[3]),),
        ),
        machine=Machine(HOSTILE[0], HOSTILE[1], 2, 7.8, HOSTILE[2], HOSTILE[3]),
        packages={HOSTILE[0]: HOSTILE[1]},
        revision=Revision(HOSTILE[0], dirty=False),
        script_errors=(ScriptTrace(3, HOSTILE[0], HOSTILE[1] + "\n" + HOSTILE[2]),),
    )  # fmt: skip


def folder(path: Path, made: Run, seconds: Sequence[Tick] = (), *, closed: bool = True) -> RunFolder:
    """Write a run folder; without `closed` it is left as a killed run leaves it."""
    path.mkdir(parents=True, exist_ok=True)
    place = RunFolder(path)
    place.save(made)
    place.ticks.write_text("".join(tick.to_json() + "\n" for tick in seconds), encoding="utf-8")
    if closed:
        samples_file.close(place)
    return place
