"""Altered queries, and what candidates lose on them."""

import random

import pytest

from embassay.errors import UsageError
from embassay.evaluate.compare.alterations import (
    ALTERATIONS,
    case,
    clean,
    keywords,
    typos,
    with_alterations,
    without_alterations,
)  # fmt: skip
from embassay.evaluate.compare.opening import Options, compare
from embassay.evaluate.data.saved import read_queries
from embassay.text import printable
from tests.evaluate.compare.sample import BETTER, WORSE


def test_typos_are_slips_of_few_letters():
    text = "how do I rotate the signing key of a tenant"
    for seed in range(200):
        made = typos(text, random.Random(seed), "en")
        assert made != text
        changed = [(a, b) for a, b in zip(text.split(), made.split(), strict=True) if a != b]
        assert len(changed) <= 1 and all(len(a) >= 4 and abs(len(a) - len(b)) <= 1 and a[0] == b[0] for a, b in changed)
    assert typos(text, random.Random(1), "en") == typos(text, random.Random(1), "en")
    assert typos("a b c", random.Random(1), "en") == "a b c", "nothing to slip on"


def test_case_and_keywords():
    assert case("Rotate the Key", random.Random(), "en") == "rotate the key"
    assert case("rotate the key", random.Random(), "en") == "ROTATE THE KEY"
    assert case("鍵の交換", random.Random(), "ja") == "鍵の交換"
    assert keywords("how do I rotate the key of a tenant?", random.Random(), "en") == "rotate key tenant"
    assert keywords("Wie wird der Schlüssel gewechselt", random.Random(), "de") == "Schlüssel gewechselt"
    assert keywords("to be or not to be", random.Random(), "en") == ""


def test_a_set_with_alterations_and_back(judged):
    asked = with_alterations(judged)
    assert clean(asked.queries) == list(judged.queries) and len(asked.queries) > 2 * len(judged.queries)
    assert without_alterations(asked) == judged and without_alterations(judged) is judged
    assert with_alterations(judged).queries == asked.queries, "equal queries are altered equally"
    assert set(asked.qrels) == set(asked.queries)


def test_each_candidate_is_held_against_itself(judged):
    options = Options(robustness=True)
    found = compare([WORSE, BETTER], judged, options=options)
    plain = compare([WORSE, BETTER], judged)
    assert [row.metrics for row in found.rows] == [row.metrics for row in plain.rows]
    assert found.verdict == plain.verdict and len(found.judged.queries) == 40
    lost = {(one.candidate, one.alteration): one for one in found.robustness}
    assert {name for _, name in lost} <= set(ALTERATIONS)
    words = lost[BETTER, "typos"]
    assert words.queries == 40 and words.drop == pytest.approx(words.clean - words.altered)
    assert words.interval[0] <= words.drop <= words.interval[1] and words.interval[0] > 0, "BM25 needs whole words"
    assert lost[BETTER, "case"].drop == 0, "BM25 folds case"
    assert clean(found.to_dict(per_query=True)["candidates"][0]["per_query"]) == list(judged.queries)
    assert printable(str(found.to_dict(per_query=True)["robustness"])), "as JSON"


def test_queries_that_are_documents_are_not_altered(judged):
    with pytest.raises(UsageError, match="do not go together"):
        compare([WORSE, BETTER], judged, options=Options(robustness=True, drop_same_id=True))


def test_sets_are_asked_altered_queries_as_well(indexed):
    data = read_queries(indexed / "queries.jsonl")
    assert set(data.sources.values()) == {"label"}
    found = compare(["small", "large"], data, by=("length", "source"), options=Options(robustness=True))
    assert not any(row.error for row in found.rows) and found.basis.origin == "people"
    assert {one.candidate for one in found.robustness} == {"small", "large"}
    assert {(one.by, one.value) for one in found.slices} == {("length", "1 to 3 words"), ("source", "label")}
