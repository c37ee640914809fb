"""What the five Flask apps have in common: one error shape, request ids, an access line, health, OpenAPI."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from flask import Blueprint, Flask, Response, g, request

from reference_services.common.answers import write_json_as
from reference_services.common.background import Background
from reference_services.common.errors import answer_errors
from reference_services.common.figures import figures_of, server_of
from reference_services.common.health import Check, Figure, Health, health_routes
from reference_services.common.log import request_id
from reference_services.common.openapi import Operation, openapi_routes
from reference_services.common.sidedoor import SideDoor
from reference_services.common.timing import Timed

if TYPE_CHECKING:
    from reference_services.common.environment import Common

API = "/api/v1"
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
MOST_DRAINED_BYTES = 32 << 20
access_log = logging.getLogger("reference_services.access")
SLOW_S = 1.0
FAILED = 500


def new_app(common: Common) -> Flask:
    """Make the Flask app that a service's blueprints are added to."""
    app = Flask(f"reference_services.{common.service}", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = common.max_body_bytes
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False  # they answer with HTML
    # A redirect is an answer in HTML, too.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.redirect_defaults = False
    write_json_as(app, common.profile)
    answer_errors(app)
    _drain_bodies(app)
    _name_requests(app)
    timed = Timed(app.wsgi_app, common.service, told=common.server_timing)
    app.wsgi_app = timed  # type: ignore[method-assign]  # Flask's own way to go around an app
    app.extensions["timed"] = timed
    app.extensions["door"] = SideDoor(common.host, common.workers)
    app.extensions["workers"] = common.workers
    return app


@dataclass(frozen=True, slots=True)
class Parts:
    """What a service adds to the common app.

    Attributes:
        blueprints: its calls.
        operations: their description, for `/openapi.json`.
        checks: what must hold for `/health` to be 200.
        figures: what `/figures` tells of its work, by name; each gives None when it is not known.
        background: its background work.
        prefix: where its calls start.
    """

    blueprints: Sequence[Blueprint]
    operations: Sequence[Operation]
    checks: Sequence[Check]
    figures: Mapping[str, Figure] = field(default_factory=dict)
    background: Background = field(default_factory=Background)
    prefix: str = API


def complete_app(app: Flask, parts: Parts) -> Flask:
    """Add a service's own parts, its health and its OpenAPI document to its app."""
    for blueprint in parts.blueprints:
        app.register_blueprint(blueprint, url_prefix=parts.prefix)
    door: SideDoor = app.extensions["door"]
    own, telling = figures_of(app, app.extensions["workers"])
    figures = {**own, **parts.figures, "figuresPort": Figure(door.port)}
    health = Health(parts.checks, figures, server_of(app))
    app.register_blueprint(health_routes(health))
    app.register_blueprint(openapi_routes(app.name.rpartition(".")[2], parts.operations))
    app.extensions["background"] = parts.background.beside([*door.tasks(health), *telling], door.close)
    return app


def background_of(app: Flask) -> Background:
    """Give the background work of an app; it does not run until it is started."""
    background: Background = app.extensions["background"]
    return background


def _name_requests(app: Flask) -> None:
    """Give each request an id and a line in the log: at INFO, but as a warning when it failed or took long."""

    @app.before_request
    def begin() -> None:
        given = request.environ.get("HTTP_X_REQUEST_ID", "")
        request_id.set(given if REQUEST_ID.fullmatch(given) else uuid4().hex)
        g.began = time.perf_counter()

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-ID"] = request_id.get()
        took = time.perf_counter() - g.began
        level = logging.WARNING if took > SLOW_S or response.status_code >= FAILED else logging.INFO
        if access_log.isEnabledFor(level):
            extra: dict[str, Any] = {"method": request.method, "path": request.path, "status": response.status_code}
            access_log.log(level, "request", extra={**extra, "ms": round(took * 1000, 3)})
        return response


def _drain_bodies(app: Flask) -> None:
    """Read what nobody read of a request's body, within reason.

    A request may be refused by its path, its type or its size. A server that answers while the client is still
    sending, or that finds the rest of a body where the next request should begin, has to close the connection, and
    a client may see that instead of the answer.
    """

    @app.after_request
    def drain(response: Response) -> Response:
        if request.content_length or "HTTP_TRANSFER_ENCODING" in request.environ:
            stream = request.environ["wsgi.input"]
            left = MOST_DRAINED_BYTES
            while left > 0 and (piece := stream.read(1 << 16)):
                left -= len(piece)
        return response
