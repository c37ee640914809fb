"""Locust's statistics filled from the lab's histograms: exact to 1/1024, where Locust's own round to two digits.

As on Locust's page everywhere, failures' times are among the others'. The Lab page keeps them apart.
"""

from __future__ import annotations

from locust.stats import RequestStats, StatsEntry, StatsError  # isort: skip - first: it patches the interpreter

from collections import deque
from typing import TYPE_CHECKING, Final

from lab.model.histogram import Histogram, middle
from lab.model.sample import FAIL, SERVICE, US_PER_MS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lab.model.sample import SeriesKey, Tick

REQUESTS: Final = "http_req_duration"
NOW_S: Final = 10
"""Seconds that a present percentile is of, as on Locust's own page."""


class Entry(StatsEntry):
    """One row of Locust's table."""

    def reset(self) -> None:
        """Begin again, as the page's Reset does."""
        super().reset()  # type: ignore[no-untyped-call]  # Locust has no types there
        self.all = Histogram()
        self._recent: deque[tuple[int, Histogram]] = deque(maxlen=NOW_S)

    def count(self, at: float, bins: Mapping[int, int], *, failed: bool) -> None:
        """Add a second's requests; `at` is when it was over, in seconds since 1970."""
        number, second = sum(bins.values()), int(at) - 1
        if not self.num_requests:
            self.start_time = at - 1
        self.num_requests += number
        self.num_reqs_per_sec[second] += number
        if failed:
            self.num_failures += number
            self.num_fail_per_sec[second] += number
        self.last_request_timestamp = max(at, self.last_request_timestamp or at)
        self.all.merge(bins)
        if not self._recent or self._recent[-1][0] != second:
            self._recent.append((second, Histogram()))
        self._recent[-1][1].merge(bins)
        for index, times in bins.items():
            ms = middle(index) / US_PER_MS
            self.response_times[ms] += times  # type: ignore[index]  # exact, where Locust keeps whole ms
            self.total_response_time += ms * times  # type: ignore[assignment]  # as above
            self.max_response_time = max(self.max_response_time, ms)  # type: ignore[assignment]  # as above
            self.min_response_time = min(ms, ms if self.min_response_time is None else self.min_response_time)  # type: ignore[assignment]  # as above

    @property
    def median_response_time(self) -> int:
        """Give the median in ms."""
        return self.get_response_time_percentile(0.5)

    def get_response_time_percentile(self, percent: float) -> int:
        """Give a percentile (0 to 1) in ms, as the lab counts it."""
        return _ms(self.all.percentile(percent))

    def get_current_response_time_percentile(self, percent: float) -> int | None:
        """Give a percentile of the last seconds in ms."""
        found = Histogram.merged(histogram for _, histogram in self._recent).percentile(percent)
        return None if found is None else _ms(found)


def _ms(us: int | None) -> int:
    return (us or 0) / US_PER_MS  # type: ignore[return-value]  # Locust knows whole ms only, and shows what it is given


class Entries(dict[tuple[str, str], StatsEntry]):
    """Rows by name and method, made when they are first asked for."""

    def __init__(self, stats: RequestStats) -> None:
        super().__init__()
        self._stats = stats

    def __missing__(self, key: tuple[str, str]) -> Entry:
        """Make a row."""
        self[key] = found = Entry(self._stats, *key)
        return found


class Stats(RequestStats):
    """Locust's statistics of a run."""

    def __init__(self) -> None:
        super().__init__()
        self.clear_all()

    def clear_all(self) -> None:
        """Forget the last run."""
        super().clear_all()
        self.entries = Entries(self)
        self.total = Entry(self, "Aggregated", "")

    def add(self, tick: Tick, began: float) -> None:
        """Add a second of a run that began so many seconds after 1970."""
        at = began + tick.second + 1
        for key, bins in tick.trends.items():
            if key.metric == REQUESTS and key.clock == SERVICE:
                method, _, name = key.name.partition(" ")
                for entry in (self.entries[name, method], self.total):
                    if isinstance(entry, Entry):
                        entry.count(at, bins, failed=key.outcome == FAIL)
        for series, number in tick.counters.items():
            if series.metric == "failures":
                self._fail(series, number, at)
            elif series.metric == "data_received":
                self.total.total_content_length += number

    def _fail(self, key: SeriesKey, number: int, at: float) -> None:
        tags = dict(key.tags)
        method, _, name = tags.get("name", "").partition(" ")
        reason = tags.get("reason", "")
        place = StatsError.create_key(method, name, reason)
        if place not in self.errors:
            self.errors[place] = StatsError(method, name, reason, first_seen=at)
        self.errors[place].occurrences += number
        self.errors[place].last_seen = at
