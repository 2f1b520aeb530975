"""The other side of `child`: starts the process that reads, hears what it read, and ends it where it goes too far."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from embassay.errors import NotText, ReadError
from embassay.ingest.base import Read, SourceFile
from embassay.ingest.isolated.wire import (
    ENCODER,
    LENGTH,
    REPLIES,
    TOO_LARGE,
    BadRecord,
    PartLeftOut,
    ReadDocument,
    ReadEnd,
    ReadOrder,
    ReadReply,
    framed,
)
from embassay.ingest.limits import ReadLimits

START_SECONDS = 60.0
"""Time for Python to start on a busy machine."""
WAIT = 2.0
"""A process is waited for so many times as long as it may compute: it may wait for a disk or a busy machine."""
SLACK = 1_000_000
"""Bytes that a reply may have beside text."""
PART = 1 << 20
"""Bytes that are taken in at once."""
CHILD = (
    "import sys; sys.path[:] = {path!r}; from embassay.ingest.isolated.child import main; main({memory}, {lifeline})"
)


class ReadingProcess:
    """A process that reads files for this one, one after another."""

    def __init__(self, limits: ReadLimits) -> None:
        """Start it. Raises ReadError where that fails."""
        self._limits = limits
        self._received = bytearray()
        self.idle = True
        """Whether it waits for a file. One that is in the middle of a file cannot be used for another."""
        path = [os.path.abspath(entry) for entry in sys.path if entry]
        lifeline, self._lifeline = os.pipe()  # nothing is ever written to it: its end is the end of this process
        code = CHILD.format(path=path, memory=int(limits.memory_mb * 1e6), lifeline=lifeline)
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                bufsize=0,
                pass_fds=(lifeline,),
            )
        except OSError as error:
            os.close(self._lifeline)
            raise ReadError(f"the process that reads cannot be started: {error.strerror or error}") from error
        finally:
            os.close(lifeline)
        if self._receive(START_SECONDS) is None:
            status = self.close()
            raise ReadError(f"the process that reads cannot be started: it ends with status {status}")

    def read(self, source: SourceFile, *, streams: bool = False) -> Iterator[Read]:
        """What `embassay.ingest.read.read` gives, made by the process.

        Raises NotText and ReadError as it does, and ReadError where the file goes beyond a limit or ends the process.
        """
        seconds, text = self._limits.seconds_for(source.size), self._limits.text_bytes(source.size, streams=streams)
        order = ReadOrder(os.path.abspath(source.file), source.id, seconds, text)
        self.idle = False
        self._send(order)
        while True:
            reply = self._receive(WAIT * seconds)
            match reply:
                case ReadDocument(document):
                    yield document
                case PartLeftOut(part):
                    yield part
                case BadRecord(reason):
                    yield ReadError(reason)
                case ReadEnd(outcome, reason, retired):
                    self.idle = not retired
                    if outcome != "read":
                        raise NotText(reason) if outcome == "no text" else ReadError(reason)
                    return
                case _:
                    raise ReadError(self._why(seconds))

    @property
    def alive(self) -> bool:
        """Whether it has not ended; the system may have killed it while it waited."""
        return self._process.poll() is None

    def kill(self) -> None:
        """End it, whatever it is doing; any thread may."""
        self._process.kill()

    def close(self) -> int:
        """End it, whatever it is doing, and give its exit status: negative for a signal."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        if self._process.poll() is None:
            self._process.kill()
        return self._process.wait()

    def _send(self, order: ReadOrder) -> None:
        assert self._process.stdin is not None
        view = memoryview(framed(ENCODER.encode(order)))
        with suppress(OSError):  # one that has ended has nothing to say either, which is told as its end
            while view:
                view = view[os.write(self._process.stdin.fileno(), view) :]

    def _receive(self, seconds: float) -> ReadReply | None:
        """The next reply; None where none came in time, or where the process ended."""
        until = time.monotonic() + seconds
        length = self._exactly(LENGTH, until)
        size = int.from_bytes(length or b"", "little")
        if length is None or size > self._limits.text_mb * 1e6 + SLACK:
            return None
        body = self._exactly(size, until)
        return REPLIES.decode(body) if body is not None else None

    def _exactly(self, count: int, until: float) -> bytes | None:
        assert self._process.stdout is not None
        output = self._process.stdout.fileno()
        poll = select.poll()
        poll.register(output, select.POLLIN)
        while len(self._received) < count:
            if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
                return None
            part = os.read(output, PART)
            if not part:
                return None
            self._received += part
        found = bytes(self._received[:count])
        del self._received[:count]
        return found

    def _why(self, seconds: float) -> str:
        """Why no reply came, for a person."""
        limits = self._limits
        try:
            status = self._process.wait(2 if self._ended() else 0)
        except subprocess.TimeoutExpired:
            status = -signal.SIGPROF
        if status == -signal.SIGPROF:
            return f"it takes longer than {seconds:.0f} s to read (read_seconds)"
        if status == TOO_LARGE:
            return f"it takes more than {limits.memory_mb:,.0f} MB of memory to read (read_memory_mb)"
        how = f"signal {-status}" if status < 0 else f"status {status}"
        with suppress(ValueError):
            how = signal.Signals(-status).name
        return f"its reader ended with {how}: out of memory, or a fault of the library that reads it"

    def _ended(self) -> bool:
        """Whether the process has closed its output, which it does at its end."""
        assert self._process.stdout is not None
        poll = select.poll()
        poll.register(self._process.stdout.fileno(), 0)
        return bool(poll.poll(0))
