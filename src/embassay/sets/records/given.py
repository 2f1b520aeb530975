"""Records as programs hand them over: mappings or values, checked before anything is made of them."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from embassay import jsontext
from embassay.errors import UsageError
from embassay.text import composed, did_you_mean, encodable
from embassay.types import Record

LONGEST_ID = 1_000
"""Characters."""
OWN = "own:"
"""Before the digest of a record whose vector was handed over with it."""
_FIELDS = ("id", "text", "title", "metadata", "vector")


def read_records(given: Iterable[Record | Mapping[str, Any]]) -> Iterator[Record]:
    """The records that were handed over; those of a list are all checked before the first one is given.

    Raises UsageError for what is no record, and for an id that comes twice.
    """
    records = _read(given)
    return iter(list(records)) if isinstance(given, Sequence) else records


def digest_of(record: Record) -> str:
    """Equal for records that say the same; that of one with a vector of its own begins with `OWN`."""
    said = jsontext.dumps([record.text, record.title, record.metadata], ascii_only=True, sort_keys=True)
    digest = hashlib.sha256(said.encode())
    if record.vector is None:
        return digest.hexdigest()
    import numpy as np

    digest.update(np.ascontiguousarray(record.vector, np.float32).tobytes())
    return OWN + digest.hexdigest()


def _read(given: Iterable[Record | Mapping[str, Any]]) -> Iterator[Record]:
    seen: set[str] = set()
    for at, one in enumerate(given):
        record = read_record(one, at)
        if record.id in seen:
            raise UsageError(f"record {record.id!r} comes twice in one call.")
        seen.add(record.id)
        yield record


def read_record(given: object, at: int | str) -> Record:
    """A record as it was handed over; `at` says which of them it is. Raises UsageError for what is none."""
    if isinstance(given, Record):
        fields: Mapping[str, Any] = {name: getattr(given, name) for name in _FIELDS}
    elif isinstance(given, Mapping):
        fields = given
    else:
        raise UsageError(f"record {at} is {type(given).__name__}; it must be a mapping or a Record.")
    for name in fields:
        if name not in _FIELDS:
            hint = did_you_mean(str(name), _FIELDS) or "What else belongs to it goes into its metadata."
            raise UsageError(f"record {at} has the field {name!r}, which records do not have.", remedy=hint)
    identity = _id(fields.get("id"), at)
    text, title = _text(fields.get("text"), "text", identity), _text(fields.get("title") or "", "title", identity)
    metadata = fields.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise UsageError(f"record {identity!r}: metadata is {_kind(metadata)}; it must be a mapping.")
    values = {_key(key, identity): _value(value, identity) for key, value in metadata.items()}
    return Record(identity, text, title, values, _vector(fields.get("vector"), identity))


def _id(given: object, at: int | str) -> str:
    identity = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(identity, str) or not identity.strip():
        raise UsageError(f"record {at} has no id: {_kind(given)} where a string belongs.")
    if len(identity) > LONGEST_ID or not identity.isprintable():
        raise UsageError(f"record {at}: an id has at most {LONGEST_ID:,} characters, all of them printable.")
    return composed(identity)


def _text(given: object, name: str, identity: str) -> str:
    if not isinstance(given, str):
        raise UsageError(f"record {identity!r}: {name} is {_kind(given)}; it must be a string.")
    return encodable(given)


def _key(key: object, identity: str) -> str:
    if not isinstance(key, str):
        raise UsageError(f"record {identity!r}: the name {key!r} in its metadata is {_kind(key)}, not a string.")
    return encodable(key)


def _value(value: object, identity: str) -> Any:
    """A value as it is kept: dates and times as ISO 8601 writes them."""
    match value:
        case str():
            return encodable(value)
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float():
            return value
        case date():  # which a datetime is as well
            return value.isoformat()
        case Mapping():
            return {_key(key, identity): _value(one, identity) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_value(one, identity) for one in value]
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # a number of numpy
        return _value(value.item(), identity)
    raise UsageError(f"record {identity!r}: a value of its metadata is {_kind(value)}, which JSON has no word for.")


def _vector(given: Any, identity: str) -> Any:
    """The vector as float32 (dimensions,)."""
    if given is None:
        return None
    import numpy as np

    try:
        vector = np.asarray(given, np.float32)
    except (ValueError, TypeError):
        vector = np.empty(0, np.float32)
    if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all() or not vector.any():
        raise UsageError(f"record {identity!r}: its vector must be a row of finite numbers that are not all 0.")
    return vector


def _kind(value: object) -> str:
    return "missing" if value is None else type(value).__name__
