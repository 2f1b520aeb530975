"""A Ctrl-C ends the program in one line and with 130, whatever it is doing: loading, working or ending."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from embassay.cli.exits import ExitCode

PAUSE = """
    import os, signal, sys
    class Interrupted:
        def find_spec(self, name, path=None, target=None):
            if name == {module!r}:
                os.kill(os.getpid(), signal.SIGINT)
            return None
    sys.meta_path.insert(0, Interrupted())
    sys.argv = ["embassay", *{arguments!r}]
    from embassay.cli.start import main
    main()
"""
"""A program that is interrupted at the moment when it begins to import a module."""
LOADED = [
    "embassay.plugins", "embassay.cli.exits", "embassay.cli.main", "typer", "embassay.cli.commands.search",
    "embassay.home", "embassay.stores.hot.store", "numpy", "simsimd", "embassay.search.run", "embassay.stores.backends.lance",
]  # fmt: skip


def started(code: str, cwd, **options) -> subprocess.CompletedProcess[str]:
    def listening() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=cwd, capture_output=True, text=True, timeout=120, check=False, preexec_fn=listening, **options,
    )  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("interrupted")
    (root / "docs").mkdir()
    (root / "docs" / "a.md").write_text("# Keys\n\nRotate a key.\n")
    index = [sys.executable, "-m", "embassay.cli.main", "index", "docs", "-m", "hash/64"]
    subprocess.run(index, cwd=root, check=True, capture_output=True)
    return root


@pytest.mark.parametrize("module", LOADED)
def test_while_modules_are_loaded(module, place):
    done = started(PAUSE.format(module=module, arguments=["search", "a key"]), place)
    assert (done.returncode, done.stdout) == (ExitCode.INTERRUPTED, ""), done.stderr
    assert done.stderr == "embassay: stopped.\n"


@pytest.mark.parametrize("module", ["embassay.plugins", "typer", "simsimd"])
def test_while_modules_are_loaded_for_a_program(module, place):
    done = started(PAUSE.format(module=module, arguments=["search", "a key", "--json"]), place)
    assert done.returncode == ExitCode.INTERRUPTED
    assert json.loads(done.stdout)["error"]["code"] == "interrupted" and done.stderr == "embassay: stopped.\n"


def test_a_library_that_makes_another_error_of_it(place):
    code = """
        import os, signal, sys
        class Broken:
            def find_spec(self, name, path=None, target=None):
                if name == "simsimd":
                    try:
                        os.kill(os.getpid(), signal.SIGINT)
                        __import__("time").sleep(5)
                    except KeyboardInterrupt:
                        raise ImportError("numpy.core.multiarray failed to import") from None
        sys.meta_path.insert(0, Broken())
        sys.argv = ["embassay", "search", "a key"]
        from embassay.cli.start import main
        main()
    """
    done = started(code, place)
    assert (done.returncode, done.stderr) == (ExitCode.INTERRUPTED, "embassay: stopped.\n")


def test_while_the_process_ends(place):
    code = """
        import atexit, os, signal, sys
        atexit.register(lambda: (os.kill(os.getpid(), signal.SIGINT), __import__("time").sleep(5)))
        sys.argv = ["embassay", "search", "a key", "--json"]
        from embassay.cli.start import main
        main()
    """
    done = started(code, place)
    assert (done.returncode, done.stderr) == (ExitCode.INTERRUPTED, "")
    assert json.loads(done.stdout)["hits"], "what was asked for was told before"


SOFT = """
    import os, signal, sys, time
    from embassay.cli import interrupts
    interrupts.GRACE_SECONDS = 0.3
    told = []
    def stop():
        told.append("asked")
        return {at_work}
    def run():
        interrupts.soften(stop)
        try:
            for number in ({signals}):
                os.kill(os.getpid(), number)
            time.sleep({seconds})
            print("ended by itself", told)
        except KeyboardInterrupt:
            print("cut short", told)
        sys.exit(130)
    interrupts.listen()
    interrupts.watch(run)
"""


@pytest.mark.parametrize(
    ("signals", "at_work", "seconds", "said", "code"),
    [
        ("signal.SIGINT,", True, 0, "ended by itself ['asked']", 130),
        ("signal.SIGTERM,", True, 0, "ended by itself ['asked']", 143),
        ("signal.SIGINT,", True, 30, "cut short ['asked', 'asked']", 130),
        ("signal.SIGTERM,", True, 30, "cut short ['asked', 'asked']", 143),
        ("signal.SIGINT,", False, 30, "cut short ['asked']", 130),
        ("signal.SIGINT, signal.SIGINT", True, 30, "", 130),
        ("signal.SIGTERM, signal.SIGINT", True, 30, "", 143),
    ],
)
def test_work_that_can_end_softly_is_given_time(signals, at_work, seconds, said, code, place):
    """It is cut short where it takes too long, is over, or is asked twice."""
    done = started(SOFT.format(signals=signals, at_work=at_work, seconds=seconds), place)
    assert (done.returncode, done.stdout.strip()) == (code, said)
    assert ("stopped." in done.stderr) == (not said)


def test_a_machine_that_ends_the_program_is_told_so(place):
    code = PAUSE.replace("signal.SIGINT", "signal.SIGTERM").format(module="simsimd", arguments=["search", "a key"])
    done = started(code, place)
    assert (done.returncode, done.stdout, done.stderr) == (ExitCode.TERMINATED, "", "embassay: stopped.\n")


def test_a_program_in_the_background_is_not_stopped_by_the_ctrl_c_of_another(place):
    def ignoring() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    code = textwrap.dedent(PAUSE.format(module="simsimd", arguments=["search", "a key", "--json"]))
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=place, capture_output=True, text=True, check=False, preexec_fn=ignoring
    )
    assert done.returncode == ExitCode.DONE and json.loads(done.stdout)["hits"]


def test_the_installed_program_begins_there():
    import tomllib
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["scripts"]["embassay"] == "embassay.cli.start:main"


ENDS = """
    import atexit, sys, threading, time
    from embassay.cli import interrupts
    def run():
        atexit.register(print, "registered")
        threading.Thread(target=lambda: (time.sleep(0.3), print("thread"))).start()
        print("run", end=" ")
        sys.exit({code})
    interrupts.listen()
    interrupts.watch(run)
"""


@pytest.mark.parametrize(
    ("code", "exit_code", "error"), [("3", 3, ""), ("0", 0, ""), ("'no number'", 1, "no number\n")]
)
def test_what_still_has_to_be_done_is_done_before_the_process_leaves(code, exit_code, error, place):
    """It leaves without taking down what was loaded: threads and what was registered for the end come first."""
    done = started(ENDS.format(code=code), place)
    assert (done.returncode, done.stdout, done.stderr) == (exit_code, "run thread\nregistered\n", error)


def test_an_output_that_takes_nothing_more_is_told():
    code = "import sys; from embassay.cli import interrupts; interrupts.watch(lambda: (print('much'), sys.exit(0)))"
    held = {**os.environ, "PYTHONUNBUFFERED": ""}  # until the end
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, env=held, check=False
        )
    assert done.returncode == 120 and "No space left" in done.stderr
