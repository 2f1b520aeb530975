"""A hot index shows what its store holds, through every kind of write, and is made anew where it does not."""

import multiprocessing
import os
import subprocess
import sys
import textwrap
import threading
from dataclasses import replace

import numpy as np
import pytest

from embassay.errors import IndexDamaged
from embassay.stores.backends import lance
from embassay.stores.filters.parser import parse
from embassay.stores.hot import log, writer
from embassay.stores.hot import store as hot_store
from embassay.stores.hot.snapshot import HotSnapshot
from embassay.stores.opening import exact_store, open_collection
from embassay.stores.values import VECTOR, Collection, WeightedTexts
from embassay.testing import sample_chunks

COLLECTION = Collection.single("one", 16)
CHUNKS, VECTORS = sample_chunks(400, 16)
CHUNKS = [replace(chunk, section=("Context rotate", "", "Context")[at % 3]) for at, chunk in enumerate(CHUNKS)]
FILTERS = [None, "year >= 2019", 'path ~ "docs/**"', 'draft = true and not path ~ "notes/*"']


def opened(folder, *, create=False):
    return open_collection("lance", folder, COLLECTION, create=create)


def given(first, after):
    return CHUNKS[first:after], {VECTOR: VECTORS[first:after]}


def assert_alike(version, oracle):
    """Both find the same rows, with the same scores, and give them back whole."""
    assert version.count() == oracle.count()
    for text in FILTERS:
        where = parse(text) if text else None
        assert version.count(where) == oracle.count(where), text
        for at in (0, 77):
            found, truth = (one.dense(VECTORS[at], 7, where) for one in (version, oracle))
            assert [one.key for one in version.fetch([s.ref for s in found])] == [
                one.key for one in oracle.fetch([s.ref for s in truth])
            ]
            assert np.allclose([s.score for s in found], [s.score for s in truth], atol=1e-5)
            query = f"{CHUNKS[at].indexed[:40]} unique{at} rotate"
            for asked in (query, WeightedTexts({query: 1.0}, title=2.5)):
                found, truth = (one.lexical(asked, 400, where) for one in (version, oracle))
                scores, expected = (
                    {one.key: s.score for one, s in zip(of.fetch([s.ref for s in hits]), hits, strict=True)}
                    for of, hits in ((version, found), (oracle, truth))
                )
                assert scores == pytest.approx(expected, abs=1e-4)
    assert {one.key for one in version.chunks(["docs/a0.md"])} == {one.key for one in oracle.chunks(["docs/a0.md"])}
    keys = [chunk.key for chunk in CHUNKS[:120]]
    ours, theirs = version.vectors(keys), oracle.vectors(keys)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[key], theirs[key]) for key in ours)


@pytest.fixture
def small(monkeypatch):
    """Sizes at which a few hundred rows become parts, and parts are joined."""
    monkeypatch.setattr(writer, "LOG_ROWS", 60)
    monkeypatch.setattr(writer, "FOLDED_ROWS", 5)
    monkeypatch.setattr(writer, "PART_ROWS", 150)


@pytest.mark.parametrize("seed", range(4))
def test_it_shows_what_the_store_holds_through_any_writes(tmp_path, small, seed):
    ours, oracle = opened(tmp_path, create=True), exact_store(16)
    choose = np.random.default_rng(seed)
    for _ in range(14):
        first = int(choose.integers(0, 380))
        after = first + int(choose.integers(1, 60))
        keys = [CHUNKS[at].key for at in choose.integers(0, 400, 9)]
        step = choose.integers(0, 5)
        for one in (ours, oracle):
            if step < 2:
                one.upsert(*given(first, after))
            elif step == 2:
                one.upsert(*given(first, after), keys)
            elif step == 3:
                one.delete(keys)
            else:
                one.optimise(thorough=bool(first % 2))
        version = ours.snapshot()
        assert isinstance(version, HotSnapshot), "it is in step behind each write"
        assert_alike(version, oracle.snapshot())
    ours.close()
    again = opened(tmp_path)
    assert_alike(again.snapshot(), oracle.snapshot())


def test_an_old_version_goes_on_to_be_shown(tmp_path, small):
    ours, oracle = opened(tmp_path, create=True), exact_store(16)
    for one in (ours, oracle):
        one.upsert(*given(0, 100))
    before, truth = ours.snapshot(), oracle.snapshot()
    ours.upsert(*given(50, 300))
    ours.delete([chunk.key for chunk in CHUNKS[:40]])
    ours.optimise(thorough=True)
    assert_alike(before, truth)


def test_a_search_imports_no_lancedb(tmp_path):
    store = opened(tmp_path, create=True)
    store.upsert(*given(0, 50))
    store.close()
    code = f"""
        import sys
        from pathlib import Path
        from tests.stores.hot.test_store import VECTORS, opened
        version = opened(Path({str(tmp_path)!r})).snapshot()
        assert len(version.fetch([one.ref for one in version.dense(VECTORS[0], 3)])) == 3
        assert version.lexical("unique7", 3)
        print(sorted({{"lancedb", "pyarrow"}} & set(sys.modules)))
    """
    # pytest.approx and the tests' own imports bring neither of them in
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_was_written_past_it_is_shown(tmp_path):
    """As when a process is killed between the write to the store and that to the hot index."""
    ours, oracle = opened(tmp_path, create=True), exact_store(16)
    for one in (ours, oracle):
        one.upsert(*given(0, 50))
    behind = lance.open_store(lance.settings_in(tmp_path), COLLECTION)
    for one in (behind, oracle):
        one.upsert(*given(50, 120))
        one.delete([CHUNKS[3].key])
    assert_alike(ours.snapshot(), oracle.snapshot())
    assert isinstance(ours.snapshot(), HotSnapshot), "few rows: it was made anew at once"
    for one in (ours, oracle):
        one.upsert(*given(120, 130))
    assert_alike(opened(tmp_path).snapshot(), oracle.snapshot())


