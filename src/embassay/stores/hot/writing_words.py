"""Writes the inverted index of one part."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embassay.stores.hot.postings import MOST_ROWS, encode
from embassay.stores.hot.sections import Array, SectionWriter

KIND = "words"


@dataclass(frozen=True, slots=True)
class TermRows:
    """Some terms with their rows."""

    terms: Sequence[bytes]
    """In UTF-8, in the order of `in_order`."""
    counts: Array
    """Of each: how many rows have it."""
    rows: Array
    """Those of the first, ascending, then those of the second, and so on."""
    frequencies: Array
    """How often the term stands in each of these."""


def hashed(term: bytes) -> int:
    """By which a term is found."""
    return zlib.crc32(term)


def in_order(terms: Sequence[bytes]) -> Array:
    """The positions of terms in the order in which a part keeps them."""
    return np.argsort(np.array([hashed(term) for term in terms], np.uint32), kind="stable")


def write_words(folder: Path, name: str, lengths: Array, postings: Iterable[TermRows]) -> None:
    """Write a part. `lengths` has the number of terms of each row; `postings` has all terms, some at a time.

    Raises HomeNotWritable.
    """
    if len(lengths) > MOST_ROWS:
        raise ValueError(f"a part has {MOST_ROWS:,} rows at most, not {len(lengths):,}")
    narrow, wide, starts, counts = list[Array](), list[Array](), list[Array](), list[Array]()
    terms: list[bytes] = []
    behind = np.zeros(2, np.int64)
    for found in postings:
        if not found.terms:
            continue
        terms += found.terms
        encoded = encode(found.counts, found.rows, found.frequencies)
        starts.append(encoded.starts + 2 * behind[encoded.starts & 1])
        counts.append(found.counts)
        narrow.append(encoded.narrow)
        wide.append(encoded.wide)
        behind += (len(encoded.narrow), len(encoded.wide))
    with SectionWriter(folder, f"{name}.{KIND}", KIND) as out:
        out.facts |= {"rows": len(lengths), "total_terms": int(lengths.sum(dtype=np.int64))}
        out.add_numbers("lengths", lengths)
        out.add("hashes", np.array([hashed(term) for term in terms], np.uint32))
        out.add("starts", _joined(starts, np.uint64 if behind.max() >> 31 else np.uint32))
        out.add("counts", _joined(counts, np.uint32))
        out.add("ends", np.cumsum([len(term) for term in terms], dtype=np.uint32))
        out.add("letters", np.frombuffer(b"".join(terms), np.uint8))
        out.add("narrow", _joined(narrow, np.uint16))
        out.add("wide", _joined(wide, np.uint32))


def _joined(arrays: Sequence[Array], dtype: type) -> Array:
    return np.concatenate([np.zeros(0, dtype), *(array.astype(dtype, copy=False) for array in arrays)])
