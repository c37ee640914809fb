"""What user code measures with: checks, metrics of its own, groups. Every user of the lab's has it, whatever it sends.

All of it carries the tags of the user's load and the group that it happens in, as its requests do.
"""

from __future__ import annotations

from contextlib import contextmanager
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

from lab.engine.kinds import Kind, finite, whole
from lab.engine.recorder import US
from lab.engine.tags import GROUP, UNTAGGED, tags_of
from lab.errors import ScriptError
from lab.model.metrics import GROUP_DURATION
from lab.model.sample import NO_CLOCK, SERVICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lab.engine.recorder import Recorder
    from lab.model.sample import Tags

THOUSAND = 1000
_NONE: Mapping[str, str] = MappingProxyType({})


class Records(Protocol):
    """What holds the recorder: the user's `lab`."""

    @property
    def recorder(self) -> Recorder:
        """Give the recorder of this load process."""


class Equipped:
    """Put in front of a Locust user class whose `lab` the worker sets."""

    lab: Records
    group_path: str = ""
    """The groups that the user is in, outermost first, as k6 writes them: `::checkout::pay`; "" outside."""

    load_tags: Mapping[str, str] = _NONE
    """The tags of the load that the user is of."""
    load_env: Mapping[str, str] = _NONE
    """What the load gives its users as `self.env`."""

    def context(self) -> dict[str, Any]:
        """Give the tags of every request; see Locust's `User.context`."""
        return self._around()

    def check(
        self,
        response: Any,  # noqa: ANN401 - any client's response
        checks: Mapping[str, Callable[[Any], object]],
        operation: str = UNTAGGED,
        **tags: object,
    ) -> bool:
        """Look at a response, as k6's `check` does; a check that raises has failed.

        Returns:
            True when all of them passed.
        """
        all_passed, under = True, self._tags({"operation": operation, **tags})
        for name, look in checks.items():
            try:
                passed = bool(look(response))
            except Exception:  # noqa: BLE001 - a response of any form may come back
                passed = False
            self.lab.recorder.check(name, under, passed=passed)
            all_passed = all_passed and passed
        return all_passed

    def count(self, metric: str, value: float = 1, **tags: object) -> None:
        """Add to a counter of your own: `self.count("seats_sold", 2, tier="gold")`.

        Raises:
            ScriptError: the metric's name or kind, or a value that is no whole number from 0 on. So for the others.
        """
        self.lab.recorder.kinds.expect(metric, Kind.COUNTER)
        self.lab.recorder.count(metric, self._tags(tags), whole(metric, value))

    def gauge(self, metric: str, value: float, **tags: object) -> None:
        """Set a gauge of your own, whose last value holds: `self.gauge("cart", 3)`."""
        self.lab.recorder.kinds.expect(metric, Kind.GAUGE)
        self.lab.recorder.gauge(metric, self._tags(tags), float(finite(metric, value)))

    def rate(self, metric: str, hit: object, **tags: object) -> None:
        """Add to a rate of your own, the share of what was true: `self.rate("upgraded", True)`."""
        self.lab.recorder.kinds.expect(metric, Kind.RATE)
        self.lab.recorder.rate(metric, self._tags(tags), hit=bool(hit))

    def trend(self, metric: str, value: float, *, time: bool = False, **tags: object) -> None:
        """Add to a trend of your own, which has percentiles: `self.trend("hits", 12.5)`.

        Args:
            metric: its name.
            value: 0 or more; kept to a thousandth. In ms when it is a time.
            time: whether it is one.
            tags: tags of its own.
        """
        self.lab.recorder.kinds.expect(metric, Kind.TIME if time else Kind.TREND)
        thousandths = round(finite(metric, value, least=0) * THOUSAND)
        self.lab.recorder.sample(metric, self._tags(tags), thousandths, SERVICE if time else NO_CLOCK)

    @contextmanager
    def group(self, name: str) -> Iterator[None]:
        """Tag all that happens inside with `group`: `with self.group("checkout"):`.

        How long it took is recorded as `group_duration`, unless it is left by an error: that says so by itself.

        Raises:
            ScriptError: the name is empty, or has "::" in it, which stands between groups.
        """
        if not name or "::" in name:
            raise ScriptError(f'"{name}" is no name for a group: it takes some text without "::" in it')
        outside = self.group_path
        self.group_path = f"{outside}::{name}"
        under, begin = self._tags({}), perf_counter()
        try:
            yield
        finally:
            self.group_path = outside
        self.lab.recorder.sample(GROUP_DURATION, under, int((perf_counter() - begin) * US))

    def _tags(self, tags: Mapping[str, object]) -> Tags:
        return tags_of({**self._around(), **tags})

    def _around(self) -> dict[str, Any]:
        return {**self.load_tags, GROUP: self.group_path} if self.group_path else dict(self.load_tags)
