"""The calls of the reminder service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, Response

from reference_services.common.answers import answer
from reference_services.common.inputs import read_body, read_query
from reference_services.common.openapi import Operation
from reference_services.reminder.models import NewTicket, TicketQuery

if TYPE_CHECKING:
    from collections.abc import Callable

    from reference_services.reminder.store import TicketStore

OPERATIONS = (
    Operation(
        "post",
        "/api/v1/tickets",
        "Make a ticket",
        {201: "made", 400: "invalid", 413: "too large", 415: "no JSON"},
        NewTicket,
    ),
    Operation("get", "/api/v1/tickets", "List tickets", {200: "a page", 400: "invalid"}, query=TicketQuery),
)


def ticket_routes(store: TicketStore, arrived: Callable[[], None]) -> Blueprint:
    """Give the blueprint of tickets."""
    blueprint = Blueprint("tickets", __name__)

    @blueprint.post("/tickets")
    def create() -> Response:
        made = store.add(read_body(NewTicket))
        arrived()
        return answer(made, "The ticket was made.", 201)

    @blueprint.get("/tickets")
    def show_list() -> Response:
        return answer(store.list(read_query(TicketQuery)), "A page of tickets.")

    return blueprint
