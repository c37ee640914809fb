"""A service's OpenAPI document, generated from the pydantic models of its bodies, queries and answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from pydantic_core import to_json

REFERENCE = "#/components/schemas/{model}"
ENVELOPE = {
    "type": "object",
    "required": ["data", "success", "message", "err"],
    "properties": {"data": {}, "success": {"type": "boolean"}, "message": {"type": "string"}, "err": {}},
}
JSON = "application/json"
SUCCESS_BELOW = 400


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of a service.

    Attributes:
        method: in lower case.
        path: with parameters in braces.
        summary: what it does.
        answers: what each status means.
        body: the model of its JSON body.
        query: the model of its query string.
        headers: its headers and whether each is required.
    """

    method: str
    path: str
    summary: str
    answers: Mapping[int, str]
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    headers: Mapping[str, bool] = field(default_factory=dict)


def document(service: str, operations: Sequence[Operation]) -> dict[str, Any]:
    """Generate the OpenAPI 3.1 document of a service."""
    models = {model for operation in operations for model in (operation.body, operation.query) if model}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema([(model, "validation") for model in ordered], ref_template=REFERENCE)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = _describe(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Airbourne {service}", "version": "1.0.0"},
        "paths": paths,
        "components": {"schemas": {**schemas.get("$defs", {}), "Answer": ENVELOPE}},
    }


def _describe(operation: Operation) -> dict[str, Any]:
    envelope = {"schema": {"$ref": REFERENCE.format(model="Answer")}}
    described: dict[str, Any] = {
        "summary": operation.summary,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation), *_header_parameters(operation)],
        "responses": {
            str(status): {"description": meaning, "content": {JSON: envelope}}
            for status, meaning in operation.answers.items()
        },
    }
    if operation.body is not None:
        schema = {"$ref": REFERENCE.format(model=operation.body.__name__)}
        described["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return described


def _path_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string" if name == "key" else "integer"}}
        for name in re.findall(r"{(\w+)}", operation.path)
    ]


def _query_parameters(operation: Operation) -> list[dict[str, Any]]:
    if operation.query is None:
        return []
    schema = operation.query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", ()), "schema": described}
        for name, described in schema["properties"].items()
    ]


def _header_parameters(operation: Operation) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": required, "schema": {"type": "string"}}
        for name, required in operation.headers.items()
    ]


def openapi_routes(service: str, operations: Sequence[Operation]) -> Blueprint:
    """Give the blueprint that answers `/openapi.json`."""
    blueprint = Blueprint("openapi", __name__)
    body = to_json(document(service, operations))

    @blueprint.get("/openapi.json")
    def show() -> Response:
        return Response(body, content_type=JSON)

    return blueprint
