"""Metadata in a column of JSON of Lance, whose SQL reads texts, numbers and truth values at its keys and nothing else:
asked for a list it fails. So a row whose metadata has lists or objects holds the whole of it as one text, and what
filters ask of lists, under names that no field has; what has one value, such as ``author.name``, is a key like any
other. A row without lists and objects holds its metadata as it is, as all rows did once.
"""

from __future__ import annotations

from collections.abc import Mapping

from embassay import jsontext
from embassay.metadata import kept
from embassay.stores.filters.fields import as_number, as_text, fields_of
from embassay.text import encodable
from embassay.types import Metadata, Scalar

BETWEEN = "\ufdd0"
"""Between texts that are joined: one of the characters that Unicode keeps for the inside of programs, so that no text
has it."""
WHOLE = BETWEEN + "w"
"""The metadata as it was, as JSON."""
NAMES = BETWEEN + "e"
"""Every field that has a value, and those that have values below them, joined."""
TEXTS, NUMBERS = BETWEEN + "t", BETWEEN + "n"
"""With the name of a field behind it: its values as texts, joined; those of them that are numbers, as Python writes
floats, without -0.0."""


def to_json(metadata: Metadata) -> str:
    """What the column holds."""
    metadata = kept(metadata).metadata
    is_flat = all("." not in name and not isinstance(value, (list, Mapping)) for name, value in metadata.items())
    return jsontext.dumps(metadata if is_flat else _derived(metadata), ascii_only=True)


def from_json(text: str) -> Metadata:
    """The metadata that `to_json` was given."""
    stored: Metadata = jsontext.loads(text)
    whole = stored.get(WHOLE)
    return dict(jsontext.loads(whole)) if isinstance(whole, str) else stored


def joined(texts: list[str]) -> str:
    """Texts as one; none of them has `BETWEEN` in it."""
    return BETWEEN.join(encodable(text).replace(BETWEEN, "\ufffd") for text in texts)


def _derived(metadata: Metadata) -> dict[str, Scalar]:
    row: dict[str, Scalar] = {WHOLE: jsontext.dumps(metadata)}
    fields = fields_of(metadata)
    for name, values in fields.items():
        if len(values) == 1:
            row[name] = values[0]
            continue
        texts = [as_text(value) for value in values]
        row[TEXTS + name] = joined(texts)
        if numbers := [number for text in texts if (number := as_number(text)) is not None]:
            row[NUMBERS + name] = joined([repr(number + 0.0) for number in numbers])
    row[NAMES] = joined(list(dict.fromkeys(part for name in fields for part in _above(name))))
    return row


def _above(name: str) -> list[str]:
    """A name and those that it lies below."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
