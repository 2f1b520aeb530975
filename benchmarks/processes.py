"""Commands of embassay as processes: started, killed, watched, and with a note of what their models compute."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

NOTE = struct.Struct("dq")
"""The moment, and how many texts were computed in it."""
DIGEST = 8
"""Bytes."""
GONE_SECONDS = 20.0
"""After which no process of a killed run may be left."""


def start(
    *arguments: str, config: Path | None = None, notes: Path | None = None, output: int = subprocess.DEVNULL
) -> subprocess.Popen[bytes]:
    """`embassay` with these arguments. With `notes` it writes a `NOTE` for whatever its models compute."""
    run = ["benchmarks.processes", str(notes)] if notes else ["embassay.cli.main"]
    environment = os.environ | ({"EMBASSAY_CONFIG": str(config)} if config else {})
    return subprocess.Popen(
        [sys.executable, "-m", *run, *arguments], env=environment, stdout=output, stderr=subprocess.DEVNULL
    )


def noted(notes: Path) -> list[tuple[float, int]]:
    """What a process has written so far: it may have been killed in the middle of a note."""
    if not notes.is_file():
        return []
    written = notes.read_bytes()
    return [*NOTE.iter_unpack(written[: len(written) // NOTE.size * NOTE.size])]


def asked_file(notes: Path) -> Path:
    """Where it is noted which texts of chunks a model was asked for."""
    return notes.with_suffix(".asked")


def digest(text: str, space: str) -> bytes:
    """What stands for a text in the notes that is embedded in the space of this digest."""
    return hashlib.blake2b(f"{space} {text}".encode(), digest_size=DIGEST).digest()


def asked_for(notes: Path) -> list[bytes]:
    """Digests of the texts of chunks that a process has asked its model for, verification apart."""
    file = asked_file(notes)
    written = file.read_bytes() if file.is_file() else b""
    return [written[at : at + DIGEST] for at in range(0, len(written) - DIGEST + 1, DIGEST)]


def lost_seconds(computed: Sequence[tuple[float, int]], stored: int) -> float:
    """Seconds of work behind the moment when as many texts were computed as are stored."""
    done = 0
    for moment, count in computed:
        done += count
        if done >= stored:
            return computed[-1][0] - moment
    return 0.0


def children(parent: int) -> list[int]:
    """The processes that `parent` has started, as Linux tells."""
    found: list[int] = []
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        with suppress(OSError):  # threads end at any time
            found += map(int, task.read_text().split())
    return found


def gone(processes: Sequence[int]) -> bool:
    """Whether all of them end soon."""
    until = time.monotonic() + GONE_SECONDS
    while any(_lives(process) for process in processes):
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _run(notes: Path, arguments: Sequence[str]) -> None:
    """`embassay`, which notes when texts of chunks are computed, and which texts it asks its model for."""
    from embassay.cli import interrupts
    from embassay.embedders.alongside import alongside
    from embassay.engine.stream import Stream
    from embassay.sets.build import run as building

    interrupts.listen()
    computed, asked = (os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND) for file in (notes, asked_file(notes)))
    write, inside = Stream.write, threading.Event()

    def noting(self: Stream, rows: Sequence[int], values: object) -> None:
        write(self, rows, values)  # type: ignore[arg-type]
        if inside.is_set():
            os.write(computed, NOTE.pack(time.monotonic(), len(rows)))

    def asking(items: Any, text_of: Callable[[Any], str | None], embedder: Any, *others: Any) -> Iterator[Any]:
        def text(item: Any) -> str | None:
            found = text_of(item)
            if found is not None:
                os.write(asked, digest(found, embedder.space.digest))
            return found

        inside.set()
        try:
            yield from alongside(items, text, embedder, *others)
        finally:
            inside.clear()

    Stream.write = noting  # type: ignore[method-assign]
    building.alongside = asking  # type: ignore[attr-defined, assignment]
    sys.argv = ["embassay", *arguments]
    from embassay.cli.main import main as command

    interrupts.watch(command)


if __name__ == "__main__":
    _run(Path(sys.argv[1]), sys.argv[2:])
