"""Parquet: a document for each row. Lists of numbers are metadata; those as long as vectors are left out, and told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date, time, timedelta
from decimal import Decimal

from embassay.ingest.base import Document, RawRecord, ReadError, SourceFile
from embassay.ingest.readers._records import document

SUFFIXES = frozenset({".parquet"})
STREAMS = True
BATCH = 512
"""Rows that are held in memory at once, besides what the file keeps together."""


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    for row in rows(source):
        yield document(source, row.fields, row.line, number=row.line)


def rows(source: SourceFile) -> Iterator[RawRecord]:
    """The rows, by their number. Bytes are left out, times are written as ISO 8601 has them."""
    os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")  # its own reserves more addresses than a reader may
    import pyarrow as arrow
    from pyarrow.parquet import ParquetFile

    try:
        with source.open() as stream, ParquetFile(stream) as file:
            number = 0
            for batch in file.iter_batches(batch_size=BATCH, use_threads=False):
                for fields in batch.to_pylist():
                    number += 1
                    yield RawRecord(number, {name: _plain(value) for name, value in fields.items() if _is_kept(value)})
    except (arrow.ArrowException, OSError) as error:
        if getattr(error, "errno", None) is not None:  # of the disk; Arrow's own have no number
            raise
        raise ReadError(f"no Parquet that can be read: {str(error).splitlines()[0][:200]}") from error


def _plain(value: object) -> object:
    """A value as JSON could hold it."""
    match value:
        case dict():
            return {str(name): _plain(one) for name, one in value.items() if _is_kept(one)}
        case list():
            return value if _is_vector(value) else [_plain(one) for one in value if _is_kept(one)]
        case date() | time():
            return value.isoformat()
        case Decimal():
            return int(value) if value == value.to_integral_value() else float(value)
        case timedelta():
            return value.total_seconds()
    return value


def _is_kept(value: object) -> bool:
    return not isinstance(value, bytes)


def _is_vector(value: object) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], float)
