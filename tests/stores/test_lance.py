"""What the conformance suite leaves open of Lance: its indexes, several processes, damage, and older tables."""

import multiprocessing
import threading
from dataclasses import replace

import lancedb
import numpy as np
import pyarrow as pa
import pytest
from lancedb.index import FTS

from embassay.errors import StoreError
from embassay.stores.backends import _lance_forward, _lance_store, lance
from embassay.stores.backends._lance_rows import TERMS, rows_of
from embassay.stores.filters.parser import parse
from embassay.stores.opening import exact_store
from embassay.stores.values import VECTOR, Collection, VectorSpec
from embassay.testing import sample_chunks

COLLECTION = Collection.single("one", 32)


@pytest.fixture
def make(tmp_path):
    return lambda: lance.open_store(lance.LanceSettings(tmp_path / "v"), COLLECTION, create=True)


@pytest.fixture
def indexed(tmp_path):
    """Sets above 2,000 rows get an ANN index, so that a test can afford one."""
    settings = lance.LanceSettings(tmp_path / "v", exact_bytes=2_000 * 32 * 4, min_fold=500)
    return lance.open_store(settings, COLLECTION, create=True)


def _structured(count, dimensions, seed=4):
    """Unit vectors near a space of few dimensions, as a model's are; isotropic noise has no neighbours to find."""
    latent = np.random.default_rng(3).normal(size=(5, dimensions))
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, 5)) @ latent + rng.normal(0, 0.05, (count, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def test_ann_index_is_built_and_finds_what_exact_search_finds(indexed):
    store = indexed
    chunks, _ = sample_chunks(6_000, 32)
    vectors, queries = _structured(6_000, 32), _structured(40, 32, seed=5)
    store.upsert(chunks[:5000], {VECTOR: vectors[:5000]})
    store.optimise()
    assert store.snapshot().stats().unindexed == {"lexical": 0, "dense": 0}
    store.upsert(chunks[5000:], {VECTOR: vectors[5000:]})
    snapshot = store.snapshot()
    assert snapshot.stats().unindexed["dense"] == 1000
    found = 0
    for query in queries:
        exact = {chunks[i].key for i in np.argsort(-(vectors @ query))[:10]}
        found += len(exact & {c.key for c in snapshot.fetch([s.ref for s in snapshot.dense(query, 10)])})
    assert found / 400 >= 0.99, "rows outside the index are found too"


def test_ann_index_ranks_by_dot_product_where_lengths_differ(tmp_path):
    settings = lance.LanceSettings(tmp_path / "v", exact_bytes=2_000 * 32 * 4, min_fold=500)
    store = lance.open_store(settings, Collection.single("one", 32, similarity="dot"), create=True)
    chunks, _ = sample_chunks(6_000, 1)
    unit, queries = _structured(6_000, 32), 3 * _structured(40, 32, seed=5)
    vectors = unit * np.exp(np.random.default_rng(9).normal(0, 1, (6_000, 1))).astype(np.float32)
    store.upsert(chunks, {VECTOR: vectors})
    store.optimise(thorough=True)
    snapshot = store.snapshot()
    assert snapshot.stats().unindexed["dense"] == 0
    found = other = 0
    for query in queries:
        scores = vectors @ query
        exact = {chunks[i].key for i in np.argsort(-scores)[:10]}
        other += len(exact & {chunks[i].key for i in np.argsort(-(unit @ query))[:10]})
        ours = snapshot.dense(query, 10)
        keys = [chunk.key for chunk in snapshot.fetch([one.ref for one in ours])]
        found += len(exact & set(keys))
        assert np.allclose([one.score for one in ours], [scores[int(key, 16)] for key in keys], rtol=1e-4)
    assert found / 400 >= 0.99 and other / 400 < 0.2, "by cosine other rows would be found"


def test_a_table_says_how_its_vectors_are_compared(tmp_path):
    """Whoever asks for the other way gets an error, and no index that was made for it is searched."""
    settings = lance.LanceSettings(tmp_path / "v")
    by_cosine, by_dot = COLLECTION, Collection.single("one", 32, similarity="dot")
    for made, asked in ((by_cosine, by_dot), (by_dot, by_cosine)):
        store = lance.open_store(settings, made, create=True)
        chunks, vectors = sample_chunks(300, 32)
        store.upsert(chunks, {VECTOR: vectors})
        store.optimise(thorough=True)
        with pytest.raises(
            StoreError, match=r"has the vectors vector \(32, float32, \w+\); asked for were vector \(32, float32, \w+\)"
        ):
            lance.open_store(settings, asked)
        lance.open_store(settings, made).drop()


def test_a_table_that_was_moved_into_the_place_of_another_is_noticed(tmp_path):
    settings = lance.LanceSettings(tmp_path / "v")
    other = Collection.single("two", 32)
    for collection in (COLLECTION, other):
        lance.open_store(settings, collection, create=True).close()
    one, two = tmp_path / "v" / "one.lance", tmp_path / "v" / "two.lance"
    one.rename(tmp_path / "kept")
    two.rename(one)
    with pytest.raises(StoreError, match="holds the collection two, not one"):
        lance.open_store(settings, COLLECTION)


def test_ann_with_a_selective_filter_still_finds_k(indexed):
    store = indexed
    chunks, vectors = sample_chunks(5_000, 32)
    store.upsert(chunks, {VECTOR: vectors})
    store.optimise(thorough=True)
    snapshot = store.snapshot()
    where = parse('path = "docs/a0.md" and year = 2015 and meta.path = "inner"')
    matching = snapshot.count(where)
    assert 0 < matching < 100
    hits = snapshot.fetch([s.ref for s in snapshot.dense(vectors[1], matching, where)])
    assert len(hits) == matching
    assert all(c.path == "docs/a0.md" and c.metadata["year"] == 2015 for c in hits)


def _merge(place, seed):
    chunks, vectors = sample_chunks(400, 32)
    store = lance.open_store(lance.LanceSettings(place), COLLECTION, create=True)
    for at in range(0, 400, 50):
        store.upsert(chunks[at : at + 50], {VECTOR: vectors[at : at + 50]})


def test_rows_are_scored_alike_with_and_without_indexes(indexed):
    """Rows that the approximate index finds have exact scores, and those of words are the same beside new rows."""
    chunks, _ = sample_chunks(3_000, 32)
    vectors, query = _structured(3_000, 32), _structured(1, 32, seed=5)[0]
    indexed.upsert(chunks[:2900], {VECTOR: vectors[:2900]})
    indexed.optimise(thorough=True)
    indexed.upsert(chunks[2900:], {VECTOR: vectors[2900:]})
    exact = dict(zip((chunk.key for chunk in chunks), vectors @ query, strict=True))
    with indexed.snapshot() as version:
        assert version.stats().unindexed["lexical"] == 100
        refs = [one.ref for one in version.dense(query, 50)] + [one.ref for one in version.lexical("key", 3_000)[-50:]]
        found = version.dense_scores(query, refs)
        assert found == pytest.approx([exact[chunk.key] for chunk in version.fetch(refs)], abs=1e-5)
        words = {one.ref: one.score for one in version.lexical("key rotate", 3_000)}
        assert version.lexical_scores("key rotate", refs) == pytest.approx([words.get(ref, 0) for ref in refs])
        assert np.isnan(version.dense_scores(np.full(32, np.nan, np.float32), refs)).all()


def test_rows_that_are_gone_have_no_score(make):
    store = make()
    chunks, vectors = sample_chunks(20, 32)
    store.upsert(chunks, {VECTOR: vectors})
    store.optimise(thorough=True)
    with store.snapshot() as version:
        refs = [one.ref for one in version.dense(vectors[0], 2)]
    store.delete([chunks[0].key])
    with store.snapshot() as version:
        found = version.dense_scores(vectors[0], [*refs, 1 << 60])
        assert np.isnan(found[[0, 2]]).all() and not np.isnan(found[1])
        assert version.lexical_scores(f"unique0 {chunks[1].indexed}", [refs[0], 1 << 60]).tolist() == [0, 0]
        assert np.isnan(version.dense_scores(vectors[0], [1 << 60])).all()


def test_two_processes_upserting_the_same_keys_double_nothing(make, tmp_path):
    make()
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_merge, args=(tmp_path / "v", seed)) for seed in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    keys = [chunk.key for chunks, _ in make().snapshot().scan() for chunk in chunks]
    assert len(keys) == len(set(keys)) == 400


@pytest.mark.parametrize(("most", "versions"), [(50_000, 1), (4, 2)])
def test_old_and_new_rows_change_places_in_one_version_of_a_small_table(make, monkeypatch, most, versions):
    monkeypatch.setattr(_lance_store, "SWAPPED_ROWS", most)
    store = make()
    chunks, vectors = sample_chunks(10, 32)
    store.upsert(chunks[:6], {VECTOR: vectors[:6]})
    with store.snapshot() as before:
        store.upsert(chunks[5:8], {VECTOR: vectors[5:8]}, [chunk.key for chunk in chunks[3:6]])
        with store.snapshot() as after:
            assert after.version - before.version == versions
            assert {*after.vectors([chunk.key for chunk in chunks])} == {c.key for c in (*chunks[:3], *chunks[5:8])}


def test_many_small_writes_are_compacted_and_nothing_is_lost(make):
    store = make()
    chunks, vectors = sample_chunks(100, 32)
    for at in range(len(chunks)):
        store.upsert(chunks[at : at + 1], {VECTOR: vectors[at : at + 1]})
        store.optimise()
    fragments = store._table.stats()["fragment_stats"]["num_fragments"]
    assert fragments <= _lance_store.MAX_FRAGMENTS + 1
    with store.snapshot() as version:
        assert version.count() == len(chunks)
        assert {chunk.key for found, _ in version.scan(()) for chunk in found} == {chunk.key for chunk in chunks}
        assert version.stats().unindexed["lexical"] <= _lance_store.MAX_FRAGMENTS + 1


def test_searches_beside_a_writer_never_fail(make):
    store = make()
    chunks, vectors = sample_chunks(3_000, 32)
    store.upsert(chunks[:100], {VECTOR: vectors[:100]})
    store.optimise()
    done, failures = threading.Event(), []

    def search():
        reader = make()
        while not done.is_set():
            try:
                snapshot = reader.snapshot()
                refs = [s.ref for s in snapshot.dense(vectors[0], 10)] + [s.ref for s in snapshot.lexical("rotate", 10)]
                assert len(snapshot.fetch(refs)) == len(refs)
            except Exception as error:
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for at in range(100, 3000, 100):
        store.upsert(chunks[at : at + 100], {VECTOR: vectors[at : at + 100]})
        if at % 500 == 0:
            store.optimise(thorough=True)
    done.set()
    for thread in threads:
        thread.join()
    assert not failures


def test_damaged_files_are_one_clear_error(make, tmp_path):
    store = make()
    chunks, vectors = sample_chunks(500, 32)
    store.upsert(chunks, {VECTOR: vectors})
    for file in (tmp_path / "v").rglob("data/*"):
        file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(StoreError, match="the vector store failed"):
        list(make().snapshot().scan())


def test_each_label_has_an_index_of_its_own(tmp_path):
    collection = Collection("one", {VECTOR: VectorSpec(32), "wide": VectorSpec(64)})
    settings = lance.LanceSettings(tmp_path / "v", exact_bytes=2_500 * 32 * 4, min_fold=500)
    store = lance.open_store(settings, collection, create=True)
    chunks, _ = sample_chunks(2_000, 1)
    vectors = {VECTOR: _structured(2_000, 32), "wide": _structured(2_000, 64, seed=6)}
    store.upsert(chunks, vectors)
    store.optimise(thorough=True)
    with store.snapshot() as version:
        assert version.stats().unindexed == {"lexical": 0, "dense wide": 0}, "32 dimensions stay below the limit"
        for label, rows in vectors.items():
            best = version.fetch([hit.ref for hit in version.dense(rows[7], 1, label=label)])
            assert best[0].key == chunks[7].key
    assert {index.name for index in store._table.list_indices()} == {f"{TERMS.name}_idx", "vector_wide_idx"}


OLD_SCHEMA = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        *(pa.field(name, pa.string()) for name in ("document", "path", "section", "indexed")),
        *(pa.field(name, pa.int32()) for name in ("body_at", "first_line", "last_line")),
        *(pa.field(name, pa.int64()) for name in ("start", "end")),
        pa.field("tokens", pa.int32()),
        pa.field("truncated", pa.bool_()),
        pa.field("metadata", pa.json_(pa.utf8())),
        pa.field("vector", pa.list_(pa.float32(), 32), nullable=False),
    ]
)
"""Of every table that was made before rows could have several vectors."""


