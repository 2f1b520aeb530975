"""One file of named arrays, mapped into memory: it is written once, whole or not at all, and never changes.

The arrays stand one behind another, each at a multiple of `ALIGNED` bytes. A table of them follows as JSON, and then a
trailer that says where it begins. Every array has a checksum, which is compared when it is first read: a search reads
few of them, and does not wait for the others.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from embassay import jsontext
from embassay.files import PRIVATE_FILE
from embassay.stores.hot.errors import HotIndexDamaged, writing

VERSION = 1
"""Of this layout. A file of another one is made anew."""
ALIGNED = 64
"""Bytes: a line of the processor's cache."""
UNCHECKED = -1
"""In the place of a checksum: what lies there checks itself."""
_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
_MAGIC = b"embassay"
_TRAILER = struct.Struct("<8sIIQQ")
"""Magic, version, checksum of the table, where the table begins, and its bytes."""

Array = np.ndarray[Any, np.dtype[Any]]


class SectionWriter:
    """Writes one file, which appears under its name when the ``with`` block ends without an error.

    Raises HomeNotWritable.
    """

    def __init__(self, folder: Path, name: str, kind: str) -> None:
        self._file = folder / name
        self._new = folder / f".{name}.new"
        self._table: dict[str, Any] = {}
        self._at = 0
        self.facts: dict[str, Any] = {"kind": kind}
        """What a reader is told besides the arrays: values of JSON."""

    def __enter__(self) -> SectionWriter:
        with writing(self._file):
            self._out = os.fdopen(os.open(self._new, _NEW, PRIVATE_FILE), "wb")
        return self

    def add(self, name: str, array: Array) -> None:
        """Keep an array of one dimension, of whole numbers or floats."""
        array = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        start = self._aligned()
        data = array.view(np.uint8).data
        self._write(data)
        self._table[name] = [array.dtype.str, start, array.size, zlib.crc32(data)]

    def add_numbers(self, name: str, numbers: Array) -> None:
        """Keep whole numbers in the smallest type that holds them; equal ones, and 0, 1, 2 ... take no room at all."""
        if not len(numbers) or (numbers == numbers[0]).all():
            self.facts[name] = int(numbers[0]) if len(numbers) else 0
        elif numbers[0] == 0 and (numbers == np.arange(len(numbers))).all():
            self.facts[name] = "counted"
        else:
            self.add(name, numbers.astype(smallest(int(numbers.min()), int(numbers.max()))))

    def stream(self, name: str, dtype: str = "|u1", *, checked: bool = False) -> Callable[[bytes], None]:
        """What appends to an array, until the next one is begun. Unless it is `checked`, whoever reads it checks what
        it finds."""
        start, size = self._aligned(), np.dtype(dtype).itemsize
        entry = self._table[name] = [dtype, start, 0, 0 if checked else UNCHECKED]

        def append(data: bytes) -> None:
            self._write(data)
            entry[2] += len(data) // size
            if checked:
                entry[3] = zlib.crc32(data, entry[3])

        return append

    def _aligned(self) -> int:
        self._write(b"\0" * (-self._at % ALIGNED))
        return self._at

    def _write(self, data: bytes | memoryview) -> None:
        with writing(self._file):
            self._out.write(data)
        self._at += len(data)

    def __exit__(self, kind: type[BaseException] | None, _: object, __: TracebackType | None) -> None:
        try:
            with writing(self._file), self._out:
                if kind is None:
                    self._finish()
            if kind is None:
                with writing(self._file):
                    self._new.replace(self._file)
        finally:
            self._new.unlink(missing_ok=True)

    def _finish(self) -> None:
        table = jsontext.dumps({"facts": self.facts, "arrays": self._table}, sort_keys=True).encode()
        start = self._aligned()
        self._write(table)
        self._write(_TRAILER.pack(_MAGIC, VERSION, zlib.crc32(table), start, len(table)))
        self._out.flush()
        os.fsync(self._out.fileno())


class Sections:
    """A file of arrays that is open. Threads may share it. Raises HotIndexDamaged where it is not as it was written."""

    def __init__(self, folder: Path, name: str, kind: str) -> None:
        self.file = folder / name
        try:
            with self.file.open("rb") as opened:
                self._map = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: it is empty
            raise self.damaged(f"it cannot be read ({error})") from error
        self._bytes = np.frombuffer(self._map, np.uint8)
        self._checked: dict[str, Array] = {}
        self.checksum = 0
        """Of the table, in which the checksums of the arrays stand."""
        try:
            table = self._read_table()
            self.facts: dict[str, Any] = table["facts"]
            self._table: dict[str, Any] = table["arrays"]
            if self.facts["kind"] != kind:
                raise self.damaged(f"it is a file of {self.facts['kind']}, and one of {kind} was expected")
        except (ValueError, KeyError, TypeError) as error:
            raise self.damaged("its table cannot be read") from error

    def array(self, name: str) -> Array:
        """An array as it was added. It is not copied, and cannot be written to."""
        found = self._checked.get(name)
        if found is None:
            found = self._checked[name] = self._check(name)
        return found

    def numbers(self, name: str, length: int) -> Array:
        """What `add_numbers` was given, `length` of them."""
        fact = self.facts.get(name)
        if fact is None:
            return self._of_length(self.array(name), name, length)
        if fact == "counted":
            if name not in self._checked:
                self._checked[name] = np.arange(length)
            return self._of_length(self._checked[name], name, length)
        return np.broadcast_to(np.int64(fact), length)

    def damaged(self, found: str) -> HotIndexDamaged:
        """The error that says what was found in this file."""
        return HotIndexDamaged(self.file, found)

    def close(self) -> None:
        """Give back the file, as soon as nobody holds an array of it."""
        self._checked.clear()
        self._bytes = np.zeros(0, np.uint8)
        with suppress(BufferError):  # an array is still in use: the map goes with it
            self._map.close()

    def _of_length(self, array: Array, name: str, length: int) -> Array:
        if len(array) != length:
            raise self.damaged(f"it has {len(array):,} numbers of {name!r}, and {length:,} were expected")
        return array

    def _read_table(self) -> Any:
        if len(self._bytes) < _TRAILER.size:
            raise self.damaged("it is too short")
        magic, version, checksum, start, size = _TRAILER.unpack(self._bytes[-_TRAILER.size :].tobytes())
        if magic != _MAGIC:
            raise self.damaged("it does not end as such a file does")
        if version != VERSION:
            raise self.damaged(f"it has the layout {version}, and {VERSION} was expected")
        if start + size + _TRAILER.size != len(self._bytes):
            raise self.damaged("it has not the length that it says")
        table = self._bytes[start : start + size].tobytes()
        if zlib.crc32(table) != checksum:
            raise self.damaged("the checksum of its table is another one")
        self.checksum = checksum
        return jsontext.loads(table)

    def _check(self, name: str) -> Array:
        try:
            dtype, start, size, checksum = self._table[name]
        except KeyError:
            raise self.damaged(f"it has no {name!r}") from None
        data = self._bytes[start : start + size * np.dtype(dtype).itemsize]
        if checksum != UNCHECKED and zlib.crc32(data.data) != checksum:
            raise self.damaged(f"the checksum of {name!r} is another one")
        return data.view(dtype)


def smallest(least: int, greatest: int) -> np.dtype[Any]:
    """The smallest type of whole numbers that holds all from `least` to `greatest`."""
    if least < 0:
        return np.dtype("<i8")
    return np.dtype(next((kind for kind in ("<u1", "<u2", "<u4") if greatest <= np.iinfo(kind).max), "<i8"))
