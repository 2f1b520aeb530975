"""Threads: how many cores there are for them, and how asyncio waits for work that blocks."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 64
"""Calls that run at once; asyncio's own pool has a handful."""


async def in_thread(work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
    """The result of ``work(*arguments)``, which runs in a thread while asyncio goes on."""
    import asyncio
    from functools import partial

    return await asyncio.get_running_loop().run_in_executor(_threads(), partial(work, *arguments, **named))


def cpu_count() -> int:
    """How many cores this process may use, which may be fewer than the machine has."""
    import os

    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # macOS and Windows do not say
        return os.cpu_count() or 1


@cache
def _threads() -> ThreadPoolExecutor:
    from concurrent.futures import ThreadPoolExecutor

    return ThreadPoolExecutor(THREADS, "blocking")
