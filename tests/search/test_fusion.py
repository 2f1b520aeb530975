"""What every fusion keeps, and that one dense and one lexical arm score as the slow definition says."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from embassay.search.base import Candidates
from embassay.search.modes import fusions as known_fusions
from embassay.search.pipeline import Pipeline
from embassay.search.run import run
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.search.stages.top import Top
from embassay.search.stages.zscore import ZScore
from embassay.stores.values import Scored
from tests.search.fakes import DENSE, FakeSnapshot, context, found
from tests.search.oracle import oracle
from tests.search.strategies import fusions, lists, word_lists


@given(st.sampled_from(list(known_fusions().values())), lists, word_lists)
def test_every_candidate_is_scored_and_agreement_is_kept(fusion, dense, lexical):
    fused = fusion.fuse(found(dense, lexical))
    assert set(fused) == {s.ref for s in dense} | {s.ref for s in lexical}
    d, w = {s.ref: s.score for s in dense}, {s.ref: s.score for s in lexical}
    for x in d.keys() & w.keys():
        for y in d.keys() & w.keys():
            if d[x] > d[y] and w[x] > w[y]:
                assert fused[x] >= fused[y], "who is better in both arms is not worse in the sum"


@given(fusions, lists, word_lists, st.integers(1, 40), st.integers(1, 40))
def test_two_arms_score_as_the_definition_says_bit_for_bit(fusion, dense, lexical, depth, k):
    weight = fusion.k if fusion.name == "rrf" else fusion.dense
    pairs = [[(s.ref, s.score) for s in found] for found in (dense, lexical)]
    expected = oracle(*pairs, depth, k, fusion.name, weight, complete=fusion.completes)
    pipeline = (Dense(depth) | Lexical(depth)) >> fusion >> Top(k)
    ranked = run(pipeline, context(FakeSnapshot(dense, lexical)))
    assert [(hit.chunk.key, hit.score) for hit in ranked.hits] == [(str(ref), score) for ref, score in expected]


@given(lists, st.integers(1, 40), st.integers(1, 40))
def test_one_arm_keeps_its_raw_scores(dense, depth, k):
    expected = oracle([(s.ref, s.score) for s in dense], None, depth, k, "", 0)
    ranked = run(Pipeline((Dense(depth),), (Top(k),)), context(FakeSnapshot(dense, [])))
    assert [(hit.chunk.key, hit.score) for hit in ranked.hits] == [(str(ref), score) for ref, score in expected]


@given(lists, word_lists, st.floats(-1e3, 1e3), st.floats(1e-3, 1e3))
def test_dot_products_are_scaled_by_what_was_found(dense, lexical, offset, factor):
    """They have no least value: where they begin, and how far they reach, says nothing."""
    moved = [Scored(one.ref, one.score * factor + offset) for one in dense]
    pipeline = (Dense(100) | Lexical(100)) >> Convex(0.75) >> Top(100)
    plain, other = (
        run(pipeline, context(FakeSnapshot(scored, lexical), similarity="dot")).hits for scored in (dense, moved)
    )
    scores = [{hit.chunk.key: hit.score for hit in hits} for hits in (plain, other)]
    assert scores[0].keys() == scores[1].keys() and all(-1e-6 <= score <= 1 + 1e-6 for score in scores[0].values())
    if len({one.score for one in moved}) == len({one.score for one in dense}):  # a large offset swallows differences
        assert all(abs(scores[0][key] - scores[1][key]) < 0.01 for key in scores[0])


def test_negative_dot_products_still_order_what_they_found():
    dense = [Scored("a", -3.0), Scored("b", -5.0), Scored("c", -9.0)]
    ranked = run((Dense(9) | Lexical(9)) >> Convex(0.75) >> Top(9), context(FakeSnapshot(dense, []), similarity="dot"))
    assert [(hit.chunk.key, round(hit.score, 4)) for hit in ranked.hits] == [("a", 0.75), ("b", 0.5), ("c", 0.0)]


def test_equal_scores_stay_in_the_order_in_which_they_were_found():
    lists = found([Scored("b", 1.0)], [Scored("a", 1.0)])
    made = Rrf().run(context(), Candidates(lists))
    assert [one.ref for one in made.ranking] == ["b", "a"] and made.found == lists


def test_every_arm_scores_what_the_others_found():
    """The dense arm finds a and b, the lexical one c and d; each is asked for the rest, and words for what has none."""
    snapshot = FakeSnapshot()
    arms = Dense(2) | Lexical(2)
    ranked = run(arms >> ZScore(0.5) >> Top(9), context(snapshot))
    asked = [made[0:3] for made in snapshot.asked if made[0].endswith("_scores")]
    assert asked == [("dense_scores", [1.0, 1.0], ["c", "d"]), ("lexical_scores", "the query", ["a", "b"])]
    assert {hit.chunk.key: set(hit.arms) for hit in ranked.hits} == {
        "a": {"dense"},
        "b": {"dense"},
        "c": {"lexical"},
        "d": {"lexical"},
    }, "a hit names the arms that found it"
    lists = found(DENSE[:2])
    whole = {"dense": replace(lists["dense"], others={"c": float(np.float32(0.1))}), "lexical": lists["lexical"]}
    whole["lexical"] = replace(whole["lexical"], others={"a": 0.0, "b": 0.0})
    assert {hit.chunk.key: hit.score for hit in ranked.hits} == ZScore(0.5).fuse(whole)
    run(arms >> ZScore(0.5, complete=False) >> Top(9), context(snapshot := FakeSnapshot()))
    run(arms >> Rrf() >> Top(9), context(snapshot))
    assert not any(made[0].endswith("_scores") for made in snapshot.asked)


def test_an_arm_that_cannot_score_or_found_nothing_is_not_needed():
    class Only(Lexical):
        def score(self, context, refs):
            return None

    snapshot = FakeSnapshot()
    ranked = run((Dense(2) | Only(2)) >> Convex() >> Top(9), context(snapshot))
    assert {hit.chunk.key: hit.score for hit in ranked.hits}["a"] == 0.75 + 0.25 * 0.5, "the lowest of its list"
    run((Dense(2) | Lexical(2)) >> Convex() >> Top(9), context(snapshot := FakeSnapshot(lexical=[])))
    assert not any(made[0].endswith("_scores") for made in snapshot.asked)
