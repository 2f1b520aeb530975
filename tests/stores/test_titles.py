"""Words of titles that are weighed: the exact scores, by a reference, by hand, and in a table that Lance searches."""

from dataclasses import replace

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import StoreError
from embassay.ingest.chunk import Chunker
from embassay.stores.backends import _lance_titles, lance
from embassay.stores.opening import exact_store
from embassay.stores.titles import TitledWords
from embassay.stores.values import BM25_B, BM25_K1, VECTOR, Collection, WeightedTexts
from embassay.testing import sample_chunks
from embassay.types import Document

PROSE = "It takes a minute, and nobody has to wait for it. "

TERMS = st.sampled_from(("key", "lock", "日本", "a"))
rows = st.lists(st.tuples(st.lists(TERMS, max_size=4), st.lists(TERMS, max_size=8)), min_size=1, max_size=20)


@given(rows, st.lists(TERMS, min_size=1, max_size=3, unique=True), st.integers(1, 4))
def test_a_title_that_counts_n_times_is_one_that_stands_there_n_times(rows, query, times):
    found = TitledWords((title + body, title) for title, body in rows).scores(dict.fromkeys(query, 1.0), times)
    written = [title * times + body for title, body in rows]
    index = bm25s.BM25(k1=BM25_K1, b=BM25_B)
    known = [term for term in query if any(term in row for row in written)]
    if not known:
        assert not found.any()
        return
    index.index(written, show_progress=False)
    assert found == pytest.approx(index.get_scores(known), rel=1e-4, abs=1e-6)


@given(rows, st.lists(TERMS, min_size=1, max_size=3, unique=True))
def test_a_title_that_counts_nothing_is_left_out_of_frequencies_and_lengths(rows, query):
    found = TitledWords((title + body, title) for title, body in rows).scores(dict.fromkeys(query, 1.0), 0)
    average = (sum(len(body) for _, body in rows) or len(rows)) / len(rows)
    for score, (_, body) in zip(found, rows, strict=True):
        expected = 0.0
        for term in query:
            having = sum(term in title + body for title, body in rows)
            often = body.count(term)
            norm = BM25_K1 * (1 - BM25_B + BM25_B * len(body) / average)
            expected += np.log1p((len(rows) - having + 0.5) / (having + 0.5)) * often / (often + norm)
        assert score == pytest.approx(expected, rel=1e-5)


def test_the_heading_that_a_chunk_begins_with_counts_as_those_above_it(minilm):
    text = f"# Keys\n\n{PROSE * 6}\n\n## Rotate\n\n{PROSE * 12}\n\n## Revoke\n\n{PROSE * 6}"
    (chunks,) = Chunker(minilm.tokens, 64).chunk([Document("keys.md", "keys.md", text, "markdown")])
    assert any(chunk.text.startswith("## Rotate") for chunk in chunks)
    store = exact_store(1)
    store.upsert(chunks, {VECTOR: np.ones((len(chunks), 1), np.float32)})
    counted = {}
    with store.snapshot() as version:
        for title in (1.0, 0.0):
            found = version.lexical(WeightedTexts({"rotate keys": 1.0}, title=title), 99)
            counted[title] = [chunk.section for chunk in version.fetch([one.ref for one in found])]
    assert {"Keys", "Keys > Rotate", "Keys > Revoke"} == {*counted[1.0]} and counted[0.0] == []


def test_words_of_a_section_that_the_text_has_not_find_nothing():
    rows = [(["key"], ["key", "lock"]), (["lock"], []), (["key", "a"], [])]
    for weight in (0, 0.5, 4):
        scores = TitledWords(rows).scores({"lock": 1.0}, weight)
        assert scores[0] == scores[2] == 0 < scores[1]
    assert TitledWords(rows).scores({"key": 1.0}, 0)[0] == 0


def test_a_table_of_too_many_rows_says_what_weighs_its_titles(tmp_path, monkeypatch):
    chunks, vectors = sample_chunks(12, 4)
    chunks = [replace(chunk, section="Context") for chunk in chunks]
    store = lance.open_store(lance.settings_in(tmp_path), Collection.single("one", 4), create=True)
    store.upsert(chunks, {VECTOR: vectors})
    asked = WeightedTexts({"context key": 1.0}, title=3)
    with store.snapshot() as version:
        assert len(version.lexical(asked, 99)) == 12, "every title has the word"
        assert version.lexical_scores(asked, []).tolist() == []
    monkeypatch.setattr(_lance_titles, "MOST_ROWS", 11)
    store.delete([chunks[0].key])
    with store.snapshot() as version:
        assert len(version.lexical(asked, 99)) == 11
    store.upsert(chunks[:1], {VECTOR: vectors[:1]})
    with store.snapshot() as version, pytest.raises(StoreError, match="this table of 12 chunks has none now") as error:
        version.lexical(asked, 99)
    assert "leave `title` out" in str(error.value.remedy)
    store.close()
