"""The OpenAPI document of what is served: made of the same types that requests are decoded by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from embassay.server.route import Dialect, Route
from embassay.version import VERSION

Served = Sequence[tuple[str, Dialect, Route]]
_PART = re.compile(r"\{(\w+)(?::\w+)?\}")
_REF = "#/components/schemas/{name}"
FAILURE = {"description": "An error, in the shape of this dialect.", "content": {"application/json": {"schema": {}}}}


def document(served: Served) -> dict[str, Any]:
    """The document as JSON has it."""
    kinds = [kind for _, _, route in served for kind in (route.body, route.reply) if kind is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    of_kind = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for name, _, route in served:
        operation = _operation(name, route, of_kind)
        paths.setdefault(_PART.sub(r"{\1}", route.path), {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "embassay", "version": VERSION, "description": "Embeddings, reranking and search."},
        "tags": [{"name": name, "description": about} for name, about in _tags(served)],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(dialect: str, route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    reply = schemas.get(id(route.reply), {})
    operation: dict[str, Any] = {
        "tags": [dialect],
        "summary": route.summary,
        "operationId": _name_of(route),
        "parameters": [*_in_path(route.path), *_in_query(route.query)],
        "responses": {
            str(route.status): {"description": route.summary, "content": {route.media: {"schema": reply}}},
            **{str(status): {"description": words} for status, words in route.empty.items()},
            "default": FAILURE,
        },
    }
    if route.needs != "open":
        operation["security"] = [{"key": []}, {}]
    if route.body is not None:
        content: dict[str, Any] = {"schema": schemas[id(route.body)]}
        if route.examples:
            content["examples"] = {name: {"value": value} for name, value in route.examples.items()}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _name_of(route: Route) -> str:
    path = _PART.sub(r"by_\1", route.path).strip("/")
    return f"{route.method.lower()}_{re.sub('[^a-z0-9]+', '_', path.lower()) or 'root'}"


def _in_path(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _PART.findall(path)
    ]


def _in_query(kind: Any) -> list[dict[str, Any]]:
    if kind is None:
        return []
    (_,), components = msgspec.json.schema_components([kind], ref_template=_REF)
    schema = components[kind.__name__]
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema["properties"].items()
    ]


def _tags(served: Served) -> Iterable[tuple[str, str]]:
    return {name: " ".join((dialect.__doc__ or "").split()) for name, dialect, _ in served}.items()
