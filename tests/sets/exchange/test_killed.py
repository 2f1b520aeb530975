"""Exports and imports that are killed at any moment: no half export is taken for one, and no row is doubled."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import embassay
from embassay.sets.examine import problems
from tests.sets.exchange.test_round_trip import exact
from tests.sets.indexed import many

EXPORT = "import sys, embassay; embassay.open(sys.argv[1]).set('docs').export(sys.argv[2], overwrite=True)"
IMPORT = "import sys, embassay; embassay.open(sys.argv[1]).import_set(sys.argv[2], set='copy')"


@pytest.fixture
def large(home, docs, model):
    many(docs, 60)
    home.set("docs").index([docs], model=model, chunk_tokens=24)
    return home.set("docs")


def killed(program, *arguments, after):
    process = subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return process.returncode


def test_imports_that_are_killed_end_as_one_that_was_not(large, home, tmp_path):
    large.export(tmp_path / "out")
    moments = np.random.default_rng(5).uniform(0.4, 2.0, 5)
    codes = [killed(IMPORT, home.folder, tmp_path / "out", after=float(moment)) for moment in moments]
    assert -signal.SIGKILL in codes
    home.import_set(tmp_path / "out", set="copy")
    assert exact(home, "copy") == exact(home, "docs") and problems(home.set("copy").doctor()) == []


def test_an_export_that_is_killed_leaves_the_one_before_it(large, home, tmp_path):
    out = tmp_path / "out"
    large.export(out, format="jsonl")
    for moment in np.random.default_rng(6).uniform(0.4, 1.5, 4):
        killed(EXPORT, home.folder, out, after=float(moment))
        assert (out / "space.json").is_file()
        with embassay.open(tmp_path / f"other{os.urandom(3).hex()}") as other:
            assert other.import_set(out, set="copy").chunks == large.status().chunks
    large.export(out, overwrite=True)
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []


def test_two_exports_to_one_place_at_once(large, tmp_path):
    from embassay.errors import UsageError
    from embassay.sets.exchange.folder import written_whole

    with written_whole(tmp_path / "out"):
        with pytest.raises(UsageError, match="another process is writing"):
            large.export(tmp_path / "out")
    large.export(tmp_path / "out", overwrite=True)


def test_a_full_disk_leaves_nothing(large, tmp_path, monkeypatch):
    import errno

    from embassay.errors import HomeNotWritable

    def full(_descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    for format in ("parquet", "numpy", "jsonl"):
        with pytest.raises(HomeNotWritable, match="No space left"):
            large.export(tmp_path / format, format=format)
    assert [
        one.name for one in tmp_path.iterdir() if "parquet" in one.name or "numpy" in one.name or "jsonl" in one.name
    ] == []
