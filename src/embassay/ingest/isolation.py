"""Reads files within limits: what is known to be bounded in this process, everything else in one that can be ended."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from types import TracebackType

from embassay.errors import ReadError
from embassay.ingest.base import Read, SourceFile
from embassay.ingest.isolated.process import ReadingProcess
from embassay.ingest.limits import DEFAULT_LIMITS, ReadLimits
from embassay.ingest.read import read, reader_of


class Isolation:
    """Reads the files of one run. The process is started by the first file that needs it, and serves all others.

    Use it as a context manager, or call `close`. It belongs to one thread at a time.
    """

    def __init__(self, limits: ReadLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._process: ReadingProcess | None = None
        self._stopped = False

    def read(self, source: SourceFile) -> Iterator[Read]:
        """The documents of a file, in order; a ReadError stands in the place of a record that could not be read, and a
        LeftOut in that of a part without text.

        Raises NotText for a file without text, and ReadError for whatever goes wrong inside a reader, a limit that is
        exceeded included.
        """
        if self._stopped:
            raise ReadError("the run was stopped")
        reader = reader_of(source.file.suffix)
        if not _can_isolate() or getattr(reader, "BOUNDED", False):
            yield from read(source)
            return
        try:
            if self._process is not None and not self._process.alive:
                self.close()
            process = self._process = self._process or ReadingProcess(self._limits)
            if self._stopped:  # while it was started
                raise ReadError("the run was stopped")
            yield from process.read(source, streams=getattr(reader, "STREAMS", False))
        except OSError as error:
            raise ReadError(error.strerror or str(error)) from error
        finally:
            if self._process is not None and not self._process.idle:
                self.close()

    def stop(self) -> None:
        """End the process from another thread than the one that reads, where the file then ends with an error."""
        self._stopped = True
        if (process := self._process) is not None:
            process.kill()

    def close(self) -> None:
        """End the process; another file starts another one."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __enter__(self) -> Isolation:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _can_isolate() -> bool:
    """Windows has neither the alarm nor the poll of pipes, and a frozen program no Python to start."""
    return os.name == "posix" and bool(sys.executable) and not getattr(sys, "frozen", False)
