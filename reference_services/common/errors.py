"""The failures of a service, and the one place where they become answers.

ServiceError
 ├─ ConfigError     the service cannot start: a variable is missing or wrong
 ├─ BusError        the message bus did not take a message, or cannot be asked
 ├─ DatabaseError   the service's own database did not do its work (503)
 │   ├─ DatabaseAwayError      it cannot be reached, stalls, or broke off: nothing was done
 │   ├─ DatabaseBusyError      others held the same rows, or all connections, for too long: nothing was done
 │   └─ DatabaseDoubtError     it broke off at the commit: whether it was done is not known
 ├─ UpstreamError   another service did not answer
 │   ├─ UpstreamDownError      it could not be reached, or hung up
 │   └─ UpstreamSlowError      it did not answer in time
 └─ Refusal           an answer that is not a success: status, sentence, and what failed
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, ClassVar

from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from reference_services.common.answers import answer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask, Response

log = logging.getLogger(__name__)


class ServiceError(Exception):
    """A failure that a service knows of."""


class ConfigError(ServiceError):
    """The service cannot start with the environment that it was given."""


class BusError(ServiceError):
    """The message bus is away, or did not take what it was given; its sentence says why."""


class DatabaseError(ServiceError):
    """The service's own database did not do its work; whoever asked may ask again.

    Attributes:
        reason: in one word, for `err`.
    """

    reason: ClassVar[str] = "failed"


class DatabaseAwayError(DatabaseError):
    """The database cannot be reached, stalls, or broke off: nothing was done."""

    reason = "away"


class DatabaseBusyError(DatabaseError):
    """Others held the same rows, or all connections, for too long: nothing was done."""

    reason = "busy"


class DatabaseDoubtError(DatabaseError):
    """The database broke off at the commit: whether it was done is not known."""

    reason = "unknown"


class UpstreamError(ServiceError):
    """Another service did not answer.

    Attributes:
        sent: whether the request may have reached it.
    """

    def __init__(self, message: str, *, sent: bool) -> None:
        super().__init__(message)
        self.sent = sent


class UpstreamDownError(UpstreamError):
    """Another service could not be reached, or hung up."""


class UpstreamSlowError(UpstreamError):
    """Another service did not answer in time."""


class Refusal(ServiceError):  # noqa: N818 - an answer like any other, and no fault of the service
    """An answer that is not a success.

    Attributes:
        status: the HTTP status.
        message: a sentence for a person.
        err: the field or rule that failed, with what is wrong with it.
        headers: headers of the answer, such as `Retry-After`.
    """

    def __init__(
        self, status: int, message: str, err: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.err = dict(err)
        self.headers = dict(headers or {})


def invalid(field: str, problem: str) -> Refusal:
    """Make the 400 that names a field and what is wrong with it."""
    return Refusal(400, f"{field}: {problem}.", {field: problem})


def unknown(kind: str, identity: object) -> Refusal:
    """Make the 404 of a thing that is not there."""
    return Refusal(404, f"There is no {kind} {identity}.", {kind: "not found"})


def answer_errors(app: Flask) -> None:
    """Let every failure of `app` answer in the one shape: refusals, a database away, Flask's own errors, and bugs."""
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(DatabaseError, _database)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _bug)


def _refused(problem: Refusal) -> Response:
    response = answer({}, problem.message, problem.status, err=problem.err)
    response.headers.extend(problem.headers)
    return response


def _database(problem: DatabaseError) -> Response:
    return _refused(Refusal(503, str(problem), {"database": problem.reason}, {"Retry-After": "1"}))


def _http(problem: HTTPException) -> Response:
    status = problem.code or 500
    sentence, failed = problem.description or problem.name, {"http": problem.name}
    if isinstance(problem, RequestEntityTooLarge):
        sentence, failed = "The body is larger than this service takes.", {"body": "too large"}
    response = answer({}, sentence, status, err=failed)
    for name, value in problem.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def _bug(problem: Exception) -> Response:
    log.error("unexpected failure", exc_info=problem)
    return answer({}, "The service failed; the failure is in its log.", 500, err={"service": "internal"})
