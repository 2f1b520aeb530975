"""The words of titles in a hot index: made when they are asked for, by whoever asks, and kept from then on."""

import multiprocessing
import threading
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import HomeNotWritable
from embassay.stores.hot import titles, writer
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.titles import WeighedTitles, titles_of
from embassay.stores.hot.words import WordPart, idf
from embassay.stores.opening import open_collection
from embassay.stores.titles import TitledWords
from embassay.stores.values import VECTOR, Collection, WeightedTexts
from embassay.testing import sample_chunks
from embassay.words.analyser import analyser

COLLECTION = Collection.single("one", 4)
CHUNKS, VECTORS = sample_chunks(300, 4)
CHUNKS = [replace(chunk, section="Context") for chunk in CHUNKS]
ASKED = WeightedTexts({"context rotate": 1.0}, title=4)
TERMS = st.sampled_from(("key", "lock", "日本", "a"))
WEIGHTS = st.just(0.0) | st.floats(0.05, 8)
"""What is nearly 0 leaves of a word that only titles have less than float32 tells from nothing."""
documents = st.lists(st.tuples(st.lists(TERMS, max_size=4), st.lists(TERMS, max_size=8)), min_size=1, max_size=40)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("titles")


@given(documents, st.lists(TERMS, min_size=1, max_size=3, unique=True), WEIGHTS, st.integers(1, 45), st.data())
def test_a_search_is_that_of_the_exact_scores(folder, documents, query, weight, k, data):
    written = [title + body for title, body in documents]
    WordPart.write(folder, "p", written)
    WordPart.write(folder, "p.titles", [title for title, _ in documents])
    part, above = WordPart(folder, "p"), WordPart(folder, "p.titles")
    total = part.total_terms + (weight - 1) * above.total_terms
    average = total / part.rows if total > 0 else 1.0
    asked = part.asked(query, WeighedTitles(above, weight))
    weights = idf(part.rows, asked.frequencies())
    expected = TitledWords(zip(written, [title for title, _ in documents], strict=True)).scores(
        dict.fromkeys(query, 1.0), weight
    )
    found, scores = asked.search(weights, average, k)
    best = np.sort(expected[expected > 0])[::-1][:k]
    assert scores == pytest.approx(best, rel=1e-4, abs=1e-6)
    assert scores == pytest.approx(expected[found], rel=1e-4, abs=1e-6)
    picked = np.array(data.draw(st.lists(st.integers(0, len(documents) - 1), max_size=20)), np.int64)
    assert asked.scores(weights, average, picked) == pytest.approx(expected[picked], rel=1e-4, abs=1e-6)


def opened(folder, *, create=False):
    return open_collection("lance", folder, COLLECTION, create=create)


def filled(folder, rows=300):
    store = opened(folder, create=True)
    store.upsert(CHUNKS[:rows], {VECTOR: VECTORS[:rows]})
    store.optimise(thorough=True)
    return store


def files(folder):
    return sorted(file.name for file in (folder / "vectors" / "one.hot").glob("*titles*"))


def test_they_cost_nothing_until_somebody_asks(tmp_path):
    store = filled(tmp_path)
    plain = store.snapshot().lexical("context rotate", 300)
    assert files(tmp_path) == []
    weighed = store.snapshot().lexical(ASKED, 300)
    (made,) = files(tmp_path)
    assert [one.score for one in weighed] != [one.score for one in plain]
    store.close()
    before = (tmp_path / "vectors" / "one.hot" / made).stat().st_mtime_ns
    assert opened(tmp_path).snapshot().lexical(ASKED, 300) == weighed
    assert (tmp_path / "vectors" / "one.hot" / made).stat().st_mtime_ns == before, "it is read again"


def test_who_asked_for_them_finds_them_when_parts_are_joined(tmp_path, monkeypatch):
    monkeypatch.setattr(writer, "FOLDED_ROWS", 5)
    store = filled(tmp_path, 100)
    store.snapshot().lexical(ASKED, 3)
    (first,) = files(tmp_path)
    store.upsert(CHUNKS[100:], {VECTOR: VECTORS[100:]})
    store.optimise(thorough=True)
    (second,) = files(tmp_path)
    assert first != second, "the old ones went with their part"
    exact = open_collection("memory", tmp_path, COLLECTION, create=True)
    exact.upsert(CHUNKS, {VECTOR: VECTORS})
    ours, truth = ([one.score for one in of.snapshot().lexical(ASKED, 300)] for of in (store, exact))
    assert ours == pytest.approx(truth, rel=1e-4)


def test_several_threads_and_processes_make_them_at_once(tmp_path):
    store = filled(tmp_path)
    version = store.snapshot()
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        others = [pool.apply_async(scores, (tmp_path,)) for _ in range(4)]
        found = []
        threads = [threading.Thread(target=lambda: found.append(version.lexical(ASKED, 300))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ours = [one.score for one in found[0]]
        assert all(one == found[0] for one in found) and all(other.get(60) == ours for other in others)
    assert len(files(tmp_path)) == 1, "what others made besides is not left"


def scores(folder):
    return [one.score for one in opened(folder).snapshot().lexical(ASKED, 300)]


def test_what_a_writer_takes_away_meanwhile_is_made_again(folder, monkeypatch):
    RowPart.write(folder, "swept", CHUNKS)
    taken = []

    def write(place, name, rows):
        inner(place, name, rows)
        if not taken:
            taken.append(name)
            (place / f"{name}.words").unlink()

    inner = WordPart.write
    monkeypatch.setattr(WordPart, "write", staticmethod(write))
    cut = analyser("en").terms
    made = titles_of(folder, "swept", RowPart(folder, "swept"), cut)
    assert taken and made.rows == 300 and dict(made.vocabulary()) == {"context": 300}


def test_where_the_folder_cannot_be_written_they_are_held_in_memory(folder, monkeypatch):
    RowPart.write(folder, "locked", CHUNKS)
    tries = []
    monkeypatch.setattr(titles, "TRIES", 2)
    monkeypatch.setattr(WordPart, "write", staticmethod(lambda *_: tries.append(1) or refuse()))

    def refuse():
        raise HomeNotWritable("the disk is full.")

    found = titles_of(folder, "locked", RowPart(folder, "locked"), analyser("en").terms)
    assert len(tries) == 2 and found.total_terms == 300 and found.lengths.tolist() == [1] * 300
    rows, often = found.holding("context")
    assert rows.tolist() == [*range(300)] and often.tolist() == [1.0] * 300 and found.holding("zzz") is None


def test_a_home_that_cannot_be_written_is_searched(tmp_path, monkeypatch):
    store = filled(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(titles, "_made", refused)
        found = scored(store)
        assert files(tmp_path) == []
    store.close()
    assert found == pytest.approx(scored(opened(tmp_path)), rel=1e-5) and files(tmp_path)


def refused(*_):
    raise HomeNotWritable("the disk is full.")


def scored(store):
    return [one.score for one in store.snapshot().lexical(ASKED, 300)]


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    store = filled(tmp_path)
    left = tmp_path / "vectors" / "one.hot" / ".part1.titles-1-1.words.new"
    left.write_bytes(b"half")
    store.upsert(CHUNKS[:20], {VECTOR: VECTORS[:20]})
    store.delete([chunk.key for chunk in CHUNKS[:200]])
    store.optimise(thorough=True)
    assert not left.exists()
