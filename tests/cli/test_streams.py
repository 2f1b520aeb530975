"""Where output goes and what the process finds around it: other encodings, closed and full streams, missing folders."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from embassay.cli.exits import ExitCode

PROGRAM = f"{sys.executable} -m embassay.cli.main"
ENCODINGS = {
    "ascii": "PYTHONIOENCODING=ascii",
    "latin-1": "PYTHONIOENCODING=latin-1",
    "cp437": "PYTHONIOENCODING=cp437",
    "utf-16": "PYTHONIOENCODING=utf-16",
    "the C locale": "LC_ALL=C PYTHONCOERCECLOCALE=0 PYTHONUTF8=0",
    "POSIX": "LC_ALL=POSIX LANG=",
}
TEXT = "Rotate a key — with keyctl · now. 東京 🙂"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "a.md").write_text(f"# Keys\n\n{TEXT}\n", encoding="utf-8")
    return tmp_path


def shell(command: str, cwd) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", command.replace("embassay", PROGRAM)], cwd=cwd, capture_output=True, check=False
    )


@pytest.mark.parametrize("name", ENCODINGS)
def test_output_that_is_not_utf8(name, place):
    """What has no bytes there is a question mark, and nothing is lost that was to be done."""
    index = shell(f"{ENCODINGS[name]} embassay index docs -m hash/64", place)
    assert index.returncode == ExitCode.DONE and b"unexpected" not in index.stderr
    assert b"embedded" in index.stdout.replace(b"\0", b"")
    found = shell(f"{ENCODINGS[name]} embassay search 'a key' --json", place)
    assert found.returncode == ExitCode.DONE, found.stderr
    hit = json.loads(found.stdout.decode("utf-16" if name == "utf-16" else "ascii" if name != "POSIX" else "utf-8"))[
        "hits"
    ][0]
    assert TEXT in hit["text"], "JSON escapes what the encoding does not have"
    failed = shell(f"{ENCODINGS[name]} embassay search 'a key' --set '東京 ·'", place)
    assert failed.returncode == ExitCode.FAILED and b"Traceback" not in failed.stderr


@pytest.mark.parametrize("where", [">&-", "2>&-", ">&- 2>&-", "<&-", "2>/dev/full"])
def test_streams_that_are_closed_or_full(where, place):
    done = shell(f"embassay index docs -m hash/64 {where}", place)
    assert done.returncode == ExitCode.DONE and b"Traceback" not in done.stderr + done.stdout
    found = json.loads(shell("embassay status --json", place).stdout)
    assert found["sets"][0]["chunks"] == 1


@pytest.mark.parametrize("where", [">&-", "2>&-", ">&- 2>&-", "2>/dev/full", ">/dev/full"])
def test_errors_that_nobody_can_be_told(where, place):
    done = shell(f"embassay search x --set none --json {where}", place)
    assert done.returncode == ExitCode.FAILED and b"Traceback" not in done.stderr + done.stdout


def test_a_working_folder_that_is_gone(place):
    for command in ("status", "search x", "index docs", "judge new x -o y"):
        done = shell(f"mkdir gone; cd gone; rmdir ../gone; embassay {command} --json", place)
        error = json.loads(done.stdout)["error"]
        assert (done.returncode, error["code"]) == (ExitCode.FAILED, "os_error")
        assert error["message"] == "the working folder is gone." and error["remedy"]


def test_a_missing_folder_for_temporary_files(place):
    """What needs none works without; what needs one names it."""
    done = shell("TMPDIR=/no/such embassay index docs -m hash/64 --json", place)
    said = json.loads(done.stdout)
    assert done.returncode == ExitCode.DONE or "TMPDIR" in said["error"]["remedy"], said
    assert b"unexpected" not in done.stderr


HOMES = [
    "HOME=/no/such XDG_CACHE_HOME=",
    "HOME= XDG_CACHE_HOME=",
    "XDG_CACHE_HOME=/proc/none",
    "XDG_CACHE_HOME=/dev/null",
    "XDG_CACHE_HOME=~nouser",
]


@pytest.mark.parametrize("around", HOMES)
def test_a_home_folder_of_the_user_that_is_none(around, place):
    """Without a home of the project the cache would stand there."""
    done = shell(f"{around} embassay cache stats --json", place)
    said = json.loads(done.stdout)
    assert done.returncode in (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE) and b"unexpected" not in done.stderr
    assert "entries" in said or said["error"]["message"]
    done = shell(f"{around} embassay index docs -m hash/64 --json", place)
    assert b"unexpected" not in done.stderr and b"Traceback" not in done.stderr


@pytest.mark.parametrize("variable", ["EMBASSAY_HOME", "EMBASSAY_CONFIG"])
def test_a_path_of_nobody_in_the_environment(variable, place):
    for path in ("~nouser/x", "/no/such/x", "/dev/null/x", "x" * 5000):
        done = shell(f"{variable}={path} embassay index docs -m hash/64 --json", place)
        assert b"unexpected" not in done.stderr and b"Traceback" not in done.stderr
        assert done.returncode in (ExitCode.DONE, ExitCode.FAILED, ExitCode.USAGE)
    assert not (place / "~nouser").exists()
