"""The file that vectors are kept in: its bound, its damage, its other users."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.wrap.cached import Cached
from embassay.errors import CacheError
from embassay.models.cache import VectorCache
from tests.disks import small_disk
from tests.embedders.fakes import TEXTS, counting


def test_cuts_of_documents_stay_within_the_bound(tmp_path):
    cache = VectorCache(tmp_path / "cache.db", max_bytes=1_000_000)
    for i in range(20):
        cache.remember({f"{i:08}{j:08}".encode(): bytes(2000) for j in range(100)})
    assert cache.stats().bytes <= 1_000_000


def test_the_file_stays_within_its_bound(tmp_path):
    cache = VectorCache(tmp_path / "cache.db", max_bytes=2_000_000)
    cached = Cached(counting(384), Keeper(cache))
    for i in range(8):
        cached.embed([f"{i} {j}" for j in range(500)], "document")
    stats = cache.stats()
    assert stats.bytes <= 2_000_000
    assert 500 <= stats.entries < 4000
    before = stats.entries
    gone = cache.prune(1_000_000)
    assert gone > 0
    assert cache.stats().entries == before - gone
    assert (tmp_path / "cache.db").stat().st_size < 1_200_000


def test_hits_are_counted(tmp_path):
    cache = VectorCache(tmp_path / "cache.db")
    cached = Cached(counting(), Keeper(cache))
    cached.embed(TEXTS, "document")
    cached.embed(TEXTS, "document")
    stats = cache.stats()
    assert (stats.entries, stats.hits, stats.misses, stats.hit_rate) == (50, 50, 50, 0.5)


def test_a_damaged_file(tmp_path):
    file = tmp_path / "cache.db"
    inner = counting(384)
    first = VectorCache(file)
    Cached(inner, Keeper(first)).embed([f"text {i}" for i in range(500)], "document")
    first.close()
    content = bytearray(file.read_bytes())
    content[16_384:-16_384] = b"\xff" * (len(content) - 2 * 16_384)
    file.write_bytes(content)
    before = len(inner.texts)
    with pytest.raises(CacheError, match=r"is damaged.*embassay cache clear"):
        Cached(inner, Keeper(VectorCache(file))).embed(["a"], "document")
    assert len(inner.texts) == before, "nothing is paid for that cannot be kept"
    cache = VectorCache(file)
    cache.clear()
    assert Cached(inner, Keeper(cache)).embed(["a"], "document").vectors.any()


def database(file, **pragmas):
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE vectors (mine)")
        for name, value in pragmas.items():
            db.execute(f"PRAGMA {name} = {value}")
        db.commit()


OTHERS = {
    "a text": lambda file: file.write_text("Host *\n" * 100),
    "nothing": lambda file: file.write_bytes(b""),
    "a short file": lambda file: file.write_bytes(b"SQLite format 3\0"),
    "another database": database,
    "a database of our version": lambda file: database(file, user_version=1),
    "another program's": lambda file: database(file, application_id=7, user_version=1),
    "a folder": lambda file: file.mkdir(),
    "a link": lambda file: file.symlink_to(OTHERS["a text"](file.with_name("real")) and file.with_name("real")),
    "a link to nothing": lambda file: file.symlink_to(file.with_name("real")),
    "a link to a cache": lambda file: (cache_at(file.with_name("real")), file.symlink_to(file.with_name("real"))),
}


def cache_at(file):
    with_one = VectorCache(file)
    Cached(counting(), Keeper(with_one)).embed(["a"], "document")
    with_one.close()


@pytest.mark.parametrize("kind", OTHERS)
def test_only_a_cache_of_ours_is_cleared_pruned_or_written(tmp_path, kind):
    file = tmp_path / "other"
    OTHERS[kind](file)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    use = (VectorCache.clear, lambda cache: cache.prune(0), VectorCache.stats, lambda cache: cache.get([b"k"]))
    for at, act in enumerate(use):
        if kind == "nothing" and at > 0:
            continue  # an empty file is where a cache may begin
        with pytest.raises(CacheError, match=r"no cache of embassay.*Look at what it is|cannot be used"):
            act(VectorCache(file))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert os.path.lexists(file)


def test_a_cache_of_before_the_application_id(tmp_path):
    file = tmp_path / "cache.db"
    cache_at(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA application_id = 0")
        db.commit()
    assert VectorCache(file).stats().entries == 1
    VectorCache(file).clear()
    assert not file.exists()


def test_it_is_private(tmp_path):
    file = tmp_path / "new" / "cache.db"
    old = os.umask(0)
    try:
        cache = VectorCache(file)
        Cached(counting(), Keeper(cache)).embed(["a"], "document")
        assert {path.name: oct(path.stat().st_mode & 0o777) for path in (file.parent, *file.parent.iterdir())} == {
            "new": "0o700", "cache.db": "0o600", "cache.db-wal": "0o600", "cache.db-shm": "0o600",
        }  # fmt: skip
        cache.close()
        file.chmod(0o644)
        assert VectorCache(file).stats().entries == 1
        assert oct(file.stat().st_mode & 0o777) == "0o600", "one that is there is made private"
    finally:
        os.umask(old)


def test_a_newer_file(tmp_path):
    file = tmp_path / "cache.db"
    cache_at(file)
    with closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(CacheError, match="later embassay"):
        VectorCache(file).get([b"k"], "truncate")


def test_a_file_that_cannot_be_written(tmp_path):
    folder = tmp_path / "file"
    folder.write_text("a file where a folder should be")
    inner = counting()
    with pytest.raises(CacheError, match="cannot be used"):
        Cached(inner, Keeper(VectorCache(folder / "cache.db"))).embed(["a"], "document")
    assert inner.texts == []


def test_a_read_only_file(tmp_path):
    file = tmp_path / "cache.db"
    first = VectorCache(file)
    Cached(counting(), Keeper(first)).embed(["a"], "document")
    first.close()
    cache = VectorCache(file)
    db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, check_same_thread=False, isolation_level=None)
    cache._db = db
    assert Cached(counting(), Keeper(cache)).embed(["a"], "document").vectors.any()
    with pytest.raises(CacheError, match=r"cannot be used: attempt to write a readonly database.*permissions"):
        Cached(counting(), Keeper(cache)).embed(["b"], "document")


WRITER = """
import sys
from pathlib import Path
from embassay.embedders.keeper import Keeper
from embassay.models.cache import VectorCache
from embassay.embedders.wrap.cached import Cached
from embassay.embedders.providers.hash import HashEmbedder
cached = Cached(HashEmbedder(64), Keeper(VectorCache(Path(sys.argv[1]))))
for i in range(40):
    cached.embed([f"{i} {j} {sys.argv[2] if j % 2 else ''}" for j in range(50)], "document")
