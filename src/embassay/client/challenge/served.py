"""The routes of a server, as its OpenAPI document describes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from embassay.types import Value


@dataclass(frozen=True, slots=True)
class ServedRoute:
    """One method of one path."""

    method: str
    path: str
    example: Value
    """Of its body; None where it has none."""
    takes_body: bool
    statuses: Sequence[str]
    """Of answers that are none of its errors."""
    media: Sequence[str]
    is_open: bool
    """Whether it asks for no key."""

    @property
    def key(self) -> tuple[str, str]:
        """The method and the path."""
        return self.method, self.path


def routes_of(
    document: Mapping[str, Mapping[str, Mapping[str, Mapping[str, Mapping[str, Value]]]]],
) -> list[ServedRoute]:
    """Every route of a document. Raises LookupError, TypeError and their kin for what is none.

    A route without an example is asked by that of another one whose body is described alike.
    """
    every = [(path, method, one) for path, methods in document["paths"].items() for method, one in methods.items()]
    bodies = [_json_of(one.get("requestBody")) for _, _, one in every]
    by_schema = {str(body.get("schema")): example for body in bodies if (example := _example(body)) is not None}
    return [
        _route(path, method, operation, _example(body) or by_schema.get(str(body.get("schema"))))
        for (path, method, operation), body in zip(every, bodies, strict=True)
    ]


def _route(path: str, method: str, operation: Mapping[str, Mapping[str, Value]], example: Value) -> ServedRoute:
    answers = {status: one for status, one in operation["responses"].items() if status != "default"}
    media = [kind for one in answers.values() if isinstance(one, dict) for kind in _content(one)]
    takes_body, is_open = "requestBody" in operation, "security" not in operation
    return ServedRoute(method.upper(), path, example if takes_body else None, takes_body, [*answers], media, is_open)


def _example(body: Mapping[str, Value]) -> Value:
    """The first one of a body; None where it has none."""
    examples = body.get("examples")
    first: Value = next(iter(examples.values()), None) if isinstance(examples, dict) else None
    return first.get("value") if isinstance(first, dict) else None


def _content(described: Mapping[str, Value]) -> Mapping[str, Value]:
    content = described.get("content")
    return content if isinstance(content, dict) else {}


def _json_of(described: Mapping[str, Value] | None) -> Mapping[str, Value]:
    found = _content(described or {}).get("application/json")
    return found if isinstance(found, dict) else {}
