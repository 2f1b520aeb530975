"""Slices of the queries: what is in them, and how often they are wrong."""

import dataclasses
import json

import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.rows import Row
from embassay.evaluate.compare.slices import QueryGroup, groups_by, slices_of
from embassay.evaluate.data.judged import JudgedSet
from embassay.types import Document
from tests.evaluate.compare.sample import BETTER, WORSE

GERMAN = "Der Schlüssel wird jede Nacht gewechselt, bevor die Werkstatt am frühen Morgen wieder öffnet."
ENGLISH = "The key is rotated every night before the workshop opens again early in the morning."


@pytest.fixture
def varied():
    documents = (
        Document("a", "a", GERMAN, metadata={"topic": "keys", "year": 2020, "draft": True, "tags": ["x", "y"]}),
        Document("b", "b", ENGLISH, metadata={"topic": "doors"}),
    )
    queries = {"q1": "Schlüssel", "q2": "how is the key rotated at night", "q3": "a b c d e f g h i", "q4": "鍵"}
    qrels = {"q1": {"a": 1}, "q2": {"b": 1, "a": 0}, "q3": {"a": 1, "b": 2}, "q4": {"b": 1}}
    return JudgedSet("varied/test", documents, queries, qrels, {"q1": "label", "q2": "heading"})


def values(judged, by):
    return {group.value: list(group.queries) for group in groups_by(judged, by, list(judged.queries))}


def test_what_queries_are_grouped_by(varied):
    assert values(varied, "source") == {"not said": ["q3", "q4"], "heading": ["q2"], "label": ["q1"]}
    assert values(varied, "length") == {
        "1 to 3 words": ["q1", "q4"], "4 to 7 words": ["q2"], "8 words or more": ["q3"],
    }  # fmt: skip
    assert values(varied, "language") == {"en": ["q2", "q3", "q4"], "de": ["q1", "q3"]}, "of what answers them"
    assert values(varied, "topic") == {"doors": ["q2", "q3", "q4"], "keys": ["q1", "q3"]}
    assert values(varied, "year") == {"(none)": ["q2", "q3", "q4"], "2020": ["q1", "q3"]}
    assert values(varied, "draft")["true"] == ["q1", "q3"] and values(varied, "tags")["y"] == ["q1", "q3"]


def test_a_field_that_nothing_has(varied):
    with pytest.raises(UsageError, match=r"has 'topics'.*Did you mean 'topic'"):
        groups_by(varied, "topics", list(varied.queries))
    with pytest.raises(UsageError, match="need the documents"):
        groups_by(dataclasses.replace(varied, documents=()), "language", list(varied.queries))


def rows_of(a, b):
    def row(name, scores):
        return Row(name, per_query={f"q{n}": {"m": value} for n, value in enumerate(scores)})

    return {"a": row("a", a), "b": row("b", b)}


def test_equal_candidates_are_rarely_told_apart_in_any_slice():
    """Five looks at each of 200 comparisons of equals: uncorrected, 1 in 4 would find something."""
    generator = np.random.default_rng(3)
    groups = [QueryGroup("x", str(at), [f"q{n}" for n in range(at * 40, at * 40 + 40)]) for at in range(5)]
    wrong = 0
    for _ in range(60):
        a = generator.random(200)
        found = slices_of(rows_of(a, a + generator.normal(0, 0.2, 200)), "m", groups)
        wrong += any(one.says in ("better", "worse") for one in found)
    assert wrong <= 7, "5 % of 60, and what chance adds"


def test_a_slice_that_differs_is_found_and_a_small_one_is_not_decided():
    generator = np.random.default_rng(4)
    a = generator.random(100)
    b = a + np.where(np.arange(100) < 60, 0.3, 0.0) + generator.normal(0, 0.05, 100)
    groups = [QueryGroup("x", name, [f"q{n}" for n in range(*part)]) for name, part in
              {"up": (0, 40), "same": (60, 100), "few": (0, 19)}.items()]  # fmt: skip
    up, same, few = slices_of(rows_of(a, b), "m", groups)
    assert up.says == "better" and up.interval[0] > 0.2 and up.p == pytest.approx(2 * up.p_uncorrected)
    assert same.says == "undecided" and same.interval[0] < 0 < same.interval[1]
    assert few.says == "too few" and few.interval is None and few.p is None and few.difference > 0.2


def test_compare_by(judged):
    found = compare([WORSE, BETTER, f"{WORSE}@hybrid"], judged, by=("source", "length"))
    assert {(one.by, one.value, one.b) for one in found.slices} == {
        (by, value, b)
        for by, value in (("source", "not said"), ("length", "1 to 3 words"))
        for b in (BETTER, f"{WORSE}@hybrid")
    }
    for one in found.slices:
        pair = next(pair for pair in found.deciding if pair.b == one.b)
        assert one.difference == pytest.approx(pair.difference) and one.p_uncorrected == pair.p_uncorrected
        assert one.interval == pytest.approx(pair.interval, abs=1e-6)
    assert json.loads(json.dumps(found.to_dict()))["slices"][0]["says"] == "better"
