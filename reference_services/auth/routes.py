"""The calls of the auth service."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from flask import Blueprint, Response, request

from reference_services.auth.models import AdminBody, AdminQuery, SignIn, SignUp
from reference_services.common.answers import answer
from reference_services.common.inputs import read_body, read_query
from reference_services.common.openapi import Operation

if TYPE_CHECKING:
    from reference_services.auth.service import AuthService

OPERATIONS = (
    Operation("post", "/api/v1/signup", "Make an account", {201: "made", 400: "invalid", 409: "taken"}, SignUp),
    Operation("post", "/api/v1/signin", "Get a token", {200: "signed in", 400: "invalid", 401: "wrong"}, SignIn),
    Operation(
        "get",
        "/api/v1/isAuthenticated",
        "Whom a token names",
        {200: "the user's id", 401: "no valid token"},
        headers={"x-access-token": True},
    ),
    Operation(
        "post",
        "/api/v1/signout",
        "Let no token count that this user has until now",
        {200: "signed out", 401: "no valid token"},
        headers={"x-access-token": True},
    ),
    Operation(
        "get",
        "/api/v1/revocations",
        "Whose tokens count no more, for services that check tokens themselves",
        {200: "users, each with a moment in ms", 401: "no proof"},
        headers={"x-access-token": True},
    ),
    Operation(
        "get",
        "/api/v1/isAdmin",
        "Whether a user is an administrator",
        {200: "yes or no", 400: "invalid", 404: "no such user"},
        query=AdminQuery,
    ),
)


def auth_routes(service: AuthService) -> Blueprint:
    """Give the blueprint of all calls."""
    blueprint = Blueprint("auth", __name__)

    @blueprint.post("/signup")
    def sign_up() -> Response:
        return answer(service.sign_up(read_body(SignUp)), "The account was made.", 201)

    @blueprint.post("/signin")
    def sign_in() -> Response:
        return answer(service.sign_in(read_body(SignIn)), "Signed in.")

    @blueprint.get("/isAuthenticated")
    def is_authenticated() -> Response:
        account = service.account(request.environ.get("HTTP_X_ACCESS_TOKEN"))
        response = answer(account.id, "The token is valid.")
        response.headers["X-User-Id"] = str(account.id)
        response.headers["X-User-Email"] = quote(account.email, safe="@+")
        return response

    @blueprint.post("/signout")
    def sign_out() -> Response:
        return answer(service.sign_out(request.environ.get("HTTP_X_ACCESS_TOKEN")), "Signed out everywhere.")

    @blueprint.get("/revocations")
    def revocations() -> Response:
        return answer(service.revoked(request.environ.get("HTTP_X_ACCESS_TOKEN")), "Whose tokens count no more.")

    @blueprint.get("/isAdmin")
    def is_admin() -> Response:
        in_body = request.mimetype == "application/json" and "id" not in request.args
        wanted = read_body(AdminBody).id if in_body else read_query(AdminQuery).id
        return answer(service.is_admin(wanted), "The user's role.")

    return blueprint
