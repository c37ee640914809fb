"""The gateway's one view: every method, every path."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, request

from reference_services.common.inputs import raw_body
from reference_services.common.openapi import Operation
from reference_services.gateway.service import passed_back, passed_on

if TYPE_CHECKING:
    from reference_services.gateway.service import Gateway

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
UNQUOTED = "/:@!$&'()*+,;=~-._"
TOKEN = {"x-access-token": True}
PASSED = {
    400: "invalid",
    401: "no valid token",
    403: "another user",
    404: "unknown",
    409: "taken, or too few left",
    413: "too large",
    415: "no JSON",
    422: "the key belongs to another booking",
    503: "the service is not ready",
}
SILENT = {**PASSED, 429: "too many requests", 502: "the service is not reachable", 504: "the service is too slow"}

OPERATIONS = (
    Operation("post", "/auth/api/v1/signup", "As at auth", {201: "made", **SILENT}),
    Operation("post", "/auth/api/v1/signin", "As at auth", {200: "signed in", **SILENT}),
    Operation("get", "/flights/api/v1/flights", "As at flights", {200: "a page", **SILENT}, headers=TOKEN),
    Operation("post", "/bookingservice/api/v1/bookings", "As at booking", {200: "booked", **SILENT}, headers=TOKEN),
    Operation("get", "/reminder/api/v1/tickets", "As at reminder", {200: "a page", **SILENT}, headers=TOKEN),
)


def gateway_routes(gateway: Gateway) -> Blueprint:
    """Give the blueprint that forwards everything."""
    blueprint = Blueprint("gateway", __name__)

    @blueprint.route("/<prefix>", methods=METHODS, defaults={"rest": ""})
    @blueprint.route("/<prefix>/<path:rest>", methods=METHODS)
    def forward(prefix: str, rest: str) -> Response:
        gateway.admit(request.remote_addr or "")
        route = gateway.route(prefix)
        who = gateway.identity_headers(route, request.environ.get("HTTP_X_ACCESS_TOKEN"))
        headers = {**passed_on(request.environ), **who}
        reply = gateway.forward(route, request.method, _target(rest), headers, raw_body() or None)
        response = Response(reply.body, reply.status)
        response.headers.update(passed_back(reply.headers))
        return response

    return blueprint


def _target(rest: str) -> str:
    query = request.environ.get("QUERY_STRING")
    path = "/" + quote(rest, safe=UNQUOTED)
    return f"{path}?{query}" if query else path
