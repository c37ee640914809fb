"""Where the gates' limits lie; the linter, which looks before the run, goes by the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lab.model.scenario import Scenario

CPU_LIMIT: Final = 0.80
CPU_SECONDS: Final = 5
LATE_LIMIT_MS: Final = 10.0
LATE_SHARE: Final = 0.1
TIMER_MS: Final = 2.0
"""What the probe's timer is good to: the event loop's clock has whole milliseconds, and rounds up."""
FEWEST_BEYOND: Final = 10
"""With fewer samples beyond it a percentile is hidden."""
FEWEST_TO_JUDGE: Final = 100
"""With fewer samples beyond it a percentile is shown, and nothing is judged by it."""
SIGN_UP: Final = "signup"
AUTH_OPERATIONS: Final = (SIGN_UP, "signin", "login")
AUTH_SHARE: Final = 0.5
RAMP_SHARE: Final = 0.1
ROWS_PER_USER: Final = 10.0
LITTLE_LIMIT: Final = 0.02
DROPPED_LIMIT: Final = 0.001
DISTORTED: Final = 0.2
"""Time lost to stalls, as a share of what lies beyond a percentile, above which that percentile hides them."""


def sets_up(sign_ups: float, sign_ins: float) -> bool:
    """Tell whether a load does what belongs before it, from its sign-ups and sign-ins an iteration on average.

    Signing in once for many iterations, as people do, is load.
    """
    return sign_ups > 0 or sign_ins >= 1


def seeks_its_end(scenario: Scenario) -> bool:
    """Tell whether a scenario raises its arrival rate until a threshold ends it: such a load has no hold on purpose."""
    return scenario.open and any(threshold.abort for threshold in scenario.thresholds)
