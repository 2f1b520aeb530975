"""What was taken with each key: a small file of fixed rows, which all servers of a home share.

It is no database, because a row is written with each request of a key: it is read, changed and written in place under
the operating system's lock, which takes some 4 microseconds, in room that was taken on the disk before, so that a full
disk disturbs nobody. Nothing in it has to survive: a row that is torn, missing or of another key begins anew.
"""

from __future__ import annotations

import math
import os
import stat
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

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
_ROW = struct.Struct("<16sddQQd")


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
        self._size = 0
        self._memory: dict[int, bytes] | None = {} if file is None else None

    def read(self, slot: int, key_id: str) -> Use:
        """What was taken, as it is now. Nothing is made where there is no file yet."""
        if self._memory is None and self._descriptor < 0 and not (self.file and self.file.exists()):
            return UNUSED
        with self._lock:
            return _parsed(self._row(slot), key_id)

    def change(self, slot: int, key_id: str, change: Callable[[Use], Use]) -> Use:
        """Replace a row by what `change` makes of it, while no other process does; where it raises, the row stays."""
        with self._lock:
            self._row(slot)  # opened, and long enough
            locked = self._locked()
            try:
                made = change(_parsed(self._row(slot), key_id))
                self._write(slot, _ROW.pack(key_id.encode(), made.requests_full, made.tokens_full, made.requests,
                                            made.tokens, made.last))  # fmt: skip
                return made
            finally:
                if locked:
                    _unlock(self._descriptor)

    def close(self) -> None:
        """Close the file. It is opened again when it is next used."""
        with self._lock:
            if self._descriptor >= 0 and self._process == os.getpid():
                os.close(self._descriptor)
            self._descriptor = -1

    def _row(self, slot: int) -> bytes:
        if self._memory is None:
            try:
                if self._descriptor < 0 or self._process != os.getpid():  # locks are shared with whoever was forked
                    self._open()
                if (slot + 1) * ROW_BYTES > self._size:
                    self._grow((slot + 1) * ROW_BYTES)
                return os.pread(self._descriptor, _ROW.size, slot * ROW_BYTES)
            except OSError as error:
                self._give_up(error)
        assert self._memory is not None
        return self._memory.get(slot, b"")

    def _write(self, slot: int, row: bytes) -> None:
        if self._memory is None:
            try:
                os.pwrite(self._descriptor, row, slot * ROW_BYTES)
                return
            except OSError as error:
                self._give_up(error)
        assert self._memory is not None
        self._memory[slot] = row

    def _open(self) -> None:
        assert self.file is not None
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        descriptor = os.open(self.file, flags, PRIVATE_FILE)
        try:
            seen = os.fstat(descriptor)
            if not stat.S_ISREG(seen.st_mode) or (seen.st_size and os.pread(descriptor, len(MAGIC), 0) != MAGIC):
                raise OSError(0, "it is no file of embassay")
        except OSError:
            os.close(descriptor)
            raise
        self._descriptor, self._process, self._size = descriptor, os.getpid(), seen.st_size

    def _grow(self, size: int) -> None:
        """Take room on the disk, so that it is there when a row is written. Another process may do the same."""
        locked = self._locked()
        try:
            self._size = os.fstat(self._descriptor).st_size
            wanted = -(-size // BLOCK) * BLOCK
            if self._size < wanted:
                os.pwrite(self._descriptor, bytes(wanted - self._size), self._size)
                self._size = os.fstat(self._descriptor).st_size
                if self._size < wanted:
                    raise OSError(28, "the disk is full")
                os.pwrite(self._descriptor, MAGIC, 0)
        finally:
            if locked:
                _unlock(self._descriptor)

    def _locked(self) -> bool:
        """Whether other processes are kept out now."""
        if self._memory is not None:
            return False
        for _ in range(LOCK_TRIES):
            if _lock(self._descriptor):
                return True
            time.sleep(LOCK_SECONDS)
        return False

    def _give_up(self, error: OSError) -> None:
        self._memory = {}
        self._warn(f"{self.file} cannot be used ({error.strerror}): limits of keys hold for this process alone.")


def _parsed(row: bytes, key_id: str) -> Use:
    """What stands in a row; that of another key, and one with numbers that cannot be, is as good as none."""
    if len(row) < _ROW.size:
        return UNUSED
    owner, requests_full, tokens_full, requests, tokens, last = _ROW.unpack(row)
    if owner.rstrip(b"\0") != key_id.encode() or not math.isfinite(requests_full + tokens_full + last):
        return UNUSED
    return Use(requests_full, tokens_full, requests, tokens, last)


def _lock(descriptor: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _unlock(descriptor: int) -> None:
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
