"""A Ctrl-C is told as one whenever it comes: while the program is loaded, while it works, and while it ends.

SIGTERM, by which a machine asks a program to end, is taken alike, but for the exit code.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import FrameType

INTERRUPTED = 130
"""As `exits.ExitCode` has it; that one may not be loaded yet."""
BY_SIGNAL = 128
"""What a program exits with that a signal ended, besides the number of the signal."""
SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_SECONDS = 2.0
"""For work that can end softly: it finishes what it has begun, and after this it is cut short."""
STOPPED = b"embassay: stopped.\n"
AS_JSON = b'{"error": {"code": "interrupted", "message": "stopped.", "remedy": "", "actions": []}}\n'
IMPORTS, AGAIN_SECONDS = "<frozen importlib", 0.005
"""Python's own import code may keep a lock for ever where an exception comes between: it is let out first."""
_noted: list[int] = []
"""The signals that came in `watch`."""
_soft: list[Callable[[], bool]] = []
"""Asks the work that began last to end softly, and says whether it is still at work."""
_Handler = Callable[[int, FrameType | None], None]


def came() -> bool:
    """Whether there was a Ctrl-C in `watch`: whatever was raised after it is taken to come of it.

    Libraries turn it into errors of their own, above all while they are imported.
    """
    return bool(_noted)


def soften(stop: Callable[[], bool]) -> None:
    """Have the next Ctrl-C call `stop`, as long as that says that its work goes on, before anything is cut short."""
    _soft[:] = [stop]


def listen() -> None:
    """From now on a Ctrl-C ends the process at once: nothing was begun that would have to be ended.

    Where it is ignored, as in the background, it stays so.
    """
    for number, default in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) is default:
            signal.signal(number, _before)


def watch(run: Callable[[], None]) -> None:
    """`run` with a Ctrl-C as an exception like any other. Once it is done, what still ends is not waited for."""
    listening = [number for number in SIGNALS if signal.getsignal(number) is _before]
    try:
        _handle(listening, _while_it_works)
        run()
    except KeyboardInterrupt:
        _before()
    except SystemExit as left:
        if left.code == INTERRUPTED and listening:
            _flush()
            os._exit(_code())  # told and closed: threads that still wait for something are not waited for
        _handle(listening, _after)
        _leave(left.code)
        raise
    finally:
        _handle(listening, _after)


def _leave(code: object) -> None:
    """End the process as the interpreter would, with its threads and what is registered to be done at the end, but do
    not take down every module and library: that takes a fifth of a short command."""
    import atexit
    import threading

    if not isinstance(code, int):
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # the interpreter says so in its own way
        return
    os._exit(code)


def _handle(numbers: Sequence[int], handler: _Handler) -> None:
    for number in numbers:
        signal.signal(number, handler)


def _code(number: int = signal.SIGINT) -> int:
    """What to exit with: after the first signal that came in `watch`, else after this one."""
    return BY_SIGNAL + (_noted[0] if _noted else number)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()


def _before(number: int = signal.SIGINT, _frame: FrameType | None = None) -> None:
    with suppress(OSError):
        if "--json" in sys.argv:
            os.write(1, AS_JSON)
        os.write(2, STOPPED)
    os._exit(_code(number))


def _while_it_works(number: int, frame: FrameType | None) -> None:
    if _noted:  # whoever asks twice will not wait: what is stored survives a kill
        _before()
    if _soft and _soft[0]():
        _noted.append(number)
        _call_again(_cut_short, GRACE_SECONDS)
    else:
        _interrupt(number, frame)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if frame is not None and frame.f_code.co_filename.startswith(IMPORTS):
        _call_again(lambda _, later: _interrupt(number, later), AGAIN_SECONDS)
        return
    _noted.append(number)
    signal.default_int_handler(number, frame)


def _cut_short(_number: int, frame: FrameType | None) -> None:
    """The grace is over: where the work still goes on, it ends here and now."""
    if _soft[0]():
        _interrupt(_noted[0], frame)


def _call_again(handler: _Handler, seconds: float) -> None:
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _after(number: int, _frame: FrameType | None) -> None:
    os._exit(_code(number))
