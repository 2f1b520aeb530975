"""Records as programs hand them over: mappings or values, checked before anything is made of them."""

from __future__ import annotations

import hashlib
import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from embassay import jsontext
from embassay.arguments import shown
from embassay.errors import ReadError, UsageError
from embassay.metadata import kept
from embassay.text import composed, did_you_mean, encodable
from embassay.types import Metadata, Record

LONGEST_ID = 1_000
"""Characters."""
OWN = "own:"
"""Before the digest of a record whose vector was handed over with it."""
_FIELDS = ("id", "text", "title", "metadata", "vector")
_JOINERS = {0x200C: None, 0x200D: None}
"""What joins and parts letters and emoji: words of many languages have them."""


def read_records(given: Iterable[Record | Mapping[str, Any]]) -> Iterator[Record]:
    """The records that were handed over; those of a list are all checked before the first one is given.

    Raises UsageError for what is no record, and for an id that comes twice.
    """
    if isinstance(given, (str, bytes, Mapping, Record)) or not isinstance(given, Iterable):
        raise UsageError(f"the records are {shown(given)}; they must be a list, or an iterator, of records.")
    records = _read(given)
    return iter(list(records)) if isinstance(given, Sequence) else records


def read_ids(given: Iterable[str]) -> tuple[str, ...]:
    """The ids that were asked for, as records have them, each once. Raises UsageError for what are none."""
    if isinstance(given, (str, bytes, Mapping)) or not isinstance(given, Iterable):
        raise UsageError(f"ids is {shown(given)}; it must be a list of ids.")
    return tuple(dict.fromkeys(_asked(one) for one in given))


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
    return Record(identity, text, title, _metadata(metadata, identity), _vector(fields.get("vector"), identity))


def _id(given: object, at: int | str) -> str:
    if given is None:
        raise UsageError(f"record {at} has no id.")
    identity = _worded(given)
    if identity is None:
        raise UsageError(f"record {at}: its id is {shown(given)}; it must be a string or a whole number.")
    if not identity.strip():
        raise UsageError(f"record {at}: its id is empty.")
    if len(identity) > LONGEST_ID or not identity.translate(_JOINERS).isprintable():
        raise UsageError(f"record {at}: an id has at most {LONGEST_ID:,} characters, all of them printable.")
    return composed(identity)


def _asked(given: object) -> str:
    identity = _worded(given)
    if identity is None:
        raise UsageError(f"{shown(given)} is no id; ids are strings or whole numbers.")
    return composed(encodable(identity))


def _worded(given: object) -> str | None:
    """An id as text: a string, or a whole number of whatever library; None for anything else."""
    if isinstance(given, str):
        return str(given)
    if isinstance(given, bool):
        return None
    try:
        return str(operator.index(given))  # type: ignore[arg-type]
    except TypeError:
        return None


def _text(given: object, name: str, identity: str) -> str:
    if not isinstance(given, str):
        raise UsageError(f"record {identity!r}: {name} is {_kind(given)}; it must be a string.")
    return encodable(given)


def _metadata(given: Mapping[Any, Any], identity: str) -> Metadata:
    """As it is kept. What would be cut or left out is refused: a program can be told, other than a file."""
    try:
        made = kept(given)
    except ReadError as error:
        raise UsageError(f"record {identity!r}: {error.message}.") from error
    for name, what in made.losses.items():
        raise UsageError(f"record {identity!r}: its metadata cannot be kept whole: {name!r} {what}.")
    return dict(made.metadata)


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
