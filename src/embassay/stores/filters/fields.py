"""The fields of a chunk's metadata that a filter can name: its keys, and below them the keys of nested objects.

``{"author": {"name": "Ann"}, "tags": ["a", "b"]}`` has the fields ``author.name`` and ``tags``, which has two values.
What stands in lists of objects has one name: ``{"authors": [{"name": "Ann"}, {"name": "Bo"}]}`` has the field
``authors.name`` with two values. A key that is itself written with a dot goes before what is nested.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from embassay import jsontext
from embassay.types import Metadata, Scalar, Value

_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def fields_of(metadata: Metadata) -> dict[str, list[Scalar]]:
    """The values of each field, of those that have any: null is none."""
    own: dict[str, list[Scalar]] = {}
    nested: dict[str, list[Scalar]] = {}
    for key, value in metadata.items():
        for name, scalar in _leaves(key, value):
            (own if name == key else nested).setdefault(name, []).append(scalar)
    return nested | own


def values_of(metadata: Metadata, name: str) -> Sequence[Scalar]:
    """The values of one field."""
    value = metadata.get(name)
    if isinstance(value, (str, int, float)):
        return (value,)
    if value is None and "." not in name:
        return ()
    return fields_of(metadata).get(name, ())


def as_text(value: Scalar) -> str:
    """How a value compares as text: as JSON writes it, strings bare."""
    return value if isinstance(value, str) else jsontext.dumps(value).replace("e-0", "e-")


def as_number(text: str) -> float | None:
    """The number that a text is, as a decimal number is written everywhere; not an infinite one."""
    if not _DECIMAL.fullmatch(text):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def _leaves(name: str, value: Value) -> Iterator[tuple[str, Scalar]]:
    """(name, value) of all that is inside of a value, in any order."""
    stack = [(name, value)]
    while stack:
        name, value = stack.pop()
        if isinstance(value, (str, int, float)):
            yield name, value
        elif isinstance(value, Mapping):
            stack.extend((f"{name}.{key}", inner) for key, inner in value.items())
        elif isinstance(value, Sequence):
            stack.extend((name, inner) for inner in value)
