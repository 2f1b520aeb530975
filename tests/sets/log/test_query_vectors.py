"""The vectors of queries: kept beside the text and never without it, the newest of a set, and gone with their search."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from embassay.events import Searched
from embassay.sets.monitoring import vectors as kept
from tests.sets.log.test_query_log import MODEL, QUERY, logging


def kept_vectors(home, name="default"):
    return home.monitoring.vectors(name, home.set(name).space(), 0)


def test_the_vector_is_that_of_the_query_in_the_space_of_the_set(docs):
    with logging(docs) as home:
        home.search(QUERY)
        home.search("another thing")
        seqs, found = kept_vectors(home)
        expected = home.set().embed([QUERY, "another thing"], "query").vectors
        assert list(seqs) == sorted(seqs) and len(seqs) == 2
        np.testing.assert_allclose(found, expected, atol=1e-3)


def test_there_is_none_where_the_text_is_not_kept(docs):
    with logging(docs, "hashed") as home:
        home.search(QUERY)
        assert len(kept_vectors(home)[0]) == 0 and home.query_log.count() == 1


def test_there_is_none_of_a_query_that_was_cut(docs):
    with logging(docs) as home:
        home.search("key " * 2000)
        assert len(kept_vectors(home)[0]) == 0


def test_a_search_by_words_has_none(docs):
    with logging(docs) as home:
        home.search(QUERY, mode="lexical")
        assert len(kept_vectors(home)[0]) == 0


def test_a_search_of_several_sets_has_none(docs):
    with logging(docs) as home:
        home.index([docs], set="other", model=MODEL)
        home.search(QUERY, set=["default", "other"])
        assert home.query_log.count() == 1
        assert len(kept_vectors(home)[0]) == len(kept_vectors(home, "other")[0]) == 0


def test_nobody_is_told_a_vector_in_words(docs):
    heard = []
    with logging(docs) as home:
        home.session.events.subscribe(Searched, heard.append)
        home.search(QUERY)
    assert heard[0].vector is not None and "vector" not in repr(heard[0])


def test_only_the_newest_are_kept(docs, monkeypatch):
    monkeypatch.setattr(kept, "KEPT", 5)
    monkeypatch.setattr(kept, "SPARE", 2)
    with logging(docs) as home:
        for at in range(20):
            home.search(f"query {at}")
            home.query_log.count()
        seqs, _ = kept_vectors(home)
        assert 5 <= len(seqs) <= 7 and list(seqs) == list(range(21 - len(seqs), 21))


def test_they_go_with_the_search(docs):
    file = docs.parent / ".embassay" / "state.db"
    with logging(docs, max_entries=2) as home:
        for at in range(4):
            home.search(f"query {at}")
        home.query_log.prune()
        assert list(kept_vectors(home)[0]) == [3, 4]
        home.query_log.clear()
    with closing(sqlite3.connect(file)) as db:
        for table in ("query_vectors", "marks"):
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


@pytest.mark.parametrize(
    ("feedback", "expected"),
    [
        ({"clicked": [2, 3]}, (2, 1, 1)),
        ({"thumbs": "down"}, (0, 0, 1)),
        ({"thumbs": "up", "about": [1]}, (0, 1, 1)),
        ({"clicked": [1], "thumbs": "down"}, (1, 0, 1)),
    ],
)
def test_feedback_is_marked(docs, feedback, expected):
    with logging(docs) as home:
        ignored, found = home.search("another"), home.search(QUERY, k=3)
        home.feedback(found, **feedback)
        marks = home.monitoring.marks("default", found.space.digest, 0.0, 10)
        said = zip(marks["first_click"], marks["satisfied"], marks["feedback"], strict=True)
        assert ignored.id and [*said] == [(0, 0, 0), expected]


def test_the_last_feedback_counts(docs):
    with logging(docs) as home:
        found = home.search(QUERY, k=3)
        home.feedback(found, thumbs="up")
        home.feedback(found, thumbs="down")
        marks = home.monitoring.marks("default", found.space.digest, 0.0, 10)
        assert ([*marks["satisfied"]], [*marks["feedback"]]) == ([0], [1])
