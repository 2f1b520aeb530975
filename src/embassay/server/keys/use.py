"""What was taken with each key: a small file of fixed rows, which all servers of a home share.

It is no database, because a row is written with each request of a key. The file is mapped into memory, in room that was
taken on the disk before, so that a full disk disturbs nobody; a row is read, changed and written in place under the
operating system's lock, which takes some 4 microseconds. Keys without limits are counted in memory, and written down
each second. Nothing in the file has to survive: a row that is torn, missing or of another key begins anew.

In front of the rows stands a number that whoever changes the keys of the home raises, so that a server need not ask the
database of keys before each request.
"""

from __future__ import annotations

import math
import mmap
import os
import stat
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import cast

from embassay.files import PRIVATE_FILE

USE_FILE = "keys.use"
MAGIC = b"embassay use 1\n\0"
ROW_BYTES = 64
"""A row never lies across two pages of the disk."""
BLOCK = 4096
"""Bytes by which the file grows."""
LOCK_SECONDS, LOCK_TRIES = 0.0002, 10
"""How long another process that writes is waited for, and how often. One that was stopped in the middle holds nobody
up: the worst that comes of it is a request that is not counted."""
FLUSH_SECONDS = 1.0
"""How old what was counted in memory may become, while there are requests."""
_ROW = struct.Struct("<16sddQQd")
_CHANGES = struct.Struct("<Q")
_CHANGES_AT = 16
"""Where the number of changes stands, behind the magic."""


@dataclass(frozen=True, slots=True)
class Use:
    """One row."""

    requests_full: float = 0.0
    """When the bucket of requests is full again, see `embassay.server.keys.rates`."""
    tokens_full: float = 0.0
    requests: int = 0
    """Since the key was made."""
    tokens: int = 0
    last: float = 0.0
    """When the key was used last, in seconds since 1970; 0 for never."""


UNUSED = Use()


