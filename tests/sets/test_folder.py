"""Homes that are missing, damaged, unwritable, or of another time."""

import os
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
from embassay.sets import schema
from embassay.sets.database import Database
from embassay.sets.folder import HomeFolder, find_home
from tests.disks import small_disk
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
def disk(tmp_path):
    """A disk of 6 MB."""
    with small_disk(tmp_path / "disk", "6m") as place:
        yield place


def test_full_disk_loses_nothing(disk, docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(disk / "home") as opened:
        opened.index([docs], model=model)
        before = opened.status()[0].chunks
        for i in range(400):
            (docs / f"big{i}.txt").write_text(f"rotate key {i} " * 400)
        with pytest.raises(HomeNotWritable, match="disk is full"):
            opened.index([docs])
    with embassay.open(disk / "home") as opened:
        assert opened.status()[0].chunks >= before
        assert opened.search("rotate the key", mode="lexical").hits
        for file in docs.glob("big*"):
            file.unlink()
        (disk / "ballast").unlink(missing_ok=True)


def test_read_only_disk_can_be_searched(disk, docs, tmp_path):
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(disk / "home") as opened:
        opened.index([docs], model=model)
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with embassay.open(disk / "home") as opened:
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


def test_a_read_only_disk_with_the_log_of_a_killed_process(disk, docs, tmp_path):
    home = HomeFolder(disk / "home")
    with embassay.open(home.folder) as opened:
        opened.index([docs], model=str(write_model(tmp_path / "model", CASES["bert"])))
    killed = subprocess.run([sys.executable, "-c", WRITE_AND_DIE, home.folder], check=False)
    assert killed.returncode == -signal.SIGKILL and (home.folder / "state.db-wal").stat().st_size
    (home.folder / "state.db-shm").unlink()  # as after a restart of the machine, or in a copy of the folder
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    with closing(home.state()) as state:
        rows = {row.path: row.chunks for row in state.sources(state.live("default"))}
    assert rows["last.md"] == 7


def test_nothing_is_written_outside_the_home(home, docs):
    inside = {path.name for path in home.iterdir()}
    assert inside <= {"state.db", "state.db-wal", "state.db-shm", "vectors", "locks", ".gitignore"}
    assert {path.name for path in docs.parent.iterdir()} == {".embassay", "docs"}
    assert not Path("embassay.db").exists()


# -- what came with a checkout ----------------------------------------------------------------------------

LINKS = {
    "state.db": "file", "cache.db": "file", "state.db-wal": "file", "state.db.format-1": "file", "vectors": "folder",
    "locks": "folder", "scratch": "folder", "locks/x.lock": "file", "vectors/x.lance": "folder",
    "vectors/x.lance/data": "folder",
}  # fmt: skip


@pytest.mark.parametrize("name", LINKS)
@pytest.mark.parametrize("there", [True, False])
def test_nothing_is_written_through_a_link(name, there, docs, tmp_path):
    target = tmp_path / "elsewhere"
    if there:
        target.write_text("Host *\n") if LINKS[name] == "file" else target.mkdir()
    link = docs.parent / ".embassay" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(target)
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    with embassay.open(docs.parent / ".embassay") as opened, pytest.raises(HomeNotWritable, match="is a link"):
        opened.index([docs], model=model)
    assert not there or (target.read_text() == "Host *\n" if target.is_file() else not [*target.iterdir()])
    assert there or not target.exists()


def test_a_home_that_was_used_before_is_checked_as_well(home, tmp_path):
    table = next((home / "vectors").glob("*.lance"))
    shutil.move(table / "data", tmp_path / "data")
    (table / "data").symlink_to(tmp_path / "data")
    with pytest.raises(HomeNotWritable, match="is a link"):
        embassay.open(home).search("key")


@pytest.mark.parametrize("content", [None, "Host *\n"])
def test_the_list_of_what_git_ignores_is_made_once(docs, tmp_path, content):
    target, folder = tmp_path / "config", docs.parent / ".embassay"
    if content:
        target.write_text(content)
    folder.mkdir()
    (folder / ".gitignore").symlink_to(target)
    with embassay.open(folder) as opened:
        opened.index([docs], model=str(write_model(tmp_path / "model", CASES["bert"])))
    assert (target.read_text() if target.exists() else None) == content
    (folder / ".gitignore").unlink()
    (folder / ".gitignore").write_text("mine\n")
    with embassay.open(folder) as opened:
        opened.index([docs])
    assert (folder / ".gitignore").read_text() == "mine\n"


def test_a_home_that_is_a_link_is_followed_where_it_is_named(home, docs, tmp_path, monkeypatch):
    moved = tmp_path / "moved"
    shutil.move(home, moved)
    home.symlink_to(moved)
    monkeypatch.chdir(docs)
    for create in (False, True):
        with pytest.raises(HomeNotFound, match="is a link"):
            find_home(create=create)
    assert find_home(home).folder == home
    monkeypatch.setenv("EMBASSAY_HOME", str(home))
    with embassay.open() as opened:
        assert opened.search("rotate the key").hits


def test_a_home_is_private(docs, tmp_path):
    folder = docs.parent / ".embassay"
    model = str(write_model(tmp_path / "model", CASES["bert"]))
    old = os.umask(0)
    try:
        with embassay.open(folder) as opened:
            opened.index([docs], model=model)
            opened.search("key")
            assert loose(folder) == []
            for path in (folder, *folder.rglob("*")):
                path.chmod(0o777 if path.is_dir() else 0o666)
        with embassay.open(folder) as opened:
            opened.status()
            assert [path for path in loose(folder) if path.parent in (folder, folder.parent)] == []
            opened.index([docs])
        assert loose(folder) == [], "one that is there is made private"
    finally:
        os.umask(old)


def loose(folder):
    return sorted(path for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077)


def test_a_folder_that_is_not_only_a_home_keeps_its_rights(docs, tmp_path):
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "other").write_text("theirs")
    (folder / "other").chmod(0o644)
    with embassay.open(folder) as opened:
        opened.index([docs], model=str(write_model(tmp_path / "model", CASES["bert"])))
    assert [folder / "other"] == [path for path in loose(folder) if path != folder]
    assert folder.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("name", ["../../x", "a/b", "", "..", "a\0b", "x" * 300 + "/", "."])
def test_no_name_of_a_generation_leads_out(home, name):
    with sqlite3.connect(home / "state.db") as db:
        db.execute("UPDATE generations SET name = ?", (name,))
    before = sorted(home.parent.parent.rglob("*"))
    for use in (lambda opened: opened.search("key"), lambda opened: opened.index([home.parent / "docs"])):
        with embassay.open(home) as opened, pytest.raises(EmbassayError):
            use(opened)
    assert sorted(home.parent.parent.rglob("*")) == before


def test_backups_are_private_and_follow_no_link(tmp_path):
    shutil.unpack_archive(Path(__file__).with_name("home_of_format_1.tar.gz"), tmp_path)
    (file,) = tmp_path.rglob("state.db")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("theirs")
    for version in (1, 2):
        file.with_name(f"state.db.format-{version}.{os.getpid()}.new").symlink_to(elsewhere)
    old = os.umask(0)
    try:
        Database(file).close()
    finally:
        os.umask(old)
    assert elsewhere.read_text() == "theirs"
    assert schema.backup_of(file, 1).stat().st_mode & 0o777 == 0o600 and not schema.backup_of(file, 1).is_symlink()
