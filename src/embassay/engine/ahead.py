"""Work on the next items in a thread of its own, while the ones before them are in use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Generic, TypeVar

In = TypeVar("In")
Out_co = TypeVar("Out_co", covariant=True)


class Ahead(Generic[Out_co]):
    """Results in order, each made ahead of being taken. Used as a context manager, which waits for its thread."""

    def __init__(self, work: Callable[[In], Out_co], items: Iterator[In], name: str) -> None:
        """`items` is consumed in the thread as well."""
        self._pool = ThreadPoolExecutor(1, name)

        def step() -> tuple[Out_co] | None:
            for item in items:
                return (work(item),)
            return None

        self._step = step
        self._next: Future[tuple[Out_co] | None] = self._pool.submit(step)

    @property
    def ready(self) -> bool:
        """Whether `take` returns at once."""
        return self._next.done()

    def wait(self, seconds: float) -> bool:
        """Give it so much time; whether it is ready then."""
        wait([self._next], seconds)
        return self.ready

    def take(self) -> Out_co | None:
        """The next result; None behind the last. Raises what the items or the work raise."""
        made = self._next.result()
        if made is None:
            return None
        self._next = self._pool.submit(self._step)
        return made[0]

    def __enter__(self) -> Ahead[Out_co]:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._pool.shutdown()
