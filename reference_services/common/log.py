"""Logging: one JSON object per line, each with the id of the request that it belongs to."""

from __future__ import annotations

import logging
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from pydantic_core import to_json

request_id: ContextVar[str] = ContextVar("request_id", default="-")

FIELDS = ("method", "path", "status", "ms", "booking", "ticket", "count", "port", "profile")


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; a failure's trace stands inside the line."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """Write one record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self._service,
            "request": request_id.get(),
            "event": record.getMessage(),
        }
        line.update((name, getattr(record, name)) for name in FIELDS if hasattr(record, name))
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return to_json(line, fallback=str).decode()


def log_to_stderr(service: str, level: str) -> None:
    """Send this process's log to stderr as JSON lines; lifecycle events of `lifecycle()` always show."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(service))
    logging.basicConfig(handlers=[handler], level=level, force=True)
    lifecycle().setLevel(logging.INFO)
    logging.getLogger("persistqueue").setLevel(logging.WARNING)  # at INFO it talks about itself
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # amqp_link.py says once what pika says at each try


def lifecycle() -> logging.Logger:
    """Give the logger of a service's start and stop, which shows at every level."""
    return logging.getLogger("reference_services.lifecycle")
