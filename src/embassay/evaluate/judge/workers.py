"""Several requests at once, whose results are handed on as they come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, Queue, SimpleQueue
from typing import TypeVar

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
POLL_SECONDS = 0.05
"""How long a result is waited for before it is looked whether anybody still works."""


def as_they_come(
    items: Sequence[_Item], work: Callable[[_Item], _Result], at_once: int
) -> Iterator[tuple[_Item, _Result]]:
    """(item, result of `work`) in the order in which results come, with at most `at_once` of them in the making.

    When `work` raises, nothing new is begun; what was begun is handed on, and then the first error is raised. Workers
    are daemons: a server that hangs must not keep a stopped process alive.
    """
    todo: SimpleQueue[_Item] = SimpleQueue()
    done: Queue[tuple[_Item, _Result | None, Exception | None]] = Queue()
    stopped = threading.Event()
    for item in items:
        todo.put(item)

    def loop() -> None:
        with suppress(Empty):
            while not stopped.is_set():
                item = todo.get_nowait()
                try:
                    done.put((item, work(item), None))
                except Exception as error:
                    stopped.set()
                    done.put((item, None, error))

    threads = [threading.Thread(target=loop, daemon=True) for _ in range(min(at_once, len(items)))]
    for thread in threads:
        thread.start()
    failed: Exception | None = None
    try:
        while any(thread.is_alive() for thread in threads) or not done.empty():
            try:
                item, result, error = done.get(timeout=POLL_SECONDS)
            except Empty:
                continue
            if error is not None:
                failed = failed or error
            else:
                yield item, result  # type: ignore[misc]
    finally:
        stopped.set()
    if failed:
        raise failed
