"""How long travellers waited for their mails, and how long the queue took to drain: for the summary and the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lab.model.threshold import Selector
from lab.model.words import counted
from reports import units
from reports.shown import shown_percentile

if TYPE_CHECKING:
    from lab.model.histogram import Histogram
    from lab.model.run import Run
    from lab.model.sample import Tally

METRIC: Final = "notification_delay"
NONE: Final = "no mail was matched with a booking"
_SHARES: Final = ((0.5, "half of them within"), (0.95, "95 % within"), (0.99, "99 % within"))


def delays(tally: Tally) -> Histogram:
    """Give the delays of a run, from the accepted booking to the mail that was handed over."""
    return tally.histogram(Selector(METRIC))


def drained(run: Run) -> str:
    """Say how long after the load the queue was empty; "" where nobody looked."""
    integrity = run.integrity
    if integrity is None or integrity.notifications_missing is None:
        return ""
    return f"{units.clock(integrity.drain_seconds)} after the load ended"


def sentence(run: Run, waited: Histogram) -> str:
    """Say both in a sentence; "" where the run was not audited."""
    if run.integrity is None:
        return ""
    end = f"; the queue was empty {drained(run)}" if drained(run) else ""
    if not waited.count:
        return f"How long a mail takes after its booking is not known: {NONE}{end}."
    known = [(words, shown_percentile(waited, share)) for share, words in _SHARES]
    said = ", ".join(f"{words} {units.duration(value)}" for words, value in known if value is not None)
    said = said or f"on average after {units.duration(waited.mean)}"
    return f"{counted(waited.count, 'mail')} came after {'its' if waited.count == 1 else 'their'} booking: {said}{end}."
