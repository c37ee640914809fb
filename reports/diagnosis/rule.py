"""A rule of diagnosis, and what came of all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from reports import units
from reports.diagnosis.facts import Facts

VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that may hold a run up.

    Attributes:
        name: a code word.
        about: what it finds, in a few words.
        weight: how much it matters where nothing else is found as surely, 0 to 1: what spoils the test weighs more than
            what slows the platform, since it must be mended before the rest can be seen.
        missing: gives what it cannot do without and the run does not have; "" where all is there.
        degree: gives how much of the trouble it is, from 0 (it is not there) to 1.
        evidence: says what was seen, with its figures; asked only where the degree is above 0.
        remedy: says what to try; asked only then.
    """

    name: str
    about: str
    weight: float
    missing: Callable[[Facts], str]
    degree: Callable[[Facts], float]
    evidence: Callable[[Facts], str]
    remedy: Callable[[Facts], str]


@dataclass(frozen=True, slots=True)
class Found:
    """A finding: `score` is the rule's weight times its degree, and what findings are ranked by."""

    rule: str
    score: float
    evidence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What holds a run up, the weightiest first; what was not there; and what could not be looked at, and why."""

    facts: Facts
    found: tuple[Found, ...]
    clear: tuple[str, ...]
    not_looked_at: tuple[tuple[str, str], ...]


def apply(rules: tuple[Rule, ...], facts: Facts) -> Diagnosis:
    """Hold all rules against a run's facts."""
    found, clear, blind = [], [], []
    for rule in rules:
        if missing := rule.missing(facts):
            blind.append((rule.name, missing))
        elif (degree := rule.degree(facts)) > 0:
            score = rule.weight * min(degree, 1.0)
            found.append(Found(rule.name, score, rule.evidence(facts), rule.remedy(facts)))
        else:
            clear.append(rule.name)
    found.sort(key=lambda each: -each.score)
    return Diagnosis(facts, tuple(found), tuple(clear), tuple(blind))


def most(parts: Mapping[str, float], number: int = 3) -> str:
    """Write the first of some shares, which are in order: `booking.db 48%, flights.db 23%`."""
    return ", ".join(f"{units.plain(name, 60)} {share:.0%}" for name, share in list(parts.items())[:number])
