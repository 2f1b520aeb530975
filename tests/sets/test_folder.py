"""Homes that are missing, damaged, unwritable, or of another time."""

import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import embassay
from embassay.errors import EmbassayError, HomeCorrupt, HomeNotFound, HomeNotWritable, HomeTooNew
from embassay.sets.folder import HomeFolder, find_home
from tests.tiny import CASES, write_model


@pytest.fixture
def home(docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    folder = docs.parent / ".embassay"
    with embassay.open(folder) as opened:
        opened.index([docs], model=model)
    return folder


def test_found_by_walking_up(home, docs, monkeypatch):
    monkeypatch.chdir(docs / "network")
    assert find_home().folder == home
    monkeypatch.setenv("EMBASSAY_HOME", str(home))
    monkeypatch.chdir("/")
    assert find_home().folder == home


def test_not_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HomeNotFound, match=r"Make one: index\('FOLDER'\)"):
        find_home()
    with pytest.raises(HomeNotFound):
        embassay.open(tmp_path / "none").search("key")
    assert not (tmp_path / "none").exists(), "asking makes nothing"


def test_a_home_moves_with_its_project(home, docs, tmp_path):
    shutil.move(docs.parent, tmp_path / "moved")
    with embassay.open(tmp_path / "moved/.embassay") as opened:
        assert opened.search("rotate the key").hits[0].chunk.path == "docs/keys.md"
        assert opened.index([tmp_path / "moved/docs"]).embedded == 0


@pytest.mark.parametrize("content", [b"garbage" * 1000, b"SQLite format 3\0" + b"\xff" * 5000])
def test_corrupt_state(home, content):
    for file in home.glob("state.db*"):
        file.unlink()
    (home / "state.db").write_bytes(content)
    with pytest.raises(HomeCorrupt, match=r"state\.db is damaged"):
        embassay.open(home).search("key")
    with pytest.raises(HomeCorrupt):
        embassay.open(home).index([home.parent / "docs"])


def test_a_later_embassay_wrote_it(home):
    with sqlite3.connect(home / "state.db") as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(HomeTooNew, match="Upgrade embassay"):
        embassay.open(home).search("key")


def test_a_home_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(HomeNotWritable, match="is a file"):
        embassay.open(tmp_path / "file")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 6 MB; needs the right to mount."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", place], check=False, capture_output=True
    ).returncode:
        pytest.skip("needs the right to mount a small disk")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def test_full_disk_loses_nothing(small_disk, docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(small_disk / "home") as opened:
        opened.index([docs], model=model)
        before = opened.status()[0].chunks
        for i in range(400):
            (docs / f"big{i}.txt").write_text(f"rotate key {i} " * 400)
        with pytest.raises(HomeNotWritable, match="disk is full"):
            opened.index([docs])
    with embassay.open(small_disk / "home") as opened:
        assert opened.status()[0].chunks >= before
        assert opened.search("rotate the key", mode="lexical").hits
        for file in docs.glob("big*"):
            file.unlink()
        (small_disk / "ballast").unlink(missing_ok=True)


def test_read_only_disk_can_be_searched(small_disk, docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(small_disk / "home") as opened:
        opened.index([docs], model=model)
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with embassay.open(small_disk / "home") as opened:
        assert opened.search("rotate the key").hits
        (docs / "new.md").write_text("new text")
        with pytest.raises(EmbassayError, match="cannot be written"):
            opened.index([docs])


WRITE_AND_DIE = """
import os, pathlib, signal, sys
from embassay.sets.folder import HomeFolder
from embassay.sets.state import SourceRow
state = HomeFolder(pathlib.Path(sys.argv[1])).state()
state.put(state.live("default"), [SourceRow("last.md", 1, 2, "digest", chunks=7)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_read_only_disk_with_the_log_of_a_killed_process(small_disk, docs, tmp_path):
    home = HomeFolder(small_disk / "home")
    with embassay.open(home.folder) as opened:
        opened.index([docs], model=str(write_model(tmp_path / "model", CASES["bert"])))
    killed = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, home.folder], check=False)
    assert killed.returncode == -signal.SIGKILL and (home.folder / "state.db-wal").stat().st_size
    (home.folder / "state.db-shm").unlink()  # as after a restart of the machine, or in a copy of the folder
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with closing(home.state()) as state:
        rows = {row.path: row.chunks for row in state.sources(state.live("default"))}
    assert rows["last.md"] == 7


def test_nothing_is_written_outside_the_home(home, docs):
    inside = {path.name for path in home.iterdir()}
    assert inside <= {"state.db", "state.db-wal", "state.db-shm", "vectors", "locks", ".gitignore"}
    assert {path.name for path in docs.parent.iterdir()} == {".embassay", "docs"}
    assert not Path("embassay.db").exists()
