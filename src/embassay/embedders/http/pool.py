"""Threads for requests: started as work comes in, and none of them keeps a program from ending."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

T = TypeVar("T")


class Pool(Generic[T]):
    """Daemon threads: unlike those of concurrent.futures, they let a program end while a service hangs."""

    def __init__(self, size: int) -> None:
        self._size = max(1, size)
        self._work: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._under_way: set[Future[T]] = set()
        self.started = 0

    def submit(self, work: Callable[..., T], *arguments: object) -> Future[T]:
        """Run ``work(*arguments)`` in one of the threads, as soon as one is free, with the context of the caller.

        Its result is in the future.
        """
        future: Future[T] = Future()
        context = copy_context()

        def run() -> None:
            if not future.set_running_or_notify_cancel():
                return
            self._under_way.add(future)
            try:
                future.set_result(context.run(work, *arguments))
            except BaseException as error:
                future.set_exception(error)
            finally:
                self._under_way.discard(future)

        self._work.put(run)
        if self.started < self._size:
            self.started += 1
            threading.Thread(target=self._serve, name="http", daemon=True).start()
        return future

    def close(self) -> None:
        """Work that has not begun is dropped; requests under way end by their own timeouts."""
        with suppress(Empty):
            while True:
                self._work.get_nowait()
        for _ in range(self.started):
            self._work.put(None)

    def settle(self, seconds: float) -> None:
        """Wait for what is under way, but no longer than that."""
        wait(self._under_way.copy(), seconds)

    def _serve(self) -> None:
        while (run := self._work.get()) is not None:
            run()
