"""Where the exact rows of a part lie: in immutable files that somebody else has written, and else in one of our own.

A store that keeps vectors as plain numbers, one row behind another, holds them already: a second copy would double what
a set takes on disk. Whatever the format of such a file is, a row is looked for by its bytes, and every row is compared
byte by byte before its place is believed.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import weakref
from collections.abc import Iterator, Mapping, Sequence
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
HELD = 256 << 20
"""Bytes of files that stay mapped. A system maps up to two megabytes around each row that is read, so that a few
hundred searches make whole files part of the memory of this process: rows of larger ones are read one by one."""
PATIENCE = 8
"""Rows one behind another that are in no file: after so many the others are not looked for any more."""
OWN = -1
"""In the place of the number of a file: the one that is ours."""


class MappedFile:
    """The bytes of a file, mapped for reading. Raises HotIndexDamaged."""

    def __init__(self, file: Path) -> None:
        try:
            with file.open("rb") as opened:
                self._map = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise HotIndexDamaged(file, f"it cannot be read ({error})") from error
        self.bytes: Rows = np.frombuffer(self._map, np.uint8)
        self._read = 0

    def has_read(self, size: int) -> None:
        """Count so many bytes that were read and will not be read again; from `HELD` on the memory is given back."""
        self._read += size
        if self._read > HELD and hasattr(mmap, "MADV_DONTNEED"):
            self._read = 0
            self._map.madvise(mmap.MADV_DONTNEED)


class MappedRows:
    """Rows of `size` numbers in files that are mapped: they begin at any number. Raises HotIndexDamaged."""

    def __init__(self, files: Mapping[int, Path], dtype: np.dtype[Any], size: int) -> None:
        self._files: dict[int, Rows] = {
            at: _rows_at_any(MappedFile(file).bytes, dtype, size) for at, file in files.items()
        }
        bases = {at: rows.ctypes.data for at, rows in self._files.items()}
        ends = [base + (len(self._files[at]) + size - 1) * dtype.itemsize for at, base in bases.items()]
        lowest = min(bases.values(), default=0)
        self._all = np.empty((0, size), dtype)
        if bases:  # a table may have many files: all that lies between the first and the last of them is one array, of
            # which only rows of these files are read
            between = (ctypes.c_char * (max(ends) - lowest)).from_address(lowest)
            self._all = _rows_at_any(np.frombuffer(memoryview(between), np.uint8), dtype, size)
        self._bases = np.array([(bases.get(at, lowest) - lowest) // dtype.itemsize for at in _numbers(files)], np.int64)

    def between(self, file: int, start: int, end: int) -> Rows:
        """The numbers of a file from `start` up to `end`, one row behind another, without a copy."""
        return self._files[file][start : end : self._all.shape[1]]

    def at(self, files: Ints, starts: Ints) -> Rows:
        """The rows (n, size) that begin at these numbers of these files."""
        found: Rows = self._all[self._bases[files - OWN] + starts]
        return found


class ReadRows:
    """The same of files that are read, and no part of the memory of this process. Raises HotIndexDamaged."""

    def __init__(self, files: Mapping[int, Path], dtype: np.dtype[Any], size: int) -> None:
        self._files, self._dtype, self._size = files, dtype, size
        self._opened: dict[int, int] = {}
        try:
            for at, file in files.items():
                self._opened[at] = os.open(file, os.O_RDONLY)
                weakref.finalize(self, os.close, self._opened[at])  # other threads may be reading until then
        except OSError as error:
            raise HotIndexDamaged(file, f"it cannot be read ({error})") from error

    def between(self, file: int, start: int, end: int) -> Rows:
        """The numbers of a file from `start` up to `end`, one row behind another."""
        found = np.empty((-(-(end - start) // self._size), self._size), self._dtype)
        self._fill(_bytes_of(found), file, start * self._dtype.itemsize)
        return found

    def at(self, files: Ints, starts: Ints) -> Rows:
        """The rows (n, size) that begin at these numbers of these files."""
        found = np.empty((len(starts), self._size), self._dtype)
        room, row = _bytes_of(found), found.itemsize * self._size
        for place, (file, start) in enumerate(zip(files.tolist(), (starts * found.itemsize).tolist(), strict=True)):
            self._fill(room[place * row : place * row + row], file, start)
        return found

    def _fill(self, room: memoryview, file: int, start: int) -> None:
        try:
            while room and (count := os.preadv(self._opened[file], [room], start)):
                room, start = room[count:], start + count
        except OSError as error:
            raise HotIndexDamaged(self._files[file], f"it cannot be read ({error})") from error
        if room:
            raise HotIndexDamaged(self._files[file], "it ends within a row")


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
            self._opened: MappedRows | ReadRows | None = self._open(said)
            self._begins = {at: size // self._dtype.itemsize - self._dimensions + 1 for at, (_, size) in said.items()}
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
        """Rows (n, dimensions) as they are kept. They are copied unless they stand together. Raises IndexError for rows
        that there are not."""
        if len(rows) and not 0 <= int(rows.min()) <= int(rows.max()) < self.rows:
            raise IndexError(f"of {self.rows:,} rows, one was asked for that is none of them")
        runs = np.searchsorted(self._starts, rows, side="right") - 1
        files = self._runs[runs, 0]
        at = self._runs[runs, 1] // self._dtype.itemsize + (rows - self._starts[runs]) * self._dimensions
        opened = self._opened
        if opened is None:
            raise ValueError("the rows were closed")
        if len(at) > 1 and (files == files[0]).all() and (np.diff(at) == self._dimensions).all():
            return opened.between(int(files[0]), int(at[0]), int(at[-1]) + self._dimensions)
        return opened.at(files, at)

    def close(self) -> None:
        """Give back the files, as soon as nobody holds rows of them."""
        self._opened = None

    def _open(self, files: Mapping[int, tuple[Path, int]]) -> MappedRows | ReadRows:
        """The rows of files, each of which has to have so many bytes."""
        for file, size in files.values():
            try:
                found = file.stat().st_size
            except OSError as error:
                raise HotIndexDamaged(file, f"it cannot be read ({error})") from error
            if found != size:
                raise HotIndexDamaged(file, f"it has {found:,} bytes, and {size:,} were expected")
            if size < self._dtype.itemsize * self._dimensions:
                raise HotIndexDamaged(file, f"its {size:,} bytes hold no row")
        many = sum(size for _, size in files.values()) > HELD and hasattr(os, "preadv")
        paths = {at: file for at, (file, _) in files.items()}
        return (ReadRows if many else MappedRows)(paths, self._dtype, self._dimensions)

    def _check(self, sections: Sections) -> None:
        """Raises HotIndexDamaged unless every run lies within its file."""
        lengths = np.diff(self._starts, append=self.rows)
        sound = len(self._starts) == len(self._runs) and bool((lengths > 0).all()) and self._starts[:1] == [0]
        if sound:
            files, offsets = self._runs.T
            held = np.array([self._begins.get(at, 0) for at in _numbers(self._begins)])
            last = offsets // self._dtype.itemsize + (lengths - 1) * self._dimensions
            sound = bool(((files >= OWN) & (files < len(held) + OWN) & (offsets >= 0)).all())
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


def _numbers(files: Mapping[int, object]) -> range:
    """From the number of the file that is ours to the last one."""
    return range(OWN, max(files, default=OWN) + 1)


def _rows_at_any(data: Rows, dtype: np.dtype[Any], size: int) -> Rows:
    """Every row of `size` numbers that could begin at one of the numbers in these bytes."""
    numbers = data[: len(data) // dtype.itemsize * dtype.itemsize].view(dtype)
    found: Rows = np.lib.stride_tricks.sliding_window_view(numbers, size)
    return found


def _bytes_of(rows: Rows) -> memoryview:
    return rows.reshape(-1).view(np.uint8).data
