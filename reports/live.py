"""The live view of a run: a panel on a terminal, a plain line every 10 s anywhere else."""

from __future__ import annotations

import time
from collections import deque
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from lab.model.histogram import Histogram
from lab.model.sample import FAIL, OK, SERVICE
from lab.model.threshold import INTEGRITY_METRICS, Outcome, Selector, judge
from lab.steady import Sums
from reports import units
from reports.echo import silent_controls
from reports.shown import shown_percentile

if TYPE_CHECKING:
    from types import TracebackType

    from lab.model.sample import Tally, Tick
    from lab.model.scenario import Scenario

LOAD_STARTS: Final = "Starting the load process"
PASSING: Final = (LOAD_STARTS, "Changing the load")
"""The beginnings of stages that end with the next recorded second."""
PLAIN_EVERY_S: Final = 10
RECENT_S: Final = 5
SPARKS: Final = "▁▂▃▄▅▆▇█"
SPARK_WIDTH: Final = 60
SPARK_ROOM: Final = 32
"""Columns beside the bars: the panel's frame, the words before them and the peak after them."""
REFRESH_HZ: Final = 4
_REQUESTS: Final = Selector("http_req_duration")
_STYLES: Final = {Outcome.PASS: ("✓", "green"), Outcome.FAIL: ("✗", "red"), Outcome.NO_DATA: ("·", "dim")}


