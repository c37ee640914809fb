"""Ask a service whether it is ready."""

from __future__ import annotations

import json

import urllib3

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


def _reason(body: bytes) -> str:
    """Take the sentence out of the platform's error shape."""
    try:
        answer = json.loads(body)
        message = str(answer["message"])
        problem = answer.get("err")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f": {message}" + (f" ({json.dumps(problem)})" if problem else "")
