"""Where the exact rows of a part lie: in immutable files that somebody else has written, and else in one of our own.

A store that keeps vectors as plain numbers, one row behind another, holds them already: a second copy would double what
a set takes on disk. Whatever the format of such a file is, a row is looked for by its bytes, and every row is compared
byte by byte before its place is believed.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.sections import Sections, SectionWriter

if TYPE_CHECKING:
    from embassay.stores.values import VectorSpec

    Rows = np.ndarray[Any, np.dtype[Any]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

PLACES = "places"
"""What kind of file it is that says where the rows are."""
WORD = np.dtype("<u8")
"""Rows are looked for at multiples of its size: what writes columns of vectors aligns them."""
WINDOW = 1 << 20
"""Words that are looked through at a time."""
NEAR = 1 << 15
"""Words: how far behind a row the next one is looked for first. A deleted row leaves a gap."""
ALIKE = 64
"""Places whose first word is the right one and whose row is not: after so many in one window it is given up."""
HELD = 128 << 20
AROUND = 64 << 10
"""Bytes: the system maps so many around each that is read."""
PATIENCE = 8
"""Rows one behind another that are in no file: after so many the others are not looked for any more."""
OWN = -1
"""In the place of the number of a file: the one that is ours."""


class MappedFile:
    """The bytes of a file, mapped for reading. Raises HotIndexDamaged.

    What was read counts as memory of this process, though the system can take it back at any time: from `HELD` bytes on
    it is given back.
    """

    def __init__(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                self._map = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise HotIndexDamaged(file, f"it cannot be read ({error})") from error
        self.bytes: Rows = np.frombuffer(self._map, np.uint8)
        self._read = 0

    def has_read(self, size: int) -> None:
        """Count so many bytes that were read at one place."""
        self._read += max(size, AROUND)
        if self._read > HELD and len(self.bytes) > HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows that lie one behind another. They reach to the start of the next run."""

    start: int
    """Number of the first row."""
    file: int
    """Which of the files; `OWN` for the one that is ours."""
    offset: int
    """Bytes."""