class LiveView:
    """Watches a run; hand it to `lab.runner.execute`."""

    def __init__(self, scenario: Scenario, title: str, console: Console | None = None) -> None:
        self._scenario = scenario
        self._title = title
        self._console = console or Console(stderr=True)
        self._words = ""
        self._recent: deque[Tick] = deque(maxlen=RECENT_S)
        self._rates: deque[int] = deque(maxlen=SPARK_WIDTH)
        self._tally: Tally | None = None
        self._sums = Sums(scenario, scenario.warmup)
        self._newest = 0.0
        self._drawn: Panel | None = None
        self._drawn_at = 0.0
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._terminal = ExitStack()
        if self._console.is_terminal:
            self._live = Live(console=self._console, refresh_per_second=REFRESH_HZ, get_renderable=self._screen)

    def __enter__(self) -> Self:
        """Begin to draw."""
        if self._live:
            self._terminal.enter_context(silent_controls())
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the last state on the screen."""
        self._words = ""  # what was being done is over: a wheel that stands still would say otherwise
        with self._terminal:
            if self._live:
                self._live.stop()

    def stage(self, words: str) -> None:
        """Say what begins now."""
        self._words = words
        if not self._live:
            self._console.print(words, highlight=False, markup=False)

    def second(self, tally: Tally, tick: Tick | None) -> None:
        """See the run so far."""
        self._tally = tally
        if tick is not None:
            self._newest = time.monotonic()
            if self._scenario.warmup:
                self._sums.add(tick)
            self._recent.append(tick)
            self._rates.append(_answered(tick))
            if self._words.startswith(PASSING):
                self._words = ""
            if not self._live and (tick.second + 1) % PLAIN_EVERY_S == 0:
                self._console.print(self._line(tally), highlight=False, markup=False, soft_wrap=True)
        if self._live and tally.seconds and time.monotonic() - self._drawn_at > 1 / REFRESH_HZ:
            # Drawn here and not in Rich's own thread, under which the tally would change.
            self._drawn, self._drawn_at = self._panel(tally), time.monotonic()

    def _screen(self) -> RenderableType:
        """Give what Rich's thread shows: the last panel, and what is being done where that is not the load."""
        self._spinner.update(text=Text(self._words, style="dim"))
        if self._drawn is None:
            return self._spinner
        return Group(self._drawn, self._spinner) if self._words else self._drawn

    def _elapsed(self) -> float:
        # Between two recorded seconds the clock on the screen runs on.
        since = min(time.monotonic() - self._newest, 1.0) if self._newest else 0.0
        return (self._tally.seconds if self._tally else 0) + since

    def _window(self) -> tuple[Histogram, float, float]:
        """Give the last seconds' latencies, requests/s and share of failures."""
        bins, answered, failed = Histogram(), 0, 0
        for tick in self._recent:
            for key, counts in tick.trends.items():
                if key.metric == _REQUESTS.metric and key.clock == SERVICE:
                    number = sum(counts.values())
                    answered += number
                    failed += number if key.outcome == FAIL else 0
                    if key.outcome == OK:
                        bins.merge(counts)
        return bins, answered / max(len(self._recent), 1), failed / max(answered, 1)

    def _line(self, tally: Tally) -> str:
        recent, rate, _ = self._window()
        ok, failed = tally.requests(_REQUESTS, OK), tally.requests(_REQUESTS, FAIL)
        hits, checks = tally.rate(Selector("checks"))
        users, wanted = tally.gauge(Selector("vus")) or 0, tally.gauge(Selector("vus_target")) or 0
        quantiles = " ".join(f"p{p} {units.ms(shown_percentile(recent, p / 100))}" for p in (50, 95, 99))
        share = failed / max(ok + failed, 1)
        return (
            f"{units.clock(tally.seconds)} of {units.clock(self._scenario.duration)}  users {users:.0f}/{wanted:.0f}  "
            f"{rate:.1f} req/s  {quantiles} ms  failed {failed:,} of {ok + failed:,} ({share:.2%})"
            + (f"  checks {hits / checks:.2%}" if checks else "")
        )

    def _panel(self, tally: Tally) -> Panel:
        return Panel(
            Group(
                self._figures(tally),
                self._latencies(tally),
                self._sparkline(),
                self._thresholds(self._sums.judged if self._scenario.warmup else tally),
            ),
            title=f"[bold]{escape(self._title)}",
            title_align="left",
            subtitle=Text("Ctrl-C: users finish, the report is made. Twice: stop at once.", style="dim"),
            subtitle_align="left",
        )

    def _figures(self, tally: Tally) -> Table:
        elapsed = self._elapsed()
        left = max(self._scenario.duration - elapsed, 0.0)
        bands = self._scenario.bands
        index = next((n for n, band in enumerate(bands) if elapsed < band.end), len(bands) - 1)
        users = tally.gauge(Selector("vus")) or 0
        _, rate, share = self._window()
        hits, checks = tally.rate(Selector("checks"))
        ok, failed = tally.requests(_REQUESTS, OK), tally.requests(_REQUESTS, FAIL)
        # Three columns and one line each, whatever the figures are: a panel that grows or wraps cannot be read.
        grid = Table.grid(padding=(0, 2))
        for width in (18, 22, 30):
            grid.add_column(min_width=width, no_wrap=True, overflow="ellipsis")
        grid.add_row(
            _pair("elapsed", units.clock(elapsed)),
            _pair("remaining", units.clock(left) if left else "finishing"),
            _pair("users", f"{users:.0f}", f" → {bands[index].words} ({index + 1}/{len(bands)})"),
        )
        grid.add_row(
            _pair("requests", f"{ok + failed:,}"),
            _pair("failed", f"{failed:,}", f" {failed / max(ok + failed, 1):.2%}", "red" if failed else "green"),
            _pair("checks", f"{hits / checks:.2%}" if checks else "–", "", "red" if hits < checks else "green"),
        )
        grid.add_row(
            _pair("requests/s", f"{rate:.1f}"),
            _pair("failing now", f"{share:.1%}", "", "red" if share else ""),
        )
        return grid

    def _latencies(self, tally: Tally) -> Table:
        recent, _, _ = self._window()
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("latency, ms", "p50", "p95", "p99", "max"):
            table.add_column(heading, justify="left" if heading == "latency, ms" else "right")
        for name, histogram in ((f"last {RECENT_S} s", recent), ("whole run", tally.histogram(_REQUESTS, OK))):
            values = [shown_percentile(histogram, share) for share in (0.5, 0.95, 0.99)]
            table.add_row(name, *(units.ms(value) for value in values), units.ms(histogram.maximum))
        return table

    def _sparkline(self) -> Text:
        top = max(self._rates, default=0)
        newest = list(self._rates)[-max(self._console.width - SPARK_ROOM, 1) :]
        bars = "".join(SPARKS[min(rate * len(SPARKS) // (top + 1), len(SPARKS) - 1)] for rate in newest)
        line = Text.assemble(("requests/s ", "dim"), (bars, "cyan"), (f" peak {top:,}", "dim"))
        line.no_wrap, line.overflow = True, "ellipsis"
        return line

    def _thresholds(self, tally: Tally) -> Table:
        table = Table.grid(padding=(0, 1))
        for _ in range(4):
            table.add_column(no_wrap=True, overflow="ellipsis")
        for threshold in self._scenario.thresholds:
            if threshold.selector.metric in INTEGRITY_METRICS:
                continue
            actual, unit = tally.measure(threshold)
            result = judge(threshold, actual, unit)
            mark, style = _STYLES[result.outcome]
            table.add_row(
                Text(mark, style=style),
                Text(units.plain(result.metric, 60)),
                Text(result.expression),
                Text(_shown(actual, unit), style="bold"),
            )
        return table


def _answered(tick: Tick) -> int:
    requests = (bins for key, bins in tick.trends.items() if (key.metric, key.clock) == (_REQUESTS.metric, SERVICE))
    return sum(sum(bins.values()) for bins in requests)


def _shown(actual: float | None, unit: str) -> str:
    if actual is None:
        return "no data yet"
    if actual == float("inf"):
        return "no answer"
    return f"{actual:.2%}" if unit == "share" else f"{actual:,.1f} {unit}".strip()


def _pair(name: str, value: str, rest: str = "", style: str = "") -> Text:
    return Text.assemble((f"{name} ", "dim"), (value, f"bold {style}".strip()), (rest, "dim"))
