"""A Ctrl-C is told as one whenever it comes: while the program is loaded, while it works, and while it ends."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130
"""As `exits.ExitCode` has it; that one may not be loaded yet."""
STOPPED = b"embassay: stopped.\n"
AS_JSON = b'{"error": {"code": "interrupted", "message": "stopped.", "remedy": "", "actions": []}}\n'
IMPORTS, AGAIN_SECONDS = "<frozen importlib", 0.005
"""Python's own import code may keep a lock for ever where an exception comes between: it is let out first."""
_noted: list[int] = []


def came() -> bool:
    """Whether there was a Ctrl-C in `watch`: whatever was raised after it is taken to come of it.

    Libraries turn it into errors of their own, above all while they are imported.
    """
    return bool(_noted)


def listen() -> None:
    """From now on a Ctrl-C ends the process at once: nothing was begun that would have to be ended.

    Where it is ignored, as in the background, it stays so.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _before)


def watch(run: Callable[[], None]) -> None:
    """`run` with a Ctrl-C as an exception like any other. Once it is done, what still ends is not waited for."""
    listening = signal.getsignal(signal.SIGINT) is _before
    try:
        if listening:
            signal.signal(signal.SIGINT, _while_it_works)
        run()
    except KeyboardInterrupt:
        _before()
    except SystemExit as left:
        if left.code == INTERRUPTED and listening:
            _flush()
            os._exit(INTERRUPTED)  # told and closed: threads that still wait for something are not waited for
        raise
    finally:
        if listening:
            signal.signal(signal.SIGINT, _after)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _before(_number: int = 0, _frame: FrameType | None = None) -> None:
    with suppress(OSError):
        if "--json" in sys.argv:
            os.write(1, AS_JSON)
        os.write(2, STOPPED)
    os._exit(INTERRUPTED)


def _while_it_works(number: int, frame: FrameType | None) -> None:
    if _noted and number == signal.SIGINT:  # whoever asks twice will not wait: what is stored survives a kill
        _before()
    if frame is not None and frame.f_code.co_filename.startswith(IMPORTS):
        signal.signal(signal.SIGALRM, _while_it_works)
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        return
    _noted.append(number)
    signal.default_int_handler(number, frame)


def _after(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
