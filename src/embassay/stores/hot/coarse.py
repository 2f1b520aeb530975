"""The coarse vectors of a part, kept in a file beside it: who searches first makes them, and who comes later maps them.

A part never changes, and so they do not either. They go with their part; what is written behind it, in the log, is so
little that it is reduced in each search. A file that is missing, damaged or of other rows is made anew, and one that
cannot be written is done without.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.errors import HomeNotWritable
from embassay.stores.dtypes import BLOCK
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.kernel import products
from embassay.stores.hot.sections import Sections, SectionWriter
from embassay.stores.hot.vectors import largest

if TYPE_CHECKING:
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.hot.recent import Mask
    from embassay.stores.hot.vectors import VectorPart
    from embassay.types import Vectors

    Ints = np.ndarray[Any, np.dtype[np.int64]]

KIND = "coarse"
ARRAY = "vectors"


class CoarsePart:
    """What the vectors of one part are reduced to. Threads may share it."""

    def __init__(self, folder: Path, name: str, whole: VectorPart) -> None:
        """`name` is that of the files of `whole`."""
        self._folder, self._name, self._whole = folder, name, whole
        self._lock = threading.Lock()
        self._made: dict[str, Vectors] = {}

    def search(self, form: CoarseForm, query: Vectors, k: int, mask: Mask | None = None) -> tuple[Ints, Vectors]:
        """The k rows whose coarse vectors have the greatest product with that of a query, of those that `mask` (rows,)
        lets pass, and the products. Best first, and equal ones by their number. Raises HotIndexDamaged."""
        scores = products(self.vectors(form), np.ascontiguousarray(query, np.float32))
        passing = len(scores) if mask is None else int(np.count_nonzero(mask))
        if mask is not None:
            scores[~mask] = -np.inf
        k = min(k, passing)
        best = largest(scores, k) if k > 0 else np.empty(0, np.int64)
        best = best[np.lexsort((best, -scores[best]))]
        return best, scores[best]

    def vectors(self, form: CoarseForm) -> Vectors:
        """float32 (rows, dimensions): those of all rows, in their order. Raises HotIndexDamaged where the rows cannot
        be read."""
        with self._lock:
            if form.name not in self._made:
                self._made[form.name] = self._opened(form)
            return self._made[form.name]

    def _opened(self, form: CoarseForm) -> Vectors:
        digest = self._whole.digest
        if digest is None:
            return self._computed(form)
        file = self._file(form)
        with suppress(HotIndexDamaged):
            return self._read(file, self._facts(form, digest))
        self._write(file, form, digest)
        with suppress(HotIndexDamaged):
            return self._read(file, self._facts(form, digest))
        return self._computed(form)

    def _computed(self, form: CoarseForm) -> Vectors:
        return np.concatenate([np.zeros((0, form.space.dimensions), np.float32), *self._blocks(form)])

    def _read(self, file: str, facts: dict[str, Any]) -> Vectors:
        """Raises HotIndexDamaged where the file is not there, or another one."""
        sections = Sections(self._folder, file, KIND)
        if sections.facts != facts:
            raise sections.damaged("it is of other rows, or of other coarse vectors")
        numbers = sections.array(ARRAY)
        if numbers.dtype != np.float32 or len(numbers) != facts["rows"] * facts["dimensions"]:
            raise sections.damaged("it has not as many numbers as it says")
        return numbers.reshape(facts["rows"], facts["dimensions"])

    def _write(self, file: str, form: CoarseForm, digest: int) -> None:
        """Under a name of this thread first: others may be at the same. What is left of an earlier form of as many
        dimensions goes: it was fitted to fewer rows, and is asked for no more."""
        own = f"{file}.{os.getpid()}-{threading.get_ident()}"
        with suppress(HomeNotWritable, OSError):
            with SectionWriter(self._folder, own, KIND) as out:
                out.facts |= self._facts(form, digest)
                append = out.stream(ARRAY, "<f4", checked=True)
                for block in self._blocks(form):
                    append(block.tobytes())
            for other in self._folder.glob(f"{self._name}.{form.space.dimensions}-*.{KIND}"):
                if other.name != file:
                    other.unlink(missing_ok=True)
            (self._folder / own).replace(self._folder / file)

    def _facts(self, form: CoarseForm, digest: int) -> dict[str, Any]:
        dimensions = form.space.dimensions
        return {"kind": KIND, "form": form.name, "of": digest, "rows": self._whole.rows, "dimensions": dimensions}

    def _file(self, form: CoarseForm) -> str:
        digest = hashlib.sha256(form.name.encode()).hexdigest()[:16]
        return f"{self._name}.{form.space.dimensions}-{digest}.{KIND}"

    def _blocks(self, form: CoarseForm) -> Iterator[Vectors]:
        for start in range(0, self._whole.rows, BLOCK):
            rows = self._whole.read(np.arange(start, min(start + BLOCK, self._whole.rows)))
            yield np.ascontiguousarray(form.apply(rows), "<f4")