"""


def test_processes_share_a_file(tmp_path):
    file = tmp_path / "cache.db"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(file), str(n)]) for n in range(3)]
    assert [w.wait(60) for w in writers] == [0, 0, 0]
    cache = VectorCache(file)
    assert cache.stats().entries == 40 * 25 * 4
    with sqlite3.connect(file) as db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_killed_writer_loses_at_most_what_it_was_writing(tmp_path):
    file = tmp_path / "cache.db"
    endless = WRITER.replace("range(40)", "range(10**9)") + "    print(i, flush=True)\n"
    for n in range(4):
        writer = subprocess.Popen([sys.executable, "-c", endless, str(file), str(n)], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        for _ in range(3 + 2 * n):
            assert writer.stdout.readline(), "it ended by itself"
        writer.kill()
        writer.wait()
    cached = Cached(counting(), Keeper(VectorCache(file)))
    texts = [f"{i} {j} " for i in range(40) for j in range(0, 50, 2)]
    assert (cached.embed(texts, "document").vectors == hashed(texts, 64)).all()


def test_a_full_disk(tmp_path):
    with small_disk(tmp_path / "small", "600k") as place, closing(VectorCache(place / "cache.db")) as cache:
        cached = Cached(counting(384), Keeper(cache))
        with pytest.raises(CacheError, match=r"full.*Free space"):
            for i in range(100):
                cached.embed([f"{i} {j}" for j in range(100)], "document")
