"""Rows of a reply as float32, with what servers put in place of a vector: null, NaN, an empty list, one list too many.

A row that cannot be a vector becomes NaN, so that the others can be kept and its text be asked for again. What leaves
open which vector belongs to which text is no reply at all.
"""

from __future__ import annotations

import binascii
import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from embassay import remedy
from embassay.errors import BadReply

if TYPE_CHECKING:
    from embassay.types import Vectors

Exact = TypeVar("Exact")

_WORDS = re.compile(rb'"(?:[^"\\]++|\\.)*+"|-?\b(?:nan|inf|infinity)\b', re.IGNORECASE | re.DOTALL)
"""Strings, which stay, and the words that some servers write for numbers that JSON does not have."""


def decoded(body: bytes, strict: msgspec.json.Decoder[Exact], loose: Any) -> Exact | Any:
    """A JSON body as the documentation has it, else as `loose` does, with the words NaN and infinity as strings.

    Raises ValueError for what is neither.
    """
    try:
        return strict.decode(body)
    except msgspec.DecodeError:
        plain = _WORDS.sub(lambda word: word[0] if word[0][:1] == b'"' else b'"%b"' % word[0], body)
        return msgspec.json.decode(plain, type=loose)


def rows(values: Sequence[Any], count: int) -> Vectors:
    """What stands for the vectors of `count` texts, as float32 (number of values, dimensions); NaN where none can be.

    A value is a list of numbers, which may be written as strings, or one such list inside another; or bytes of
    little-endian float32, as they are or in base64. There may be fewer or more of them than `count`. For one text
    they may be its numbers themselves. Raises BadReply for what can be no vectors.
    """
    import numpy as np

    if not isinstance(values, list):
        raise BadReply("the reply has no list of vectors.")
    if count == 1 and values and all(isinstance(one, (int, float)) for one in values):
        values = [values]
    made = [_row(value) for value in values]
    sizes = Counter(len(one) for one in made if one is not None)
    if not sizes:
        return np.full((len(made), 0), np.nan, np.float32)
    (size, holders), *others = sizes.most_common()
    if others and holders == others[0][1]:
        raise BadReply(f"the reply's vectors have different lengths: {', '.join(map(str, sorted(sizes)))}.")
    missing = np.full(size, np.nan, np.float32)
    return np.stack([missing if one is None or len(one) != size else one for one in made])


def _row(value: object) -> Vectors | None:
    """One vector; None where nothing stands in its place."""
    import numpy as np

    if isinstance(value, str):
        value = binascii.a2b_base64(value, strict_mode=True)
    if isinstance(value, bytes):
        if len(value) % 4:
            raise BadReply(f"{len(value)} bytes are no float32 numbers.")
        return np.frombuffer(value, "<f4") if value else None
    if not value:
        return None
    if not isinstance(value, list):
        raise BadReply(f"{str(value)[:40]!r} is no vector.")
    if isinstance(value[0], list):
        if len(value) > 1:
            raise BadReply(
                "the reply has a vector for each token of a text.",
                remedy="Start the server with a pooling, such as mean, so that a text has one vector.",
            )
        return _row(value[0])
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and is refused as such
        try:
            return np.array(value, np.float32)
        except (TypeError, ValueError):
            return np.array([np.nan if one is None else float(one) for one in value], np.float32)


def by_index(values: Sequence[Any], indexes: Sequence[object], count: int) -> Sequence[Any]:
    """`values` in the order of their indexes, which count from 0 or from 1; None where one of `count` is missing.

    Where it cannot be told which one is missing they are returned as they are, fewer than `count`. Raises BadReply for
    indexes that are none.
    """
    if len(values) > count or all(index is None for index in indexes):
        return values
    numbers = [_number(index) for index in indexes]
    places = [n for n in numbers if n is not None and 0 <= n <= count]
    if len(places) < len(values) or len(set(places)) < len(places):
        raise BadReply(
            f"the reply's indexes are not 0 to {count - 1}, each once.",
            remedy=remedy.setting("batch_size", "1", say="With {} a vector belongs to its text whatever they say."),
        )
    first = 1 if count in places else 0
    if 0 in places and first:
        raise BadReply(f"the reply's indexes go from 0 to {count} for {count} texts.")
    if len(values) < count and not first and not {0, count - 1} <= set(places):
        return values  # counted from 0 or from 1, or anew: nobody knows which ones are missing
    found: list[Any] = [None] * count
    for place, value in zip(places, values, strict=True):
        found[place - first] = value
    return found


def _number(index: object) -> int | None:
    """An index, which may be written as a string."""
    if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 10:
        return int(index)
    return index if isinstance(index, int) and not isinstance(index, bool) else None