class UseFile:
    """The rows of one home, each by the slot and the id of its key. Threads may share it."""

    def __init__(self, file: Path | None, warn: Callable[[str], None] = lambda _: None) -> None:
        """`file` None: in memory alone. `warn` is told once where the file cannot be used, and memory serves then."""
        self.file = file
        self._warn = warn
        self._lock = threading.Lock()
        self._descriptor = -1
        self._process = 0
        self._map: mmap.mmap | None = None
        self._memory: dict[int, bytes] | None = {} if file is None else None
        self._counted: dict[tuple[int, str], Use] = {}
        """What is not written down yet."""
        self._flush_at = 0.0

    def read(self, slot: int, key_id: str) -> Use:
        """What was taken, as it is now. Nothing is made where there is no file yet."""
        with self._lock:
            counted = self._counted.get((slot, key_id))
            if self._memory is None and self._descriptor < 0 and not (self.file and self.file.exists()):
                return counted or UNUSED
            found = _parsed(self._row(slot), key_id)
            return _plus(found, counted) if counted else found

    def change(self, slot: int, key_id: str, change: Callable[[Use], Use]) -> Use:
        """Replace a row by what `change` makes of it, while no other process does; where it raises, the row stays."""
        with self._lock:
            return self._change(slot, key_id, change)

    def count(self, slot: int, key_id: str, requests: int, tokens: int, at: float) -> None:
        """Add to what was taken, soon."""
        with self._lock:
            more = Use(requests=requests, tokens=tokens, last=at)
            known = self._counted.get((slot, key_id))
            self._counted[slot, key_id] = _plus(known, more) if known else more
            if (now := time.monotonic()) >= self._flush_at:
                self._flush_at = now + FLUSH_SECONDS
                self._flush()

    def changes(self) -> int | None:
        """How often keys were changed; None where nobody can tell."""
        if self._map is None or self._process != os.getpid():
            with self._lock:
                self._row(0)
        try:
            return None if self._map is None else int(_CHANGES.unpack_from(self._map, _CHANGES_AT)[0])
        except ValueError:  # it was closed just now
            return None

    def changed(self) -> None:
        """Tell all servers that keys were changed."""
        with self._lock:
            self._row(0)
            if self._map is not None:
                locked = self._locked()
                try:
                    (number,) = _CHANGES.unpack_from(self._map, _CHANGES_AT)
                    _CHANGES.pack_into(self._map, _CHANGES_AT, (number + 1) % 2**64)
                finally:
                    if locked:
                        _unlock(self._descriptor)

    def close(self) -> None:
        """Write down what was counted, and close the file. It is opened again when it is next used."""
        with self._lock:
            self._flush()
            self._close()

    def _flush(self) -> None:
        counted, self._counted = self._counted, {}
        for (slot, key_id), more in counted.items():
            self._change(slot, key_id, lambda use, more=more: _plus(use, more))  # type: ignore[misc]

    def _change(self, slot: int, key_id: str, change: Callable[[Use], Use]) -> Use:
        self._row(slot)  # opened, and long enough
        locked = self._locked()
        try:
            made = change(_parsed(self._row(slot), key_id))
            requests, tokens = max(0, made.requests), max(0, made.tokens)
            row = _ROW.pack(key_id.encode(), made.requests_full, made.tokens_full, requests, tokens, made.last)
            if self._map is not None:
                self._map[slot * ROW_BYTES : slot * ROW_BYTES + _ROW.size] = row
            elif self._memory is not None:
                self._memory[slot] = row
            return made
        finally:
            if locked:
                _unlock(self._descriptor)

    def _row(self, slot: int) -> bytes:
        end = (slot + 1) * ROW_BYTES
        if self._memory is None:
            try:
                if self._map is None or self._process != os.getpid():  # locks are shared with whoever was forked
                    self._open()
                if self._map is None or end > len(self._map):
                    self._grow(end)
            except OSError as error:
                self._close()
                self._memory = {}
                said = error.strerror or error
                self._warn(f"{self.file} cannot be used ({said}): limits of keys hold for this process alone.")
        if self._memory is not None:
            return self._memory.get(slot, b"")
        assert self._map is not None
        return self._map[slot * ROW_BYTES : slot * ROW_BYTES + _ROW.size]

    def _open(self) -> None:
        assert self.file is not None
        self._close()
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        self._descriptor, self._process = os.open(self.file, flags, PRIVATE_FILE), os.getpid()
        seen = os.fstat(self._descriptor)
        if not stat.S_ISREG(seen.st_mode) or (seen.st_size and os.pread(self._descriptor, len(MAGIC), 0) != MAGIC):
            raise OSError(0, "it is no file of embassay")

    def _grow(self, end: int) -> None:
        """Take room on the disk, so that it is there when a row is written. Another process may do the same."""
        locked = self._locked()
        try:
            size, wanted = os.fstat(self._descriptor).st_size, -(-end // BLOCK) * BLOCK
            if size < wanted:
                os.pwrite(self._descriptor, bytes(wanted - size), size)
                if os.fstat(self._descriptor).st_size < wanted:
                    raise OSError(28, "the disk is full")
                os.pwrite(self._descriptor, MAGIC, 0)
            self._map = mmap.mmap(self._descriptor, max(size, wanted) // BLOCK * BLOCK)
        finally:
            if locked:
                _unlock(self._descriptor)

    def _close(self) -> None:
        if self._map is not None and self._process == os.getpid():
            self._map.close()
        if self._descriptor >= 0 and self._process == os.getpid():
            with suppress(OSError):
                os.close(self._descriptor)
        self._map, self._descriptor = None, -1

    def _locked(self) -> bool:
        """Whether other processes are kept out now."""
        if self._descriptor < 0:
            return False
        for _ in range(LOCK_TRIES):
            if _lock(self._descriptor):
                return True
            time.sleep(LOCK_SECONDS)
        return False


def _plus(use: Use, more: Use) -> Use:
    last = max(use.last, more.last)
    return replace(use, requests=use.requests + more.requests, tokens=use.tokens + more.tokens, last=last)


def _parsed(row: bytes, key_id: str) -> Use:
    """What stands in a row; that of another key, and one with numbers that cannot be, is as good as none."""
    if len(row) < _ROW.size:
        return UNUSED
    owner, requests_full, tokens_full, requests, tokens, last = _ROW.unpack(row)
    if owner.rstrip(b"\0") != key_id.encode() or not math.isfinite(requests_full + tokens_full + last):
        return UNUSED
    return Use(requests_full, tokens_full, requests, tokens, last)


def _lock(descriptor: int) -> bool:
    """Take the lock if nobody has it; whether it was taken."""
    return _flock()(descriptor, _ALONE | _AT_ONCE) == 0


def _unlock(descriptor: int) -> None:
    _flock()(descriptor, _FREE)


_ALONE, _AT_ONCE, _FREE = 2, 4, 8
"""As ``flock`` has them on Linux, macOS and the BSDs."""


@cache
def _flock() -> Callable[[int, int], int]:
    """The system's ``flock``, called without letting another thread run meanwhile.

    It never waits here. Python's own would hand the interpreter to whichever thread is computing, and get it back some
    tens of microseconds later.
    """
    import ctypes

    try:
        return cast("Callable[[int, int], int]", ctypes.PyDLL(None).flock)
    except (AttributeError, OSError, TypeError):  # Windows
        return lambda *_: -1