def test_of_many_rows_it_is_made_anew_beside_the_search(tmp_path, monkeypatch):
    monkeypatch.setattr(hot_store, "AT_ONCE", 20)
    store = lance.open_store(lance.settings_in(tmp_path), COLLECTION, create=True)
    store.upsert(*given(0, 50))
    ours = opened(tmp_path)
    first = ours.snapshot()
    assert not isinstance(first, HotSnapshot)
    assert len(first.dense(VECTORS[0], 3)) == 3
    for thread in threading.enumerate():
        if thread.name == "hot index":
            thread.join(30)
    assert isinstance(ours.snapshot(), HotSnapshot)


def files_of(folder):
    return sorted(file.name for file in (folder / "vectors" / "one.hot").iterdir() if file.name != "turn")


@pytest.mark.parametrize("harm", ["cut", "garbage", "missing", "empty"])
def test_a_damaged_file_is_made_anew(tmp_path, small, harm):
    oracle = exact_store(16)
    for number in range(len(files_of(made(tmp_path / "count")))):
        folder = made(tmp_path / str(number))
        name = files_of(folder)[number]
        damage(folder / "vectors" / "one.hot" / name, harm)
        if number == 0:
            for first in range(0, 240, 60):
                oracle.upsert(*given(first, first + 60))
            oracle.delete([chunk.key for chunk in CHUNKS[:9]])
        store = opened(folder)
        try:
            assert_alike(store.snapshot(), oracle.snapshot())
        except IndexDamaged:  # it was found while it was read: a search is repeated then
            assert_alike(store.snapshot(), oracle.snapshot())
        assert isinstance(store.snapshot(), HotSnapshot)


def made(folder):
    folder.mkdir()
    store = opened(folder, create=True)
    for first in range(0, 240, 60):
        store.upsert(*given(first, first + 60))
    store.delete([chunk.key for chunk in CHUNKS[:9]])
    store.snapshot().lexical(WeightedTexts({"rotate": 1.0}, title=2), 3)  # the words of titles have files of their own
    store.close()
    return folder


def damage(file, harm):
    content = file.read_bytes()
    if harm == "missing":
        file.unlink()
    else:
        file.write_bytes({"cut": content[: len(content) // 2], "garbage": b"\xff" * len(content), "empty": b""}[harm])


def test_what_a_killed_process_left_half_written_ends_the_log(tmp_path):
    file = tmp_path / "log"
    entry = log.LogEntry(7, ["gone"], {"part1": [3]}, CHUNKS[:2], [["rotate", "key"], []], {VECTOR: VECTORS[:2]})
    log.append(file, entry)
    whole = file.stat().st_size
    log.append(file, entry)
    for cut in range(whole, 2 * whole, 97):
        os.truncate(file, cut)
        (read,), at = log.read(file, 0)
        assert at == whole
        log.append(file, entry)
    assert read.chunks == CHUNKS[:2]
    assert read.terms == [["rotate", "key"], []]
    assert np.array_equal(read.vectors[VECTOR], VECTORS[:2])
    assert (read.version, read.removed, read.gone) == (7, ["gone"], {"part1": [3]})


def test_a_write_that_is_under_way_is_not_shown(tmp_path, monkeypatch):
    """Whoever searches meanwhile sees the version before it, without opening the store."""
    ours, oracle = opened(tmp_path, create=True), exact_store(16)
    for one in (ours, oracle):
        one.upsert(*given(0, 50))
    reader = opened(tmp_path)
    seen = []

    def pausing(self, *told):
        seen.append(reader.snapshot())
        return inner(self, *told)

    inner = writer.HotWriter.write
    monkeypatch.setattr(writer.HotWriter, "write", pausing)
    ours.upsert(*given(50, 80))
    assert_alike(seen[0], oracle.snapshot())
    assert isinstance(seen[0], HotSnapshot)
    assert reader.snapshot().count() == 80


def test_it_grows_while_another_process_reads(tmp_path, small):
    opened(tmp_path, create=True).close()
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        counting = pool.apply_async(counts, (tmp_path, 150))
        store = opened(tmp_path, create=True)
        for first in range(0, 150, 3):
            store.upsert(*given(first, first + 3))
        found = counting.get(60)
    assert found == sorted(found)
    assert found[-1] == 150
    assert all(count % 3 == 0 for count in found)


def counts(folder, last):
    store, found = opened(folder), []
    while not found or found[-1] < last:
        with store.snapshot() as version:
            found.append(version.count())
            assert len(version.dense(VECTORS[0], 5)) == min(5, found[-1])
    return found


def test_a_home_that_cannot_be_written_is_searched(tmp_path):
    store = lance.open_store(lance.settings_in(tmp_path), COLLECTION, create=True)
    store.upsert(*given(0, 50))
    place = tmp_path / "vectors"
    (place / "one.hot").write_text("a file stands where the folder should be")
    assert len(opened(tmp_path).snapshot().dense(VECTORS[0], 3)) == 3
