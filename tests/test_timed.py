"""A program that ends while a model computes in a thread of its own."""

import subprocess
import sys
import textwrap

PROGRAM = """
    import os, signal, threading, time
    from embassay.timed import Timed

    class Slow(Timed):
        remote = {remote}

        def make(self, items):
            signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)
            {work}
            yield from items

        def size(self, made):
            return 1

    try:
        Slow(100).within({{str(at): at for at in range(3)}}, 600_000)
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


def said(**program):
    code = textwrap.dedent(PROGRAM).format(**program)
    done = subprocess.run([sys.executable, "-X", "dev", "-c", code], capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.splitlines()


def test_what_is_computed_comes_to_its_end_before_the_interpreter_does():
    """Native code that is still at work then ends the process by a signal. What has not begun is left."""
    assert said(remote=False, work="time.sleep(0.5); os.write(1, b'computed\\n')") == ["stopped", "computed"]


def test_a_reply_is_not_waited_for():
    assert said(remote=True, work="time.sleep(600)") == ["stopped"]
