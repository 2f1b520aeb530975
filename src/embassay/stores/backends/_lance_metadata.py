"""Metadata in a column of JSON of Lance, whose SQL reads texts, numbers and truth values at its keys and nothing else:
asked for a list it fails. So a row whose metadata has lists or objects holds, under names that begin with a control
character, the whole of it as one text, and what filters ask of lists; what has one value, such as ``author.name``, is a
key like any other. A row without lists and objects holds its metadata as it is, as all rows did once.
"""

from __future__ import annotations

from collections.abc import Mapping

from embassay import jsontext
from embassay.metadata import kept
from embassay.stores.filters.fields import as_number, as_text, fields_of
from embassay.text import encodable
from embassay.types import Metadata, Scalar

BETWEEN = "\x1f"
"""Between texts that are joined; where it stands in one of them, a filter that asks for it finds nothing."""
WHOLE = "\x1fw"
"""The metadata as it was, as JSON."""
NAMES = "\x1fe"
"""Every field that has a value, and those that have values below them, joined."""
TEXTS, NUMBERS = "\x1ft", "\x1fn"
"""With the name of a field behind it: its values as texts, joined; those of them that are numbers, as Python writes
floats."""


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
            row[NUMBERS + name] = joined([repr(number) for number in numbers])
    row[NAMES] = joined(list(dict.fromkeys(part for name in fields for part in _above(name))))
    return row


def _above(name: str) -> list[str]:
    """A name and those that it lies below."""
    parts = name.split(".")
    return [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
