"""What the metadata of many documents have in common: their fields, and the values of one of them."""

from __future__ import annotations

from collections.abc import Iterable

from embassay import jsontext
from embassay.types import Metadata

Fields = dict[str, dict[str, str]]
TYPES = {bool: "boolean", int: "int", float: "float", str: "keyword"}


def about_fields(found: Iterable[Metadata]) -> Fields:
    """Each field with the type of its values; ``keyword`` where it has values of several."""
    types: dict[str, set[str]] = {}
    for metadata in found:
        for name, value in metadata.items():
            if value is not None:
                types.setdefault(name, set()).add(TYPES.get(type(value), "keyword"))
    return {name: {"type": one.pop() if len(one) == 1 else "keyword"} for name, one in types.items()}


def between(found: Iterable[Metadata], name: str) -> tuple[object, object]:
    """The least and the greatest value of a field: of its numbers, where there are some, else of its texts."""
    values = [metadata.get(name) for metadata in found]
    numbers = [one for one in values if isinstance(one, (int, float)) and not isinstance(one, bool)]
    if numbers:
        return min(numbers), max(numbers)
    texts = [one for one in values if isinstance(one, str)]
    return (min(texts), max(texts)) if texts else (None, None)


def distinct(found: Iterable[Metadata], name: str) -> list[object]:
    """The values of a field, each once, as its JSON orders them: 1, 1.0, "1" and true are four."""
    by_form = {jsontext.dumps(metadata[name]): metadata[name] for metadata in found if metadata.get(name) is not None}
    return [by_form[form] for form in sorted(by_form)]
