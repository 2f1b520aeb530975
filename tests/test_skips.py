"""The last lines of a run name what was skipped."""

import subprocess
import sys

TESTS = """
import pytest


@pytest.mark.parametrize("at", range(3))
def test_needs_data(at):
    pytest.skip("needs the data")


@pytest.mark.skipif(True, reason="no browser")
def test_needs_a_browser(): ...


def test_passes(): ...
"""


def last_lines(folder, text: str) -> list[str]:
    (folder / "test_some.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.skips", "-p", "no:cacheprovider", "--rootdir", folder]
    return subprocess.run([*command, folder], capture_output=True, text=True, check=True).stdout.splitlines()


def test_reasons_are_counted_below_everything_else(tmp_path):
    assert last_lines(tmp_path, TESTS)[-3:] == [
        "4 tests were skipped and proved nothing:",
        "     3  needs the data",
        "     1  no browser",
    ]


def test_a_run_without_skips_says_so(tmp_path):
    assert last_lines(tmp_path, "def test_passes(): ...\n")[-1] == "No test was skipped."