@dataclass(slots=True)
class Finder:
    """Finds rows, which are handed over in their order, in `files`, which are looked through in theirs."""

    files: Sequence[Path]
    row_bytes: int
    runs: list[Stretch] = field(default_factory=list)
    rows: int = 0
    _maps: dict[int, MappedFile] = field(default_factory=dict)
    _file: int = 0
    _next: int = 0
    """Where in `_file` the row would lie that comes next."""
    _own: int = 0
    """Rows that were not found."""
    _lost: int = 0
    """How many of them came last."""

    def add(self, block: Rows) -> Iterator[Rows]:
        """Take rows of bytes (n, row_bytes); those that are in no file are given back, in their order."""
        at = 0
        while at < len(block):
            if self.row_bytes % WORD.itemsize or not self.files or self._lost >= PATIENCE:
                self._keep(len(block) - at)
                yield block[at:]
                return
            taken = self._follow(block[at:])
            if not taken and not self._find(block[at]):
                self._keep(1)
                yield block[at : at + 1]
                taken = 1
            at += taken

    def _follow(self, block: Rows) -> int:
        """How many of the rows go on where the last one ended."""
        data = self._map(self._file)
        count = min(len(block), (len(data) - self._next) // self.row_bytes)
        end = self._next + count * self.row_bytes
        same = (data[self._next : end].reshape(count, self.row_bytes) == block[:count]).all(axis=1)
        count = count if same.all() else int(np.argmin(same))
        if count:
            if not self.runs or self.runs[-1].file == OWN:
                self.runs.append(Stretch(self.rows, self._file, self._next))
            self._next += count * self.row_bytes
            self.rows += count
            self._lost = 0
            self._maps[self._file].has_read(count * self.row_bytes)
        return count

    def _find(self, row: Rows) -> bool:
        """Begin a run at `row`. A row of one word that repeats could be anywhere, and is not looked for."""
        words = row.view(WORD)
        anchor = int(np.argmax(words != words[0]))
        if not anchor:
            return False
        near = self._next // WORD.itemsize
        if self._found_in(self._file, words, anchor, near, near + NEAR):
            return True
        count = len(self.files)
        return any(self._found_in((self._file + more) % count, words, anchor) for more in range(1, count + 1))

    def _found_in(self, file: int, row: Rows, anchor: int, start: int = 0, end: int | None = None) -> bool:
        data = self._map(file)
        words = data[: len(data) // WORD.itemsize * WORD.itemsize].view(WORD)
        last = len(words) - len(row) + 1
        end = last if end is None else min(last, end)
        for at in range(start, end, WINDOW):
            window = words[at + anchor : min(at + WINDOW, end) + anchor]
            for found in np.flatnonzero(window == row[anchor])[:ALIKE]:
                place = at + int(found)
                if (words[place : place + len(row)] == row).all():
                    self._file, self._next = file, place * WORD.itemsize
                    self.runs.append(Stretch(self.rows, file, self._next))
                    return True
        return False

    def _keep(self, count: int) -> None:
        if not self.runs or self.runs[-1].file != OWN:
            self.runs.append(Stretch(self.rows, OWN, self._own * self.row_bytes))
        self._own += count
        self.rows += count
        self._lost += count

    def _map(self, file: int) -> Rows:
        if file not in self._maps:
            self._maps[file] = MappedFile(self.files[file])
        return self._maps[file].bytes


class Places:
    """The rows of a part, wherever they lie. Threads may share it."""

    def __init__(self, folder: Path, name: str, spec: VectorSpec) -> None:
        self._dtype, self._dimensions = np.dtype(spec.dtype), spec.dimensions
        sections = Sections(folder, f"{name}.places", PLACES)
        facts = sections.facts
        try:
            said = {at: (folder / file["path"], file["bytes"]) for at, file in enumerate(facts["files"])}
            if facts["own_bytes"]:
                said[OWN] = folder / f"{name}.exact", facts["own_bytes"]
            self._files = {at: self._opened(*file) for at, file in said.items()}
            self.rows = int(facts["rows"])
            self.own_bytes = int(facts["own_bytes"])
            """Of rows that lie in the file that is ours."""
            self.others = frozenset(folder / said["path"] for said in facts["files"])
            """The files of somebody else."""
        except (KeyError, TypeError) as error:
            raise sections.damaged("it does not say where the rows are") from error
        self._starts, self._runs = sections.array("starts"), sections.array("runs").reshape(-1, 2)
        self._check(sections)

    def read(self, rows: Ints) -> Rows:
        """Rows (n, dimensions) as they are kept. They are copied unless they stand together."""
        runs = np.searchsorted(self._starts, rows, side="right") - 1
        files = self._runs[runs, 0]
        at = self._runs[runs, 1] // self._dtype.itemsize + (rows - self._starts[runs]) * self._dimensions
        found = np.empty((len(rows), self._dimensions), self._dtype)
        for file in np.unique(files):
            mapped, every = self._files[int(file)]
            mine = files == file
            if not mine.all():
                found[mine] = every[at[mine]]
                mapped.has_read(AROUND * int(np.count_nonzero(mine)))
            elif (np.diff(at) == self._dimensions).all():
                found = every[int(at[0]) : int(at[-1]) + 1 : self._dimensions]
                mapped.has_read(found.nbytes)
            else:
                found = every[at]
                mapped.has_read(AROUND * len(rows))
        return found

    def close(self) -> None:
        """Give back the files, as soon as nobody holds rows of them."""
        self._files = {}

    def _opened(self, file: Path, size: int) -> tuple[MappedFile, Rows]:
        """A file, which has to have this many bytes, and every row that could begin at one of its numbers."""
        mapped = MappedFile(file)
        if len(mapped.bytes) != size:
            raise HotIndexDamaged(file, f"it has {len(mapped.bytes):,} bytes, and {size:,} were expected")
        numbers = mapped.bytes[: size // self._dtype.itemsize * self._dtype.itemsize].view(self._dtype)
        return mapped, np.lib.stride_tricks.sliding_window_view(numbers, self._dimensions)

    def _check(self, sections: Sections) -> None:
        """Raises HotIndexDamaged unless every run lies within its file."""
        lengths = np.diff(self._starts, append=self.rows)
        sound = len(self._starts) == len(self._runs) and bool((lengths > 0).all()) and self._starts[:1] == [0]
        if sound:
            files, offsets = self._runs.T
            held = np.array(
                [len(self._files[at][1]) if at in self._files else 0 for at in range(OWN, len(self._files))]
            )
            last = offsets // self._dtype.itemsize + (lengths - 1) * self._dimensions
            sound = bool(((files >= OWN) & (files < len(self._files)) & (offsets >= 0)).all())
            sound = sound and bool((last < held[files - OWN]).all())
        if not sound:
            raise sections.damaged("it says that rows lie where none can be")


def write_places(folder: Path, name: str, finder: Finder, own_bytes: int) -> None:
    """Keep what `finder` has found, for `Places`. Of the files only their paths from `folder` are kept.

    Raises HomeNotWritable.
    """
    used = sorted({run.file for run in finder.runs if run.file != OWN})
    numbers = {file: at for at, file in enumerate(used)} | {OWN: OWN}
    with SectionWriter(folder, f"{name}.places", PLACES) as out:
        out.facts["rows"], out.facts["own_bytes"] = finder.rows, own_bytes
        out.facts["files"] = [
            {"path": os.path.relpath(finder.files[file], folder), "bytes": finder.files[file].stat().st_size}
            for file in used
        ]
        out.add("starts", np.array([run.start for run in finder.runs], np.int64))
        out.add("runs", np.array([(numbers[run.file], run.offset) for run in finder.runs], np.int64).reshape(-1))
