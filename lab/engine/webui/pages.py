"""What is added to Locust's web page, by the ways that Locust has for it: fields, a tab, routes, and the Lab page."""

from __future__ import annotations

from locust import events  # isort: skip - first, since it patches the interpreter

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, jsonify, render_template, request, send_file
from jinja2 import ChoiceLoader, FileSystemLoader, PrefixLoader
from locust.html import DEFAULT_BUILD_PATH

from lab.engine.webui.guard import POLICY

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask, Response
    from flask.typing import ResponseReturnValue
    from locust.argument_parser import LocustArgumentParser
    from locust.web import WebUI

    from lab.engine.webui.desk import Choice, Desk

SITE: Final = Path(__file__).parent / "site"
TAB: Final = "lab"
LARGEST_POST: Final = 64 * 1024
LAB_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
REPORT_POLICY: Final = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads"
)
"""The report names its own scripts by their hashes, in itself; here it is also kept from this site's cookie."""
_COLUMNS: Final = (
    ("operation", "Operation"),
    ("requests", "# requests"),
    ("failed", "# failed"),
    ("p50", "p50 (ms)"),
    ("p95", "p95 (ms)"),
    ("p99", "p99 (ms)"),
    ("max", "Max (ms)"),
)


def add_fields(choice: Choice) -> None:
    """Put the scenario, a label and the time scale on the start form, as arguments that Locust's page shows."""

    def add(parser: LocustArgumentParser, **_: object) -> None:
        parser.add_argument(
            "--scenario",
            choices=list(choice.scenarios),
            default=choice.scenario,
            include_in_web_ui=True,
            help="its load, its data and its thresholds",
        )
        parser.add_argument(
            "--label", default=choice.label, include_in_web_ui=True, help="a name for this revision of the system"
        )
        parser.add_argument(
            "--time-scale",
            default=f"{choice.time_scale:g}",
            include_in_web_ui=True,
            help="0.1 is ten times shorter",
        )

    events.init_command_line_parser.add_listener(add)


def add_pages(web: WebUI, desk: Desk) -> None:
    """Add the routes, before the page begins to listen."""
    app = app_of(web)
    app.debug = False
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_POST
    app.jinja_env.loader = ChoiceLoader(
        [FileSystemLoader(SITE), PrefixLoader({"locust": FileSystemLoader(DEFAULT_BUILD_PATH)})]
    )
    app.jinja_env.globals["lab_template_args"] = lambda: _template_args(desk)
    app.register_blueprint(_lab(web, desk))
    _take_orders(web, desk)
    _extend_stats(app, desk)


def app_of(web: WebUI) -> Flask:
    """Give a page's application."""
    if web.app is None:
        raise AssertionError("a web page without an application")
    return web.app


def _template_args(desk: Desk) -> dict[str, Any]:
    """Give what Locust's page is told on top of its own arguments."""
    return {
        "locustfile": desk.live()["scenario"] or desk.choice.scenario,
        # The users and their ramp are the scenario's; the form's two fields are hidden (bar.css), and Edit has one.
        "hide_common_options": False,
        "is_host_required": False,
        "missing_host_warning": False,
        "extended_tabs": [{"title": "Lab", "key": TAB}],
        "extended_tables": [
            {"key": TAB, "structure": [{"key": key, "title": title} for key, title in _COLUMNS]},
        ],
    }


def _lab(web: WebUI, desk: Desk) -> Blueprint:
    lab = Blueprint("lab", __name__, url_prefix="/lab", static_folder=str(SITE / "static"), static_url_path="/static")
    behind: Callable[..., Any] = web.auth_required_if_enabled

    @lab.route("/")
    @behind
    def page() -> ResponseReturnValue:
        return render_template("lab.html"), {POLICY: LAB_POLICY}

    @lab.route("/live")
    @behind
    def live() -> ResponseReturnValue:
        return jsonify(desk.live()), {"Cache-Control": "no-store"}

    @lab.route("/report")
    @behind
    def report() -> ResponseReturnValue:
        path = desk.report
        if path is None:
            return "There is no report: no run has come to its end yet.", 404, {"Content-Type": "text/plain"}
        answer = send_file(path, mimetype="text/html", max_age=0)
        answer.headers[POLICY] = REPORT_POLICY
        return answer

    return lab


def _take_orders(web: WebUI, desk: Desk) -> None:
    """Put the lab's answers in the place of those with which Locust would run users itself."""
    behind: Callable[..., Any] = web.auth_required_if_enabled

    def swarm() -> Response:
        on = desk.live()["state"] in {"preparing", "running"} and "host" not in request.form
        why = desk.edit(request.form) if on else desk.start(request.form)
        done = "The load is changed" if on else "The run is on its way"
        return jsonify({"success": not why, "message": why or done, "host": desk.target})

    def stop() -> Response:
        desk.stop()
        return jsonify({"success": True, "message": "The run is stopping"})

    def nothing() -> ResponseReturnValue:
        return "What users do stands in their file, and cannot be changed here.", 404

    views = app_of(web).view_functions
    views["locust.swarm"], views["locust.stop"], views["locust.update_user"] = map(behind, (swarm, stop, nothing))


def _extend_stats(app: Flask, desk: Desk) -> None:
    @app.after_request
    def _extend(response: Response) -> Response:
        if request.endpoint != "locust.request_stats" or response.status_code != 200 or not response.is_json:  # noqa: PLR2004 - HTTP's own
            return response
        # Locust keeps an answer for two seconds; a state that is as old as that would send the page back.
        known = response.get_json() | {"state": desk.state, "extended_stats": [{"key": TAB, "data": _rows(desk)}]}
        response.set_data(json.dumps(known))
        return response


def _rows(desk: Desk) -> list[dict[str, Any]]:
    return [
        {
            "operation": row["name"],
            "requests": row["requests"],
            "failed": row["failed"],
            **dict(zip(("p50", "p95", "p99"), map(_shown, row["percentiles"]), strict=True)),
            "max": _shown(row["max"]),
        }
        for row in desk.live().get("operations", [])
    ]


def _shown(value: float | str | None) -> str:
    if value is None:
        return "–"
    return value if isinstance(value, str) else f"{value:,.1f}"
