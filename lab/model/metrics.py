"""Which metrics are the lab's own; every other one is made by user code, with k6's four kinds."""

from __future__ import annotations

from typing import Final

from lab.model.server_timing import COUNTS, ODD, SUMS
from lab.model.threshold import METRICS

GROUP_DURATION: Final = "group_duration"
OWN: Final = frozenset(METRICS) | {
    GROUP_DURATION,
    "cpu",
    "data_received",
    "data_sent",
    "failures",
    "generator_cpu",
    "generator_lag",
    "generator_lag_p99",
    "generator_memory",
    "in_flight",
    "iteration_errors",
    "memory",
    "db_row_lock_waits",
    "db_slow_queries",
    "db_threads_running",
    "pool_in_use",
    "pool_waiting",
    "queue_age",
    "queue_depth",
    "threads_busy",
    "rate_target",
    ODD,
    COUNTS,
    SUMS,
    "sent",
    "series_dropped",
    "think_time",
    "unfinished",
    "vu_time",
    "vus_target",
    "worker_cpu",
    "worker_lag_p99",
    "worker_memory",
}
"""Names that user code may not give to a metric: the lab records under them."""


def shown_as_custom(metric: str) -> bool:
    """Tell whether a metric stands in the table of custom metrics: those of user code, and the groups' durations."""
    return metric not in OWN or metric == GROUP_DURATION
