"""The inverted index ranks as the exact BM25 in memory does, whatever rows, terms and masks there are."""

import bm25s
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import HomeNotWritable
from embassay.stores.hot import inverting, words
from embassay.stores.hot.words import WordPart, idf
from embassay.stores.hot.writing_words import hashed
from embassay.stores.values import BM25_B, BM25_K1

TERMS = ("key", "lock", "日本", "ключ", "a", "zürich", "t" * 512, "e\u0301")
documents = st.lists(st.lists(st.sampled_from(TERMS), max_size=12), min_size=1, max_size=40)
queries = st.lists(st.sampled_from((*TERMS, "unknown", "")), min_size=1, max_size=6)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("words")


def part_of(folder, rows, name="p"):
    WordPart.write(folder, name, rows)
    return WordPart(folder, name)


def postings_of(part, term):
    """The rows of a term, and how often it stands in each."""
    number = part.number_of(term)
    return part.rows_of(number).tolist(), part.frequencies_of(number).tolist()


def weights_of(part, asked):
    return idf(part.rows, asked.frequencies())


def average(part):
    return max(part.total_terms, 1) / part.rows


def exact(rows, query):
    """What bm25s says of all rows."""
    if not any(rows):
        return np.zeros(len(rows), np.float32)
    index = bm25s.BM25(k1=BM25_K1, b=BM25_B)
    index.index(rows, show_progress=False)
    known = [term for term in query if any(term in row for row in rows)]
    return index.get_scores(known) if known else np.zeros(len(rows), np.float32)


def ranked(scores, k, mask):
    """The k best rows of the mask that have a score, equal ones by row."""
    order = [row for row in np.argsort(-scores, kind="stable") if mask[row] and scores[row] > 0]
    return order[:k]


@given(documents, queries, st.integers(0, 45), st.data())
def test_a_search_is_that_of_the_exact_store(folder, rows, query, k, data):
    part = part_of(folder, rows)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    asked = part.asked(query)
    weights, expected = weights_of(part, asked), exact(rows, query)
    for chosen in (None, mask):
        found, scores = asked.search(weights, average(part), k, chosen)
        allowed = np.ones(len(rows), bool) if chosen is None else chosen
        best = ranked(expected, k, allowed)
        assert len(found) == len(best) and len(set(found.tolist())) == len(found) and allowed[found].all()
        assert scores == pytest.approx(expected[best], rel=1e-5)
        assert scores == pytest.approx(expected[found], rel=1e-5)
        assert sorted(zip(-scores, found, strict=True)) == list(zip(-scores, found, strict=True))
    picked = np.array(data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20)), np.int64)
    assert asked.scores(weights, average(part), picked) == pytest.approx(expected[picked], rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_terms_that_are_looked_up_for_few_rows_change_nothing(folder, monkeypatch, seed):
    random = np.random.default_rng(seed)
    rows = [[f"w{number}" for number in random.zipf(1.4, length)] for length in random.integers(1, 60, 4000)]
    part = part_of(folder, rows, "pruned")
    looked_up, taken = [], 0
    monkeypatch.setattr(words.Asked, "_add", spied(words.Asked._add, looked_up))
    for at in range(60):
        query = [f"w{number}" for number in random.zipf(1.4, random.integers(2, 9)) % 400]
        k, mask = int(random.integers(1, 50)), None if at % 2 else random.random(4000) < 0.3
        asked = part.asked(query)
        weights = weights_of(part, asked) * random.uniform(0.5, 2, len(query))
        monkeypatch.setattr(words, "LONG", 1 << 60)
        plain = asked.search(weights, average(part), k, mask)
        monkeypatch.setattr(words, "LONG", 0)
        looked_up.clear()
        pruned = asked.search(weights, average(part), k, mask)
        taken += any(0 < held < 2000 for held in looked_up)
        assert [found.tolist() for found in plain] == [found.tolist() for found in pruned]
        assert asked.scores(weights, average(part), pruned[0]).tolist() == pruned[1].tolist()
    assert taken > 10, "the short way was taken"


def spied(add, lengths):
    """`add`, of which every call tells how many rows it was asked for."""

    def told(self, number, weight, average_length, rows, scores):
        lengths.append(len(rows))
        return add(self, number, weight, average_length, rows, scores)

    return told


@given(documents, queries, st.data())
def test_frequencies_count_the_rows_that_are_alive(folder, rows, query, data):
    part = part_of(folder, rows)
    alive = np.array(data.draw(st.lists(st.booleans(), min_size=len(rows), max_size=len(rows))))
    asked = part.asked(query)
    for mask in (None, alive):
        held = [row for row, lives in zip(rows, alive, strict=True) if mask is None or lives]
        assert asked.frequencies(mask).tolist() == [sum(term in row for row in held) for term in query]
        counted = {term: sum(term in row for row in held) for term in {term for row in held for term in row}}
        assert dict(part.vocabulary(mask)) == counted
    assert part.lengths.tolist() == [len(row) for row in rows]
    assert part.total_terms == sum(map(len, rows))


@given(documents, st.data())
def test_the_terms_of_rows_come_back(folder, rows, data):
    part = part_of(folder, rows)
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1), unique=True))
    assert [sorted(terms) for terms in part.documents(np.array(picked, np.int64))] == [
        sorted(rows[at]) for at in picked
    ]


