"""NumPy: a matrix in ``.npy``, beside JSON lines that say what its rows are. Pickles are never loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.columns.base import BLOCK, ColumnTable, ColumnWriter, RowBlock
from embassay.columns.writing import translated
from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.rows import rows_of

if TYPE_CHECKING:
    from embassay.types import Vectors

MATRIX, LINES = "vectors.npy", "chunks.jsonl"
PLANE = 2
"""Dimensions of an array that is a matrix."""
DOCUMENTS = "documents.jsonl"


def holds(place: Path) -> bool:
    """Whether it is a folder with a matrix and lines of JSON, or such a matrix."""
    return _parts(place) is not None


class NumpyTable(ColumnTable):
    """A matrix, which is mapped into memory, and the file of its rows."""

    def __init__(self, place: Path) -> None:
        import numpy as np

        parts = _parts(place)
        if parts is None:
            raise ReadError(
                f"{place}: expected one .npy file and, beside it, one .jsonl file that says what its rows are"
            )
        matrix, self._lines = parts
        try:
            self._matrix = np.load(matrix, mmap_mode="r", allow_pickle=False)
        except (ValueError, OSError, EOFError) as error:
            raise ReadError(f"{matrix} is no array that can be read: {error}") from error
        if self._matrix.ndim != PLANE or self._matrix.dtype.kind not in "fiu":
            raise ReadError(f"{matrix} holds no matrix of numbers: {self._matrix.dtype} {self._matrix.shape}")
        self.rows: int | None = len(self._matrix)
        self.vectors: Mapping[str, int] = {matrix.stem: int(self._matrix.shape[1])}
        self.fields: Sequence[str] = list(next(self._records(), {}))

    def _records(self) -> Iterator[Mapping[str, object]]:
        for row in rows_of(SourceFile(self._lines, self._lines.name), "jsonl"):
            if isinstance(row, ReadError):
                raise ReadError(f"{self._lines}: {row.message}")
            yield row.fields

    def blocks(self, fields: Sequence[str], vector: str) -> Iterator[RowBlock]:
        import numpy as np

        del vector  # there is one alone
        records = self._records()
        for first in range(0, len(self._matrix), BLOCK):
            vectors = np.array(self._matrix[first : first + BLOCK], np.float32)
            some = list(islice(records, len(vectors)))
            if len(some) < len(vectors):
                raise self._uneven(f"{first + len(some):,}")
            yield RowBlock(first, vectors, {name: [row.get(name) for row in some] for name in fields})
        if next(records, None) is not None:
            raise self._uneven(f"more than {len(self._matrix):,}")

    def _uneven(self, lines: str) -> ReadError:
        return ReadError(f"{self._lines} has {lines} lines, and the matrix beside it {len(self._matrix):,} rows")

    def __enter__(self) -> NumpyTable:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del self._matrix  # the system unmaps it


def open_table(place: Path) -> NumpyTable:
    """The matrix of a folder, or at `place`, with the lines beside it."""
    return NumpyTable(place)


class NumpyWriter(ColumnWriter):
    """Rows are appended, and the head of the matrix, which has room, is written last, when their number is known."""

    def __init__(self, folder: Path, dimensions: int) -> None:
        self._folder, self._dimensions, self._rows = folder, dimensions, 0
        with translated(folder):
            self._matrix = (folder / MATRIX).open("xb")
            self._lines = (folder / LINES).open("x", encoding="utf-8", newline="\n")
        self._write_head()

    def write(self, fields: Mapping[str, Sequence[object]], vectors: Vectors) -> None:
        import numpy as np

        names = list(fields)
        with translated(self._folder):
            self._matrix.write(np.ascontiguousarray(vectors, "<f4").tobytes())
            for values in zip(*fields.values(), strict=True):
                self._lines.write(jsontext.dumps(dict(zip(names, values, strict=True))) + "\n")
        self._rows += len(vectors)

    def finish(self, manifest: Mapping[str, object]) -> None:
        del manifest  # a matrix has no place for it
        with translated(self._folder):
            self._matrix.flush()
            self._write_head()
            for stream in (self._matrix, self._lines):
                stream.flush()
                os.fsync(stream.fileno())

    def _write_head(self) -> None:
        """NumPy pads the head so that the number of rows can grow to 21 digits without moving what stands behind."""
        from numpy.lib import format as npy

        with translated(self._folder):
            self._matrix.seek(0)
            shape = (self._rows, self._dimensions)
            npy.write_array_header_1_0(self._matrix, {"descr": "<f4", "fortran_order": False, "shape": shape})

    def __enter__(self) -> NumpyWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with translated(self._folder):
            self._matrix.close()
            self._lines.close()


def create(folder: Path, fields: Mapping[str, type], dimensions: int) -> NumpyWriter:
    """A new matrix in `folder`, with its lines."""
    del fields  # each line says them
    return NumpyWriter(folder, dimensions)


def _parts(place: Path) -> tuple[Path, Path] | None:
    """The matrix and the lines that are meant, where there is exactly one of each."""
    folder = place if place.is_dir() else place.parent
    matrices = [*folder.glob("*.npy")] if place.is_dir() else [place] * (place.suffix == ".npy")
    lines = [file for file in folder.glob("*.jsonl") if file.name != DOCUMENTS]
    named = [file for file in lines if matrices and file.stem in (matrices[0].stem, "chunks")]
    lines = lines if len(lines) == 1 else named
    return (matrices[0], lines[0]) if len(matrices) == 1 and len(lines) == 1 else None
