"""The file that vectors are kept in: its bound, its damage, its other users."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys

import pytest

from embassay.embedders.keeper import Keeper
from embassay.embedders.providers.hash import hashed
from embassay.embedders.wrap.cached import Cached
from embassay.errors import CacheError
from embassay.models.cache import VectorCache
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
    file.write_bytes(b"this is no database, but it is long enough to be read as one" * 100)
    inner = counting()
    with pytest.raises(CacheError, match=r"is damaged.*embassay cache clear"):
        Cached(inner, Keeper(VectorCache(file))).embed(["a"], "document")
    assert inner.texts == [], "nothing is paid for that cannot be kept"
    cache = VectorCache(file)
    cache.clear()
    assert Cached(inner, Keeper(cache)).embed(["a"], "document").vectors.any()


def test_a_newer_file(tmp_path):
    file = tmp_path / "cache.db"
    with sqlite3.connect(file) as db:
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


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a small disk of its own, which only root can mount")
def test_a_full_disk(tmp_path):
    place = tmp_path / "small"
    place.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", place], check=False, capture_output=True
    ).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        cache = VectorCache(place / "cache.db")
        cached = Cached(counting(384), Keeper(cache))
        with pytest.raises(CacheError, match=r"full.*Free space"):
            for i in range(100):
                cached.embed([f"{i} {j}" for j in range(100)], "document")
    finally:
        cache.close()
        subprocess.run(["umount", place], check=False)
