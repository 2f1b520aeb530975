"""The log of a hot index: the latest small writes, each of them whole or not there at all.

A write of a few rows is appended here, which takes far less than to write a part. What a process that was killed left
half written ends the log: it does not have the checksum that stands before it.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay import jsontext
from embassay.metadata import kept
from embassay.stores.hot.errors import writing
from embassay.text import encodable
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors

_HEAD = struct.Struct("<IIII")
"""Bytes of the text and of the vectors of an entry, and a checksum of each."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One write: what it removed, and the rows that it put in."""

    version: int
    """Of the store behind the write."""
    removed: Sequence[str] = ()
    """Keys of rows that lie in the log before it."""
    gone: Mapping[str, Sequence[int]] | None = None
    """Rows of parts that were removed, by the name of the part."""
    chunks: Sequence[Chunk] = ()
    terms: Sequence[Sequence[str]] = ()
    """Of each chunk, as the collection's analyser makes them."""
    vectors: Mapping[str, Vectors] | None = None
    """By label: float32 (chunks, dimensions), as they are read from the store."""


def append(file: Path, entry: LogEntry) -> None:
    """Write an entry behind those that are there. Raises HomeNotWritable."""
    vectors = entry.vectors or {}
    text = jsontext.dumps(
        {
            "version": entry.version,
            "removed": [encodable(key) for key in entry.removed],
            "gone": {name: list(map(int, rows)) for name, rows in (entry.gone or {}).items()},
            "chunks": [_fields(chunk) for chunk in entry.chunks],
            "terms": [" ".join(terms) for terms in entry.terms],
            "widths": {label: rows.shape[1] for label, rows in vectors.items()},
        },
        ascii_only=True,
    ).encode()
    data = b"".join(map(_bytes, vectors.values()))
    with writing(file), file.open("ab") as out:
        out.write(_HEAD.pack(len(text), len(data), zlib.crc32(text), zlib.crc32(data)) + text + data)


def read(file: Path, at: int) -> tuple[list[LogEntry], int]:
    """The entries of a log from a place on, and the place behind the last one that is whole."""
    entries: list[LogEntry] = []
    try:
        with file.open("rb") as opened:
            opened.seek(at)
            content = opened.read()
    except OSError:
        return [], at
    start = 0
    while entry := _entry(content, start):
        entries.append(entry[0])
        start = entry[1]
    return entries, at + start


def _entry(content: bytes, start: int) -> tuple[LogEntry, int] | None:
    if len(content) < start + _HEAD.size:
        return None
    texts, numbers, of_text, of_data = _HEAD.unpack_from(content, start)
    start += _HEAD.size
    text, data = content[start : start + texts], content[start + texts : start + texts + numbers]
    if len(data) < numbers or zlib.crc32(text) != of_text or zlib.crc32(data) != of_data:
        return None
    said = jsontext.loads(text)
    rows = len(said["chunks"])
    return (
        LogEntry(
            said["version"],
            said["removed"],
            said["gone"],
            [_chunk(fields) for fields in said["chunks"]],
            [terms.split(" ") if terms else [] for terms in said["terms"]],
            _vectors(data, said["widths"], rows),
        ),
        start + texts + numbers,
    )


def _fields(chunk: Chunk) -> list[object]:
    """The fields of a chunk as any store gives them back."""
    texts = map(encodable, (chunk.key, chunk.document, chunk.path, chunk.section, chunk.indexed))
    numbers = chunk.body_at, *chunk.lines, *chunk.span, chunk.tokens
    return [*texts, *numbers, chunk.truncated, kept(chunk.metadata).metadata]


def _chunk(fields: Sequence[Any]) -> Chunk:
    key, document, path, section, indexed, body_at, first, last, start, end, tokens, truncated, metadata = fields
    return Chunk(
        key, document, path, section, indexed, body_at, (first, last), (start, end), tokens, truncated, metadata
    )


def _bytes(vectors: Vectors) -> bytes:
    import numpy as np

    return np.ascontiguousarray(vectors, "<f4").tobytes()


def _vectors(data: bytes, widths: Mapping[str, int], rows: int) -> dict[str, Vectors]:
    """The vectors of each label, which lie one behind another; `widths` are their dimensions."""
    import numpy as np

    numbers, at, found = np.frombuffer(data, "<f4"), 0, {}
    for label, width in widths.items():
        found[label] = numbers[at : at + rows * width].reshape(rows, width)
        at += rows * width
    return found
