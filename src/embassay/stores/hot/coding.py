"""Writes the vectors of a part: first where the exact rows lie, then their codes.

The rows come once, in blocks, and are not held: what has to be looked at again is read from where it was found, or put.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from embassay.errors import StoreError
from embassay.stores.dtypes import BLOCK, BYTES, packed, unpacked
from embassay.stores.hot.coder import Coder, outside
from embassay.stores.hot.errors import writing
from embassay.stores.hot.places import Finder, Places, write_places
from embassay.stores.hot.sections import SectionWriter

if TYPE_CHECKING:
    from embassay.stores.values import VectorSpec
    from embassay.types import Vectors

VECTORS = "vectors"
"""What kind of file it is that holds the codes."""
SMALL = 4096
"""Rows: so many are scanned as they are, and need no codes."""
ONE_STEP = 64 << 20
"""Bytes: codes up to this size are scanned whole. A processor's cache holds about that much."""
SAMPLE = 8192
"""Rows, and four for each dimension: of so many the variances are sought."""


def write_part(
    folder: Path, name: str, blocks: Iterable[Vectors], spec: VectorSpec, files: Sequence[Path] = ()
) -> None:
    """Write the vectors of a part, see `embassay.stores.hot.vectors.VectorPart.write`."""
    with writing(folder / name):
        folder.mkdir(parents=True, exist_ok=True)
    _place(folder, name, blocks, spec, files)
    places = Places(folder, name, spec)
    with SectionWriter(folder, f"{name}.vectors", VECTORS) as out:
        out.facts |= {"rows": places.rows, "dimensions": spec.dimensions, "dtype": spec.dtype, "levels": []}
        if places.rows > SMALL:
            _write_codes(out, places, spec)


def repoint(folder: Path, name: str, places: Places, spec: VectorSpec, files: Sequence[Path]) -> bool:
    """Look for the rows of a part in other files, see `embassay.stores.hot.vectors.VectorPart.repoint`."""
    finder = Finder(files, spec.dimensions * BYTES[spec.dtype])
    for start in range(0, places.rows, BLOCK):
        kept = places.read(np.arange(start, min(start + BLOCK, places.rows)))
        if any(True for _ in finder.add(kept.view(np.uint8).reshape(len(kept), -1))):
            return False
    write_places(folder, name, finder, 0)
    with writing(folder / name):
        (folder / f"{name}.exact").unlink(missing_ok=True)
    return True


def _place(folder: Path, name: str, blocks: Iterable[Vectors], spec: VectorSpec, files: Sequence[Path]) -> None:
    """Find every row in `files`, or keep it in a file of our own."""
    finder = Finder(files, spec.dimensions * BYTES[spec.dtype])
    own, size = folder / f"{name}.exact", 0
    with writing(own), own.open("wb") as out:
        for block in blocks:
            if not np.isfinite(block).all():
                raise StoreError(f"{len(block):,} vectors hold numbers that are not finite, and cannot be searched.")
            rows = packed(block, spec.dtype).view(np.uint8).reshape(len(block), -1)
            for kept in finder.add(rows):
                size += out.write(np.ascontiguousarray(kept).tobytes())
        out.flush()
        os.fsync(out.fileno())
    if not size:
        with writing(own):
            own.unlink()
    write_places(folder, name, finder, size)


def _write_codes(out: SectionWriter, places: Places, spec: VectorSpec) -> None:
    rows = places.rows
    chosen = np.unique(np.linspace(0, rows - 1, SAMPLE + 4 * spec.dimensions).astype(np.int64))
    coder = Coder.fitted(unpacked(places.read(chosen), spec.dtype), one_step=ONE_STEP // rows)
    squares, scales = np.zeros((1 + len(coder.levels), rows)), np.empty((len(coder.levels), rows), np.float32)
    out.facts |= {"errors": [], "lengths": [], "levels": [level.axes.shape[1] for level in coder.levels]}
    for at, level in enumerate(coder.levels):
        append = out.stream(f"codes{at}", "|i1", checked=True)
        error = length = 0.0
        for mine, block in _blocks(places, spec):
            centred = block - coder.mean
            coded = level.coded(centred)
            append(coded.codes.tobytes())
            scales[at, mine], squares[1 + at, mine] = coded.scales, coded.squares
            error, length = max(error, coded.error), max(length, coded.length)
            if at == 0:
                squares[0, mine] = np.einsum("ij,ij->i", centred, centred, dtype=np.float64)
        out.facts["errors"].append(error)
        out.facts["lengths"].append(length)
    out.facts["length"] = float(np.sqrt(squares[0].max()) + np.linalg.norm(coder.mean))
    out.add("scales", scales.reshape(-1))
    out.add("left", outside(squares[0], squares[1:]))
    out.add("mean", coder.mean)
    for at, level in enumerate(coder.levels):
        out.add(f"axes{at}", level.axes.reshape(-1))


def _blocks(places: Places, spec: VectorSpec) -> Iterator[tuple[slice, Vectors]]:
    """All rows as float32, with the numbers they have."""
    for start in range(0, places.rows, BLOCK):
        mine = slice(start, min(start + BLOCK, places.rows))
        yield mine, unpacked(places.read(np.arange(mine.start, mine.stop)), spec.dtype)
