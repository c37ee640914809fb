"""Every service's OpenAPI document: valid, whole, and true to what the service answers."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import jsonschema_rs
import pytest
import schemathesis

from tests.integration.services.hostile import TARGETS
from tests.integration.services.platform import API

if TYPE_CHECKING:
    from tests.integration.services.platform import Platform

CRUD = [(method, f"{kind}{one}") for kind in ("city", "airports", "airplane", "flights") for method, one in (
    ("post", ""), ("get", ""), ("get", "/{}"), ("patch", "/{}"), ("delete", "/{}"),
)]  # fmt: skip
CONTRACT = {
    "auth": [("post", "signup"), ("post", "signin"), ("get", "isAuthenticated"), ("get", "isAdmin")],
    "flights": [*CRUD, ("post", "flights/{}/reservations"), ("delete", "flights/{}/reservations/{}")],
    "booking": [
        *[("post", "bookings"), ("get", "bookings"), ("get", "bookings/{}"), ("patch", "bookings/{}")],
        *[("post", "publish"), ("get", "info")],
    ],
    "reminder": [("post", "tickets"), ("get", "tickets")],
}
SERVICES = [*CONTRACT, "gateway"]


def document(safe: Platform, service: str) -> dict[str, Any]:
    """Give a service's document."""
    answer = safe.services[service].send("GET", "/openapi.json")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    found: dict[str, Any] = answer.json()
    return found


def schemas(part: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - any JSON
    """Give every JSON schema of a part of a document."""
    if isinstance(part, list):
        return [found for one in part for found in schemas(one)]
    if not isinstance(part, dict):
        return []
    here = [part["schema"]] if isinstance(part.get("schema"), dict) else []
    return here + [found for one in part.values() for found in schemas(one)]


@pytest.mark.parametrize("service", SERVICES)
def test_a_document_is_valid(safe: Platform, service: str) -> None:
    """It is OpenAPI 3 by its own meta-schema, each schema in it is one, and no reference leads nowhere."""
    spec = document(safe, service)
    assert re.fullmatch(r"3\.[01]\.\d+", spec["openapi"])
    schemathesis.openapi.from_dict(spec).validate()
    for reference in re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(spec)):
        assert reference in spec["components"]["schemas"]
    for schema in [*spec["components"]["schemas"].values(), *schemas(spec["paths"])]:
        jsonschema_rs.meta.validate({**schema, "$schema": "https://json-schema.org/draft/2020-12/schema"})
    assert all(operation["responses"] for path in spec["paths"].values() for operation in path.values())


@pytest.mark.parametrize("service", CONTRACT)
def test_a_document_covers_the_contract(safe: Platform, service: str) -> None:
    """Every call of the contract is described, bodies with their exact field names."""
    spec = document(safe, service)
    described = {
        (method, re.sub(r"{\w+}", "{}", path)): operation
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
    }
    assert {(method, f"{API}/{path}") for method, path in CONTRACT[service]} <= set(described)
    for target in TARGETS.values():
        if target.service == service:
            call = described[(target.method.lower(), re.sub(r"{\w+}", "{}", target.path))]
            reference = call["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
            schema = spec["components"]["schemas"][reference]
            assert set(schema["properties"]) == set(target.fields)
            assert set(schema.get("required", ())) == set(target.fields) - set(target.optional)


def test_the_gateways_document_names_its_prefixes(safe: Platform) -> None:
    """The gateway describes calls behind each of its four prefixes."""
    prefixes = {path.split("/")[1] for path in document(safe, "gateway")["paths"]}
    assert {"auth", "flights", "bookingservice", "reminder"} <= prefixes


def test_lists_describe_their_queries(safe: Platform) -> None:
    """The lists' documents name the filters that the contract names."""
    wanted = {
        "flights": {"departureAirportID", "arrivalAirportId", "minPrice", "maxPrice", "limit", "offset"},
        "booking": {"flightId", "userId", "limit", "offset"},
        "reminder": {"status", "limit", "offset"},
    }
    paths = {"flights": "flights", "booking": "bookings", "reminder": "tickets"}
    for service, names in wanted.items():
        described = document(safe, service)["paths"][f"{API}/{paths[service]}"]["get"]["parameters"]
        assert names <= {one["name"] for one in described if one["in"] == "query"}
