"""Which queries decide, and what a verdict on made-up ones is worth."""

import dataclasses

import pytest

from embassay.evaluate.compare.basis import basis_of
from embassay.evaluate.compare.opening import compare
from embassay.evaluate.compare.verdict import decide
from tests.evaluate.compare.sample import BETTER, WORSE
from tests.evaluate.compare.test_verdict import seen


def of(judged, *sources):
    """The same set, whose queries come from the sources in turn."""
    said = {query: sources[at % len(sources)] for at, query in enumerate(judged.queries)}
    return dataclasses.replace(judged, sources={query: source for query, source in said.items() if source})


@pytest.mark.parametrize(
    ("sources", "origin", "queries", "left_out"),
    [
        (("",), "not said", 40, {}),
        (("label",), "people", 40, {}),
        (("label", "log"), "people", 40, {}),
        (("heading", "sentence"), "made-up", 40, {}),
        (("llm",), "made-up", 40, {}),
        (("label", "heading"), "people", 20, {"heading": 20}),
        (("label", "heading", "llm"), "made-up", 40, {}),
        (("label", ""), "not said", 40, {}),
        (("", "heading"), "not said", 20, {"heading": 20}),
    ],
)
def test_queries_of_people_decide_where_there_are_enough(judged, sources, origin, queries, left_out):
    basis = basis_of(of(judged, *sources))
    assert (basis.origin, len(basis.queries), basis.left_out) == (origin, queries, left_out)
    assert sum(basis.sources.values()) == queries


def test_a_verdict_on_made_up_queries_says_so(judged):
    found = compare([WORSE, BETTER], of(judged, "heading", "sentence"))
    assert found.verdict == "switch" and found.headline == f"Switch to {BETTER} on made-up queries"
    assert "40 made-up queries (20 heading, 20 sentence)" in found.caution and "-0.10 to +0.08" in found.caution
    assert "judge" in found.next("j").in_shell()
    data = found.to_dict()
    assert data["basis"] == {
        "origin": "made-up", "queries": 40, "sources": {"heading": 20, "sentence": 20}, "left_out": {}, "words_bias": [-0.1, 0.08],
    }  # fmt: skip
    assert data["headline"] == found.headline and data["caution"] == found.caution and data["next"]
    real = compare([WORSE, BETTER], of(judged, "label"))
    assert real.headline == f"Switch to {BETTER}" and not real.caution and not real.next()
    assert [pair.difference for pair in real.pairs] == [pair.difference for pair in found.pairs]


def test_both_kinds_are_shown_apart_and_people_decide(judged):
    """The queries of people ask for what no document says in their words; the made-up ones are found by words."""
    mixed = of(judged, "label", "heading")
    asked = {q: text if mixed.sources[q] == "heading" else f"unheard {q}" for q, text in mixed.queries.items()}
    found = compare([WORSE, BETTER], dataclasses.replace(mixed, queries=asked))
    assert found.verdict != "switch" and found.basis.origin == "people"
    people, made = found.origins
    assert (people.value, people.queries, made.value, made.queries) == ("people", 20, "made-up", 20)
    assert made.says == "better" and people.says != "better"
    (pair,) = found.deciding
    assert pair.wins + pair.ties + pair.losses == 20 and pair.difference == pytest.approx(people.difference)
    means = [row.metrics["nDCG@10"] for row in found.rows]
    assert means[1] - means[0] == pytest.approx(pair.difference), "means are those of the queries that decide"
    assert {change.query for change in found.changed(pair)} <= set(found.basis.queries)
    assert len(found.to_dict(per_query=True)["candidates"][0]["per_query"]) == 40


def test_between_words_and_none_a_small_difference_on_made_up_queries_decides_nothing():
    small = seen(mean=0.073, low=0.04, high=0.106)
    assert decide(small, 0.0002).verdict == "switch"
    biased = decide(small, 0.0002, bias=(-0.1, 0.1))
    assert (
        biased.verdict == "undecided"
        and "may be off by -0.10 to +0.10" in biased.reason
        and biased.queries_needed is None
    )
    assert decide(seen(mean=-0.131, low=-0.17, high=-0.09), 0.0002, bias=(-0.1, 0.1)).verdict == "undecided"
    assert decide(seen(mean=0.3, low=0.2, high=0.4), 0.0002, bias=(-0.1, 0.1)).verdict == "switch"
    assert decide(seen(mean=-0.3, low=-0.4, high=-0.2), 0.0002, bias=(-0.1, 0.1)).verdict == "keep"
    assert decide(small, 0.0002, exceeded=["too slow"], bias=(-0.1, 0.1)).verdict == "keep"


def test_the_bias_is_that_between_words_and_none(judged):
    """Two forms of one model are held to no more than on real queries."""
    names = [f"{WORSE}@lexical", f"{WORSE}@hybrid", WORSE]
    found = compare(names, of(judged, "heading"))
    hybrid, dense = found.deciding
    assert "on made-up queries" not in hybrid.reason
    assert dense.verdict == "keep", "far worse than any bias"
