"""What is compared: one number per run for each operation and metric, and how large a difference counts as none."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp, inf, isfinite, log
from typing import TYPE_CHECKING, Final

from lab.errors import ConfigError, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Key = tuple[str, str]
"""An operation and a metric's name."""

WHOLE: Final = "all"
"""The operation of what is measured of a whole run."""
_MARGIN: Final = re.compile(r"\s*(?P<name>[\w-]+)\s*=\s*(?P<number>[\d.]+)\s*%\s*")
_PERCENT: Final = 100


class Unit(StrEnum):
    """The base unit that a metric's numbers are in."""

    TIME = "µs"
    RATE = "/s"
    SHARE = "share"
    CPU = "CPU µs"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric of a comparison.

    Attributes:
        name: as it is written on the command line.
        unit: of its numbers.
        margin: what counts as equivalent: a share of the baseline, or a plain difference where `absolute`.
        absolute: whether numbers are subtracted; otherwise their logarithms are, which gives a ratio.
        higher_is_better: its good direction.
    """

    name: str
    unit: Unit
    margin: float
    absolute: bool = False
    higher_is_better: bool = False

    @property
    def limit(self) -> float:
        """Give the margin on the scale that effects are on."""
        return self.margin if self.absolute else log(1 + self.margin)

    def scaled(self, value: float) -> float:
        """Put a run's number on the scale that effects are on; a ratio has no place for zero, which gives −∞."""
        if self.absolute:
            return value
        return log(value) if value > 0 else -inf

    def unscaled(self, value: float) -> float:
        """Undo `scaled`: of a mean of logarithms it gives the geometric mean, of a difference of them the ratio."""
        return value if self.absolute else exp(value)


METRICS: Final[tuple[Metric, ...]] = (
    Metric("p50", Unit.TIME, 0.05),
    Metric("p95", Unit.TIME, 0.10),
    Metric("p99", Unit.TIME, 0.15),
    Metric("throughput", Unit.RATE, 0.05, higher_is_better=True),
    Metric("failures", Unit.SHARE, 0.001, absolute=True),
    Metric("notification_delay", Unit.TIME, 0.10),
    Metric("cpu_per_booking", Unit.CPU, 0.05),
)
"""Margins are those of measurement.md §5.5; of the last two, which it does not name, p95's and throughput's."""

NAMES: Final = tuple(metric.name for metric in METRICS)
SHARES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
"""The percentiles, as shares."""


def chosen(names: Sequence[str]) -> tuple[Metric, ...]:
    """Give the metrics of these names, or all of them when none is named.

    Raises:
        ConfigError: a name is none of a metric.
    """
    for name in names:
        if name not in NAMES:
            raise ConfigError(f'--metric: there is no metric "{name}"{nearest(name, NAMES)}')
    return tuple(metric for metric in METRICS if not names or metric.name in names)


def with_margins(metrics: Iterable[Metric], texts: Sequence[str]) -> tuple[Metric, ...]:
    """Change the margins of metrics by texts like `p95=10%`; of failures, per cent are points: `failures=0.1%`.

    Raises:
        ConfigError: a text is no margin.
    """
    margins = dict(_margin(text) for text in texts)
    return tuple(replace(metric, margin=margins.get(metric.name, metric.margin)) for metric in metrics)


def asked(names: Sequence[str] | None, margins: Sequence[str] | None) -> tuple[Metric, ...]:
    """Give what the command line asks for: metrics by name, with margins of its own.

    Raises:
        ConfigError: as the two above.
    """
    return with_margins(chosen(names or ()), margins or ())


def _margin(text: str) -> tuple[str, float]:
    found = _MARGIN.fullmatch(text)
    if found is None:
        raise ConfigError(f'--margin: "{text}" is no margin; write it like p95=10%')
    name = found["name"]
    if name not in NAMES:
        raise ConfigError(f'--margin: there is no metric "{name}"{nearest(name, NAMES)}')
    try:
        margin = float(found["number"]) / _PERCENT
    except ValueError:
        margin = inf
    if not (isfinite(margin) and 0 < margin <= 1):
        raise ConfigError(f'--margin: "{text}" is not more than 0 % and at most 100 %')
    return name, margin
