"""JSON lines: one document a line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from embassay import jsontext
from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._records import document

SUFFIXES = frozenset({".jsonl", ".ndjson"})
BOUNDED = True
STREAMS = True


MAX_LINE = 16_000_000
"""Bytes; as Python has it, JSON takes up to thirty times its size."""


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    with source.open() as stream:
        for number, line in enumerate(_lines(stream), 1):
            if not line.strip():
                continue
            if len(line) > MAX_LINE:
                yield ReadError(f"line {number} is longer than {MAX_LINE:,} bytes")
                continue
            try:
                record = jsontext.loads(line)
            except (ValueError, RecursionError) as error:
                yield ReadError(f"line {number} is not JSON: {error}")
                continue
            if isinstance(record, dict):
                yield document(source, record, number)
            else:
                yield ReadError(f"line {number}: expected an object, found {type(record).__name__}")


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; of one above `MAX_LINE` only a head that shows that it is, with the rest passed over."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE + 1)
            if len(line) <= MAX_LINE:
                break
