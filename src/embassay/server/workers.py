"""Several processes behind the same addresses: each loads models of its own, and takes requests beside the others.

The process that was started listens and watches. Its workers are the same command once more, with the sockets handed
down. A worker that dies is started anew; where the one that watches dies, its workers finish what they took and end.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from types import FrameType
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.errors import UsageError
from embassay.server.service import Shares
from embassay.server.sockets import Address, bound

if TYPE_CHECKING:
    from embassay.server.serving import Server

PLACE = "EMBASSAY_WORKER"
"""The variable by which a process knows that it is a worker, and what was handed down to it."""
MOST = 64
LOOK_SECONDS = 0.2
YOUNG_SECONDS, MOST_YOUNG = 5.0, 3
"""Where so many workers in a row ended within so many seconds, something is wrong that starting again does not mend."""
END_SECONDS = 40.0
"""For workers to finish what they took, before they are killed."""
_log = logging.getLogger("embassay.server")


@dataclass(frozen=True, slots=True)
class HandedDown:
    """What a worker is given by the process that started it."""

    sockets: Sequence[int]
    ready: int
    """Is written to once it answers requests."""
    alive: int
    """Ends when the process that watches has ended."""
    cores: Sequence[int]
    """On which it may run; none: on all."""
    own_port: int | None = None
    """At which it answers alone, for whoever counts what each worker does."""

    @classmethod
    def found(cls) -> HandedDown | None:
        """What was handed down to this process, which runs on its own cores from now on; None where it is no worker.

        It is asked before anything else, because models and threads are made for the cores that there are.
        """
        said = os.environ.pop(PLACE, "")
        if not said:
            return None
        found = cls(**jsontext.loads(said))
        if found.cores and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, found.cores)
        return found

    def listening(self) -> list[socket.socket]:
        """The sockets."""
        return [socket.socket(fileno=number) for number in self.sockets]

    def tell_ready(self) -> None:
        """Say that requests are answered."""
        with suppress(OSError):
            os.write(self.ready, b"1")

    def watch(self, gone: Callable[[], None]) -> None:
        """Have `gone` called when the process that watches has ended."""

        def wait() -> None:
            with suppress(OSError):
                os.read(self.alive, 1)
            gone()

        threading.Thread(target=wait, name="watched", daemon=True).start()


@dataclass(frozen=True, slots=True)
class Processes:
    """How many processes serve, and how they share the machine. Raises UsageError for no sensible number."""

    workers: int = 1
    pin: bool = False
    """Whether each runs on cores of its own, as far as there are enough."""
    metrics_port: int | None = None
    """From which port on each answers alone as well; None: at none, 0: at free ones."""

    def __post_init__(self) -> None:
        if not 1 <= self.workers <= MOST:
            raise UsageError(f"workers is {self.workers}; it must be from 1 to {MOST}.")

    def own_addresses(self, like: Address) -> list[Address]:
        """Where each worker answers alone, at the host of the server."""
        if self.metrics_port is None:
            return []
        ports = range(self.metrics_port, self.metrics_port + self.workers) if self.metrics_port else [0] * self.workers
        return [replace(like, port=port) for port in ports]


Ready = Callable[[Sequence[Address], Sequence[Address]], None]
"""Is told where a server answers, and where each of its workers answers alone."""


def serve(server: Server, processes: Processes, handed: HandedDown | None, ready: Ready) -> None:
    """Serve until the process is told to end: as the worker that it is, else alone or by workers that it watches.

    `ready` is called once requests are answered, but not by workers. Raises as `Server.bind` and `Server.run` do.
    """
    if handed:
        server.sockets += handed.listening()
        server.service.shares = Shares(handed.own_port)
        handed.watch(server.stop)
        server.run(handed.tell_ready)
        return
    listening = server.bind()
    own = [bound(address) for address in processes.own_addresses(listening[0])]
    alone = [replace(listening[0], port=one.getsockname()[1]) for one in own]

    def tell() -> None:
        ready(listening, alone)

    if processes.workers == 1:
        server.sockets += own
        server.run(tell)
    else:
        Workers(processes, server.sockets, own).run(tell)


class Workers:
    """So many processes over the same sockets."""

    def __init__(self, processes: Processes, sockets: Sequence[socket.socket], own: Sequence[socket.socket]) -> None:
        """`own`: a socket for each of them alone, or none."""
        self._sockets, self._own = sockets, own
        self._cores = _shares(processes.workers) if processes.pin else [[]] * processes.workers
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = False
        self._asked = 0.0
        self._young = 0
        self._tell = self._alive = -1

    def run(self, ready: Callable[[], None]) -> None:
        """Keep all of them running until this process is told to end. Raises UsageError where they cannot start."""
        told, self._tell = os.pipe()
        self._alive, kept = os.pipe()
        before = {number: signal.signal(number, self._end) for number in (signal.SIGTERM, signal.SIGINT)}
        waiting = len(self._cores)
        try:
            for place in range(len(self._cores)):
                self._start(place)
            while self._running:
                if select.select([told], [], [], LOOK_SECONDS)[0]:
                    waiting -= len(os.read(told, 64))
                    if waiting <= 0:
                        ready()
                        ready = _nothing
                self._look()
        finally:
            for one, handler in before.items():
                signal.signal(one, handler)
            for number in (told, self._tell, self._alive, kept):
                os.close(number)
        if self._young >= MOST_YOUNG:
            raise UsageError("the workers ended as soon as they were started.", remedy="They said why above.")

    def _start(self, place: int) -> None:
        own = self._own[place] if self._own else None
        numbers = [one.fileno() for one in (*self._sockets, *([own] if own else []))]
        handed: dict[str, object] = {"sockets": numbers, "ready": self._tell, "alive": self._alive}
        handed["cores"] = self._cores[place]
        handed["own_port"] = own.getsockname()[1] if own else None
        environment: Mapping[str, str] = {**os.environ, PLACE: jsontext.dumps(handed)}
        process = subprocess.Popen(
            [sys.executable, "-m", "embassay", *sys.argv[1:]],
            env=environment,
            pass_fds=(*numbers, self._tell, self._alive),
        )
        self._running[place] = process, time.monotonic()

    def _look(self) -> None:
        """Start those anew that have died, and kill those that do not end."""
        for place, (process, since) in [*self._running.items()]:
            code = process.poll()
            if code is None:
                if self._stopping and time.monotonic() - self._asked > END_SECONDS:
                    process.kill()
                continue
            del self._running[place]
            if self._stopping:
                continue
            self._young = self._young + 1 if time.monotonic() - since < YOUNG_SECONDS else 0
            if self._young >= MOST_YOUNG:
                self._end(signal.SIGTERM, None)
                continue
            _log.warning("worker %d ended with %d and is started again", process.pid, code)
            self._start(place)

    def _end(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping, self._asked = True, time.monotonic()
        for process, _ in self._running.values():
            with suppress(OSError):
                process.send_signal(signal.SIGTERM)


def _shares(count: int) -> list[list[int]]:
    """The cores of this process in `count` parts; where there are fewer cores, each is on all of them."""
    try:
        cores = sorted(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows pin nothing
        return [[] for _ in range(count)]
    if len(cores) < count:
        return [[] for _ in range(count)]
    size, more = divmod(len(cores), count)
    ends = [size * (at + 1) + min(at + 1, more) for at in range(count)]
    return [cores[start:end] for start, end in zip([0, *ends], ends, strict=False)]


def _nothing() -> None:
    """It was told before."""
