"""The table of rules, and the linter that goes through it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lab.errors import ScenarioError
from lab.lint import load_rules, pace_rules, sample_rules, seat_rules, threshold_rules
from lab.lint.plan import Plan
from lab.lint.routine import declared
from lab.model.lint import Remark, Severity

if TYPE_CHECKING:
    from lab.model.dataset import Dataset
    from lab.model.scenario import Scenario

UNKNOWN: Final = "routine-unknown"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its code word, the heaviest that its remark can be, and whether it must know what the users do."""

    code: str
    heaviest: Severity
    look: Callable[[Plan], Iterator[Remark]]
    needs_routine: bool = True

    @property
    def about(self) -> str:
        """Say what it finds."""
        return (self.look.__doc__ or "").strip()


RULES: Final = (
    Rule("seats-run-out", Severity.ERROR, seat_rules.seats),
    Rule("too-few-users", Severity.ERROR, pace_rules.too_few_users),
    Rule("set-up-inside", Severity.ERROR, load_rules.set_up),
    Rule("password-hashing", Severity.WARNING, load_rules.hashing),
    Rule("hot-row", Severity.WARNING, seat_rules.hot_row),
    Rule("rps-caps", Severity.WARNING, pace_rules.rps_caps),
    Rule("no-ramp", Severity.WARNING, load_rules.ramp, needs_routine=False),
    Rule("no-hold", Severity.WARNING, load_rules.hold, needs_routine=False),
    Rule("warmup-eats", Severity.ERROR, pace_rules.warmup_eats, needs_routine=False),
    Rule("threshold-no-data", Severity.ERROR, sample_rules.no_data),
    Rule("threshold-cannot-pass", Severity.ERROR, threshold_rules.cannot_pass, needs_routine=False),
    Rule("threshold-cannot-fail", Severity.WARNING, threshold_rules.cannot_fail, needs_routine=False),
    Rule("threshold-moot", Severity.WARNING, threshold_rules.moot, needs_routine=False),
    Rule("few-samples", Severity.WARNING, sample_rules.few_samples),
    Rule("sleep-caps-rate", Severity.ERROR, sample_rules.out_of_reach),
    Rule("pre-allocated", Severity.NOTE, pace_rules.pre_allocated),
    Rule("think-in-open", Severity.NOTE, pace_rules.think),
)
"""Every rule, in the order in which its remark should be read."""


def lint(scenario: Scenario, dataset: Dataset | None = None) -> tuple[Remark, ...]:
    """Look a scenario over; its users file is parsed, and never run.

    Args:
        scenario: with the path of its users file, as the catalogue gives it.
        dataset: what is on the target, where that is known; else what the scenario asks for counts.

    Raises:
        ScenarioError: the routine of one of its user classes cannot be read.
    """
    routines = {name: declared(Path(scenario.users_file), name) for name in scenario.user_classes}
    return remarks(Plan.of(scenario, routines, dataset))


def before_run(scenario: Scenario, dataset: Dataset | None = None, reference: str = "") -> str:
    """Give the line to show before a run whose scenario has errors or warnings; "" where it has none.

    Args:
        scenario: as for `lint`.
        dataset: as for `lint`.
        reference: what the user called the scenario by, when it is not its name.
    """
    try:
        found = [remark for remark in lint(scenario, dataset) if remark.severity is not Severity.NOTE]
    except ScenarioError as error:  # that a routine cannot be read keeps nobody from running
        return f"lint: {error}"
    if not found:
        return ""
    number = "1 finding" if len(found) == 1 else f"{len(found)} findings, the heaviest"
    look = f"airbourne-lab lint {reference or scenario.name}"
    return f"lint: {number}: {found[0].code}, {found[0].sentence}; more with: {look}"


def remarks(plan: Plan) -> tuple[Remark, ...]:
    """Go through the rules, the heaviest remarks first; what cannot be known is a note, and never guessed."""
    known = not plan.unknown
    found = [remark for rule in RULES if known or not rule.needs_routine for remark in rule.look(plan)]
    if not known:
        *others, last = plan.unknown
        who = f"{', '.join(others)} and {last} do" if others else f"{last} does"
        blind = ", ".join(rule.code for rule in RULES if rule.needs_routine)
        found.append(
            Remark(
                UNKNOWN,
                Severity.NOTE,
                f"what {who} in an iteration is not known; not looked at: {blind}",
                'tell it: routine = {"requests": {"booking": 1}, "think": 1, "seats": 2, "flights": "all"}',
            )
        )
    order = list(Severity)
    return tuple(sorted(found, key=lambda remark: order.index(remark.severity)))
