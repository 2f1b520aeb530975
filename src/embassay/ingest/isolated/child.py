"""The process that reads: orders come in by its standard input, documents go out by its standard output.

It ends with the process that started it, however that ends: that one holds the other end of a pipe, the lifeline, and
the system tells of its closing by SIGIO, and of the end of a file's time by SIGPROF. Both end the process, also in the
middle of code that lets no thread run, such as a regular expression at work. Where SIGIO is not sent, a thread watches.
"""

from __future__ import annotations

import fcntl
import os
import resource
import select
import signal
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from embassay.errors import NotText, ReadError
from embassay.ingest.base import LeftOut, Read, SourceFile
from embassay.ingest.isolated.wire import (
    ENCODER,
    LENGTH,
    ORDERS,
    TOO_LARGE,
    BadRecord,
    PartLeftOut,
    ReadDocument,
    ReadEnd,
    ReadOrder,
    ReadReply,
    Ready,
    framed,
)
from embassay.ingest.read import read, readers

LOOK = 0.1
"""Seconds between two looks at the memory, where the system does not hold the limit itself."""
PROC = Path("/proc/self/statm")
"""Where Linux tells a process how many pages it takes up: of addresses, and of memory."""


def main(memory_bytes: int, lifeline: int) -> None:
    """Serve orders until there are no more. `lifeline`: a pipe that nothing comes from, until it is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever started this process, which then ends it
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGIO, signal.SIG_DFL)
    fcntl.fcntl(lifeline, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(lifeline, fcntl.F_SETFL, fcntl.fcntl(lifeline, fcntl.F_GETFL) | os.O_ASYNC)
    output = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what libraries print must not get in between
    addresses = _limit_memory(memory_bytes)
    threading.Thread(target=_watch, args=(memory_bytes, lifeline), daemon=True).start()
    readers()  # so that the first file does not pay for their import
    _write(output, ENCODER.encode(Ready()))
    while (order := _next_order()) is not None:
        _serve(order, output, memory_bytes, addresses)


def _serve(order: ReadOrder, output: int, memory_bytes: int, addresses: int) -> None:
    """Read one file. A process that has come near its limit retires, so that the next file finds all the room: its
    memory, and what it has taken of `addresses` besides, which libraries reserve and do not give back."""
    left = order.text_bytes
    end = ReadEnd()
    _arm(order.seconds)
    try:
        for document in read(SourceFile(Path(order.file), order.id)):
            body = _encoded(document)
            left -= len(body)
            if left < 0:
                raise ReadError(
                    f"it gives more than {order.text_bytes / 1e6:,.1f} MB of text, the limit for a file of its size"
                )
            _arm(0)  # the time that the other side takes is not this file's
            _write(output, body)
            _arm(order.seconds)
    except NotText as error:
        end = ReadEnd("no text", error.message)
    except ReadError as error:
        end = ReadEnd("unreadable", error.message)
    except MemoryError:
        end = ReadEnd("unreadable", "does not fit in memory", retired=True)
    _arm(0)
    taken = max(_in_use(), _pages(0) - addresses if addresses else 0)
    retired = end.retired or taken > memory_bytes / 2
    _write(output, ENCODER.encode(ReadEnd(end.outcome, end.reason, retired)))


def _encoded(document: Read) -> bytes:
    if isinstance(document, ReadError):
        reply: ReadReply = BadRecord(document.message)
    elif isinstance(document, LeftOut):
        reply = PartLeftOut(document)
    else:
        lines = document.source_lines
        plain: Sequence[int] | None = list(lines) if lines is not None else None
        reply = ReadDocument(replace(document, metadata=dict(document.metadata), source_lines=plain))
    try:
        return ENCODER.encode(reply)
    except (TypeError, ValueError, OverflowError) as error:
        raise ReadError(f"its metadata or headings are no plain values: {error}") from error


def _arm(seconds: float) -> None:
    """End the process by SIGPROF once it has computed for so many seconds, in whatever it is then; 0 calls that off."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _limit_memory(memory_bytes: int) -> int:
    """Have Linux refuse more memory, beyond the addresses that Python takes up, which are returned; elsewhere `_watch`
    looks at it."""
    if not PROC.exists():
        return 0
    _, most = resource.getrlimit(resource.RLIMIT_AS)
    addresses = _pages(0)
    wanted = memory_bytes + addresses
    resource.setrlimit(resource.RLIMIT_AS, (wanted if most == resource.RLIM_INFINITY else min(wanted, most), most))
    return addresses


def _watch(memory_bytes: int, lifeline: int) -> None:
    """End the process when the other side of its lifeline is gone, or when it has grown beyond its memory."""
    poll = select.poll()
    poll.register(lifeline, 0)  # tells of a hang-up alone
    limited = PROC.exists()
    while not poll.poll(None if limited else LOOK * 1000):
        if not limited and _in_use() > memory_bytes:
            os._exit(TOO_LARGE)
    os._exit(0)


def _in_use() -> int:
    """Bytes of memory that the process takes up; where only the most so far is known, that."""
    try:
        return _pages(1)  # `getrusage` counts what the process was before it became this program
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _pages(which: int) -> int:
    """One of the sizes that Linux tells of this process, in bytes."""
    return int(PROC.read_bytes().split()[which]) * resource.getpagesize()


def _next_order() -> ReadOrder | None:
    length = _exactly(LENGTH)
    body = _exactly(int.from_bytes(length, "little")) if length else b""
    return ORDERS.decode(body) if body else None


def _exactly(count: int) -> bytes:
    """So many bytes of the input; none where it ends before."""
    parts = bytearray()
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part:
            return b""
        parts += part
    return bytes(parts)


def _write(output: int, body: bytes) -> None:
    view = memoryview(framed(body))
    try:
        while view:
            view = view[os.write(output, view) :]
    except BrokenPipeError:
        os._exit(0)