@given(st.lists(documents, min_size=1, max_size=3), st.data())
def test_merged_parts_are_what_is_written_of_their_rows(folder, groups, data):
    parts = [part_of(folder, rows, f"p{at}") for at, rows in enumerate(groups)]
    every = [(at, row) for at, rows in enumerate(groups) for row in range(len(rows))]
    order = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    WordPart.merge(folder, "merged", parts, np.array(order, np.int64))
    merged = WordPart(folder, "merged")
    whole = part_of(folder, [groups[at][row] for at, row in order], "whole")
    assert dict(merged.vocabulary()) == dict(whole.vocabulary())
    assert merged.lengths.tolist() == whole.lengths.tolist() and merged.total_terms == whole.total_terms
    for term, _ in whole.vocabulary():
        assert postings_of(merged, term) == postings_of(whole, term)


def test_rows_beyond_one_run_and_terms_that_stand_there_thousands_of_times(folder, monkeypatch):
    random = np.random.default_rng(1)
    rows = [[f"w{number}" for number in random.zipf(1.3, length) % 5000] for length in random.integers(0, 40, 3000)]
    rows[17] = ["often"] * 70_000 + ["rare"] * 5
    rows[2999] = [f"u{number}" for number in range(4000)] + ["often"] * 4
    whole = part_of(folder, rows, "whole")
    before = (folder / "whole.words").read_bytes()
    monkeypatch.setattr(inverting, "RUN", 5000)
    runs = part_of(folder, rows, "runs")
    assert (folder / "runs.words").read_bytes() == before, "the same rows make the same file"
    assert postings_of(whole, "often")[1] == [70_000, 4]
    for query in (["often", "rare"], ["w1", "w2", "w3"], ["u3999", "w1"]):
        asked, expected = runs.asked(query), exact(rows, query)
        found, scores = asked.search(weights_of(runs, asked), average(runs), 50)
        assert scores == pytest.approx(expected[ranked(expected, 50, np.ones(3000, bool))], rel=1e-4)
        assert scores == pytest.approx(expected[found], rel=1e-4)


def test_a_term_is_read_as_it_was_written_however_far_apart_its_rows_lie(folder):
    rows = [[] for _ in range(200_000)]
    for row in (0, 1, 16_383, 16_384, 32_768, 199_999):
        rows[row] = ["far", *["near"] * (row % 5)]
    part = part_of(folder, rows, "far")
    held, often = postings_of(part, "far")
    assert held == [0, 1, 16_383, 16_384, 32_768, 199_999] and often == [1] * 6
    held, often = postings_of(part, "near")
    assert held == [1, 16_383, 16_384, 32_768, 199_999] and often == [1, 3, 4, 3, 4]


def test_halves_of_characters_are_one_replaced_character_in_rows_and_queries(folder):
    part = part_of(folder, [["\ud800", "x"], ["\udfff", "\ufffd"], ["x"]], "halves")
    assert dict(part.vocabulary()) == {"\ufffd": 2, "x": 2}
    for term in ("\ud801", "\ufffd"):
        asked = part.asked([term])
        assert asked.search(weights_of(part, asked), average(part), 5)[0].tolist() == [1, 0]


def test_terms_of_one_hash_are_told_apart(folder):
    first, second = "codding", "gnu"
    assert hashed(first.encode()) == hashed(second.encode())
    part = part_of(folder, [[first], [second], [first]], "collision")
    assert dict(part.vocabulary()) == {first: 2, second: 1}
    assert part.asked([first, second]).frequencies().tolist() == [2, 1]


def test_what_has_no_words_is_searched_without_a_find(folder):
    part = part_of(folder, [[], []], "silent")
    asked = part.asked(["key"])
    assert asked.search(weights_of(part, asked), 1, 5)[0].tolist() == []
    assert asked.scores(weights_of(part, asked), 1, np.array([0, 1])).tolist() == [0, 0]
    assert list(part.vocabulary()) == [] and part.documents(np.array([1])) == [[]]


def test_a_folder_that_cannot_be_written_is_said(folder):
    with pytest.raises(HomeNotWritable):
        WordPart.write(folder / "missing", "p", [["a"]])


def test_what_fails_half_way_leaves_nothing(tmp_path):
    def rows():
        yield ["a"]
        raise KeyError("gone")

    with pytest.raises(KeyError):
        WordPart.write(tmp_path, "p", rows())
    assert list(tmp_path.iterdir()) == []
