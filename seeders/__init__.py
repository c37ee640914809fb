"""Fill a target, through its own HTTP API, with the data that a load test needs."""

from seeders.events import OnProgress, Progress
from seeders.seed import describes, refresh_tokens, seed

__all__ = ["OnProgress", "Progress", "describes", "refresh_tokens", "seed"]
