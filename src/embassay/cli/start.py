"""Where the program begins. Nothing else is loaded before, so that a Ctrl-C is told as one whenever it comes."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

INTERRUPTED = 130
"""As `exits.ExitCode` has it; that one is not loaded yet."""
STOPPED = b"embassay: stopped.\n"
AS_JSON = b'{"error": {"code": "interrupted", "message": "stopped.", "remedy": "", "actions": []}}\n'


def main() -> None:
    """Run the command line. While it is loaded, and once it is done, a Ctrl-C ends the process at once.

    While a command runs, a Ctrl-C is an exception like any other. Libraries turn it into errors of their own, above all
    while they are imported, so that it is also noted.
    """
    listening = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not in the background
    if listening:
        signal.signal(signal.SIGINT, _before)
    from embassay.cli import failures
    from embassay.cli import main as entry

    def noted(number: int, frame: FrameType | None) -> None:
        failures.interrupted.set()
        signal.default_int_handler(number, frame)

    try:
        if listening:
            signal.signal(signal.SIGINT, noted)
        entry.main()
    except KeyboardInterrupt:
        _before()
    finally:
        if listening:
            signal.signal(signal.SIGINT, _after)


def _before(_number: int = 0, _frame: FrameType | None = None) -> None:
    """Nothing was begun yet, so that nothing has to be ended."""
    try:
        if "--json" in sys.argv:
            os.write(1, AS_JSON)
        os.write(2, STOPPED)
    except OSError:
        pass
    os._exit(INTERRUPTED)


def _after(_number: int, _frame: FrameType | None) -> None:
    """All that was asked for is done and told; what still ends by itself is not waited for."""
    os._exit(INTERRUPTED)