@pytest.fixture
def old(tmp_path):
    """A table of 50 rows as it was made before rows had terms: Lance cut their texts, as English."""
    table = lancedb.connect(str(tmp_path / "v")).create_table("one", schema=OLD_SCHEMA)
    table.set_unenforced_primary_key("key")
    table.create_index("indexed", config=FTS(with_position=False), name="indexed_idx")
    chunks, vectors = sample_chunks(50, 32)
    chunks[7] = replace(chunks[7], indexed="当备份服务器磁盘已满时 unique7", body_at=0)
    rows = rows_of(COLLECTION, chunks, {VECTOR: vectors}).drop_columns([TERMS.name])
    table.merge_insert("key").when_matched_update_all().when_not_matched_insert_all().use_index(False).execute(rows)
    return table, chunks, vectors


def _found(version, query):
    return [chunk.key for chunk in version.fetch([hit.ref for hit in version.lexical(query, 5)])]


def test_a_table_of_before_is_searched_as_it_is_until_a_run_moves_it_forward(make, old):
    table, chunks, vectors = old
    version, schema = table.version, table.schema
    store = make()
    assert store._table.version == version and store._table.schema.equals(schema), "opening changes nothing"
    with store.snapshot() as found:
        assert found.count() == 50 and _found(found, "unique3") == [chunks[3].key]
        assert _found(found, "备份服务器") == [], "Lance takes the sentence for one word"
        assert found.stats().unindexed["lexical"] == 50, "so that the next run brings the index up to date"
    store.optimise()
    assert store._table.version == version, "that is left to the end of a run"
    store.upsert(chunks[:1], {VECTOR: vectors[:1]})
    with store.snapshot() as found:
        assert _found(found, "unique0") == [chunks[0].key] and _found(found, "unique3") == [chunks[3].key]
    store.optimise(thorough=True)
    _is_moved_forward(store, chunks, vectors)


