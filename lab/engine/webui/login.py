"""Signing in with one password, by Locust's own login."""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Any, Final

import gevent
import gevent.lock
from flask import redirect, request, session
from flask_login import UserMixin, current_user, login_user  # type: ignore[import-untyped]  # it has none

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask.typing import ResponseReturnValue
    from locust.web import WebUI

SOMEBODY: Final = "somebody"
OPEN: Final = {"locust.login", "locust.send_assets", "lab.static", "login"}
"""What a stranger may see: the form, what it is made of, and where it leads."""
WRONG_S: Final = 1.0
"""Seconds that a wrong password costs, and all others wait for: so many can be tried a day, and no more."""


class Somebody(UserMixin):  # type: ignore[misc]  # Flask-Login has no types
    """Who knows the password; there is no more to know of anybody."""

    def get_id(self) -> str:
        """Give the one id there is."""
        return SOMEBODY


def require_login(web: WebUI, password: str, pause: Callable[[float], Any] = gevent.sleep) -> None:
    """Let nobody see the page without the password.

    Args:
        web: a page that was made with Locust's `web_login`.
        password: what is asked for.
        pause: waits.
    """
    app = web.app
    if app is None:
        raise AssertionError("a web page without an application")
    # Made anew at each start: a session ends with the process that it began with.
    app.secret_key = secrets.token_bytes(32)
    app.config |= {
        "SESSION_COOKIE_NAME": "airbourne_lab",
        "SESSION_COOKIE_SAMESITE": "Strict",
        "SESSION_COOKIE_HTTPONLY": True,
    }
    web.login_manager.user_loader(lambda known: Somebody() if known == SOMEBODY else None)
    web.auth_args = {
        "title": "airbourne-lab",
        "custom_form": {
            "inputs": [{"label": "Password", "name": "password", "is_secret": True, "is_required": True}],
            "callback_url": "/lab/login",
            "submit_button_text": "Sign in",
        },
    }  # type: ignore[typeddict-unknown-key]  # Locust's page takes a title, its type does not know it

    @app.before_request
    def known() -> ResponseReturnValue | None:
        # Locust asks at most of its routes, and this at all of them.
        if request.endpoint in OPEN or current_user.is_authenticated:
            return None
        answer: ResponseReturnValue = web.login_manager.unauthorized()
        return answer

    one = gevent.lock.BoundedSemaphore()

    @app.route("/lab/login", methods=["POST"])
    def login() -> ResponseReturnValue:
        with one:
            if hmac.compare_digest(request.form.get("password", "").encode(), password.encode()):
                session.clear()
                login_user(Somebody())
                return redirect("/")
            pause(WRONG_S)
        session["auth_error"] = "That is not the password."
        return redirect("/login")
