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
    """Every route of a document. Raises LookupError, TypeError and their kin for what is none."""
    found = []
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = _json_of(operation.get("requestBody"))
            examples = body.get("examples")
            first: Value = next(iter(examples.values()), None) if isinstance(examples, dict) else None
            example = first.get("value") if isinstance(first, dict) else None
            answers = {status: one for status, one in operation["responses"].items() if status != "default"}
            media = [kind for one in answers.values() if isinstance(one, dict) for kind in _content(one)]
            found.append(
                ServedRoute(
                    method.upper(),
                    path,
                    example,
                    "requestBody" in operation,
                    [*answers],
                    media,
                    "security" not in operation,
                )
            )
    return found


def _content(described: Mapping[str, Value]) -> Mapping[str, Value]:
    content = described.get("content")
    return content if isinstance(content, dict) else {}


def _json_of(described: Mapping[str, Value] | None) -> Mapping[str, Value]:
    found = _content(described or {}).get("application/json")
    return found if isinstance(found, dict) else {}
