"""What every fusion keeps, and that one dense and one lexical arm score as they always did."""

from hypothesis import given
from hypothesis import strategies as st

from embassay.search.base import Candidates
from embassay.search.modes import fusions as known_fusions
from embassay.search.pipeline import Pipeline
from embassay.search.run import run
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.top import Top
from tests.search.fakes import FakeSnapshot, context, found
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
def test_two_arms_score_as_before_bit_for_bit(fusion, dense, lexical, depth, k):
    weight = fusion.k if fusion.name == "rrf" else fusion.dense
    pairs = [[(s.ref, s.score) for s in found] for found in (dense, lexical)]
    expected = oracle(*pairs, depth, k, fusion.name, weight)
    pipeline = (Dense(depth) | Lexical(depth)) >> fusion >> Top(k)
    ranked = run(pipeline, context(FakeSnapshot(dense, lexical)))
    assert [(hit.chunk.key, hit.score) for hit in ranked.hits] == [(str(ref), score) for ref, score in expected]


@given(lists, st.integers(1, 40), st.integers(1, 40))
def test_one_arm_keeps_its_raw_scores(dense, depth, k):
    expected = oracle([(s.ref, s.score) for s in dense], None, depth, k, "", 0)
    ranked = run(Pipeline((Dense(depth),), (Top(k),)), context(FakeSnapshot(dense, [])))
    assert [(hit.chunk.key, hit.score) for hit in ranked.hits] == [(str(ref), score) for ref, score in expected]


def test_equal_scores_stay_in_the_order_in_which_they_were_found():
    from embassay.search.stages.rrf import Rrf
    from embassay.stores.values import Scored

    lists = found([Scored("b", 1.0)], [Scored("a", 1.0)])
    made = Rrf().run(context(), Candidates(lists))
    assert [one.ref for one in made.ranking] == ["b", "a"] and made.found == lists