def _is_moved_forward(store, chunks, vectors):
    oracle = exact_store(32)
    oracle.upsert(chunks, {VECTOR: vectors})
    with store.snapshot() as found, oracle.snapshot() as exact:
        assert _found(found, "备份服务器") == [chunks[7].key]
        for query in ("unique3", "rotate key", "磁盘"):
            ours, theirs = found.lexical(query, 50), exact.lexical(query, 50)
            assert [hit.score for hit in ours] == pytest.approx([hit.score for hit in theirs], rel=1e-3)
        assert found.fetch([found.dense(vectors[3], 1)[0].ref]) == [chunks[3]], "vectors stay with their rows"
        assert found.count() == 50 and found.stats().unindexed["lexical"] == 0
    assert [index.name for index in store._table.list_indices()] == [f"{TERMS.name}_idx"]


@pytest.mark.parametrize("step", ["add_columns", "merge_insert", "create_index", "drop_index"])
def test_a_run_that_is_killed_while_it_moves_a_table_forward_is_taken_up_again(make, old, monkeypatch, step):
    """Killed just before the step, and for rows behind the first ten of them."""
    _, chunks, vectors = old
    monkeypatch.setattr(_lance_forward, "BATCH", 10)
    store, calls = make(), []
    table = _Killed(store._table, step, calls, {"merge_insert": 2}.get(step, 1))
    with pytest.raises(KeyboardInterrupt):
        _lance_forward.add_terms(table, COLLECTION)
    store.close()
    with make().snapshot() as found:
        assert _found(found, "unique3") == [chunks[3].key], "it is searched all the while"
        assert found.count() == 50
    again = make()
    again.optimise(thorough=True)
    _is_moved_forward(again, chunks, vectors)


