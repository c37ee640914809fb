"""Ask a service whether it is ready."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import urllib3

if TYPE_CHECKING:
    import threading

_OK = 200


def check(url: str, timeout: float = 2.0) -> str | None:
    """Ask `/health` once.

    Args:
        url: the service's base URL.
        timeout: seconds to connect, and seconds to answer.

    Returns:
        None when the service is ready, otherwise why it is not.
    """
    with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
        try:
            answer = pool.request("GET", f"{url}/health", redirect=False)
        except urllib3.exceptions.TimeoutError:
            return f"no answer from /health within {timeout:g} s"
        except urllib3.exceptions.HTTPError:
            return "does not listen"
    return None if answer.status == _OK else f"/health says {answer.status}{_reason(answer.data)}"


def wait_ready(url: str, stopped: threading.Event, interval: float = 0.05) -> str | None:
    """Ask `/health` until it answers 200 or `stopped` is set; gives the last reason then."""
    while True:
        reason = check(url)
        if reason is None or stopped.wait(interval):
            return reason


def wait_smtp(port: int, stopped: threading.Event, interval: float = 0.05) -> str | None:
    """Connect to the mail sink until it greets or `stopped` is set."""
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
                if connection.recv(3) == b"220":
                    return None
                reason = "does not greet as a mail server does"
        except OSError as error:
            reason = f"does not greet yet ({error})"
        if stopped.wait(interval):
            return reason


def _reason(body: bytes) -> str:
    """Take the sentence out of the platform's error shape."""
    try:
        answer = json.loads(body)
        message = str(answer["message"])
        problem = answer.get("err")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f": {message}" + (f" ({json.dumps(problem)})" if problem else "")