class _Killed:
    """A table whose owner ends at the given call of one of its methods."""

    def __init__(self, table, method, calls, at):
        self._table, self._method, self._calls, self._at = table, method, calls, at

    def __getattr__(self, name):
        if name == self._method:
            self._calls.append(name)
            if len(self._calls) == self._at:
                raise KeyboardInterrupt
        return getattr(self._table, name)


def test_terms_are_those_of_the_language_of_the_collection(tmp_path):
    store = lance.open_store(lance.LanceSettings(tmp_path), Collection.single("one", 32, "sv"), create=True)
    chunks, vectors = sample_chunks(1, 32)
    store.upsert([replace(chunks[0], indexed="bilarna och vägen", body_at=0)], {VECTOR: vectors})
    assert store._table.search().select([TERMS.name]).to_arrow()[TERMS.name].to_pylist() == ["bil och vag"]
    (index,) = store._table.list_indices()
    assert index.index_details["base_tokenizer"] == "whitespace"


def test_the_remains_of_a_killed_creation_are_made_anew(tmp_path, make):
    lancedb.connect(str(tmp_path / "v")).create_table("one", schema=pa.schema([pa.field("key", pa.string())]))
    with make().snapshot() as version:
        assert version.count() == 0


def test_a_home_keeps_its_tables_in_a_folder_of_their_own(tmp_path):
    assert lance.settings_in(tmp_path) == lance.LanceSettings(tmp_path / "vectors")


def test_vectors_that_are_missing_are_indexed_again_into_their_own_set(tmp_path):
    """The store does not know the set's name, and no other set may be taken for it."""
    with pytest.raises(StoreError, match="are missing") as error:
        lance.open_store(lance.settings_in(tmp_path), Collection.single("gone", 8))
    assert error.value.remedy.in_shell() == "Index again: embassay index FOLDER --set NAME --checksum"
