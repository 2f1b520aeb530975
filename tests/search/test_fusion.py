import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import UsageError
from embassay.search.fusion import FUSIONS, Convex, Rrf, ZScore
from embassay.search.index import rank
from embassay.search.stages import Arm, Top, pipeline
from embassay.stores.base import Scored

LISTS = {
    "dense": [Scored("a", 0.9), Scored("b", 0.5), Scored("c", 0.1)],
    "lexical": [Scored("c", 8.0), Scored("d", 4.0)],
}


def test_rrf_by_hand():
    assert Rrf(60).fuse(LISTS) == pytest.approx({"a": 1 / 61, "b": 1 / 62, "c": 1 / 63 + 1 / 61, "d": 1 / 62})


def test_convex_by_hand():
    """Dense scaled from -1 to 0.9, BM25 from 0 to 8; who is missing gets the lowest score of that list."""
    dense = {"a": 1.0, "b": 1.5 / 1.9, "c": 1.1 / 1.9, "d": 1.1 / 1.9}
    lexical = {"a": 0.5, "b": 0.5, "c": 1.0, "d": 0.5}
    expected = {ref: 0.75 * dense[ref] + 0.25 * lexical[ref] for ref in "abcd"}
    assert Convex(0.75).fuse(LISTS) == pytest.approx(expected)


def test_zscore_by_hand():
    fused = ZScore(0.5).fuse(
        {"dense": [Scored("a", 1.0), Scored("b", 0.0)], "lexical": [Scored("b", 3.0), Scored("c", 1.0)]}
    )
    assert fused == pytest.approx({"a": 0.5 * 1 - 0.5, "b": 0.5 * -1 + 0.5, "c": 0.5 * -1 - 0.5})


scores = st.floats(-1, 1, allow_nan=False)
lists = st.lists(st.tuples(st.integers(0, 30), scores), max_size=30, unique_by=lambda t: t[0]).map(
    lambda rows: [Scored(ref, score) for ref, score in sorted(rows, key=lambda r: -r[1])]
)


@given(st.sampled_from(list(FUSIONS.values())), lists, lists)
def test_every_candidate_is_scored_and_agreement_is_kept(fusion, dense, lexical):
    lexical = [Scored(s.ref, s.score + 2) for s in lexical]
    fused = fusion.fuse({"dense": dense, "lexical": lexical})
    assert set(fused) == {s.ref for s in dense} | {s.ref for s in lexical}
    d, w = {s.ref: s.score for s in dense}, {s.ref: s.score for s in lexical}
    for x in d.keys() & w.keys():
        for y in d.keys() & w.keys():
            if d[x] > d[y] and w[x] > w[y]:
                assert fused[x] >= fused[y], "who is better in both arms is not worse in the sum"


def test_rank_takes_the_top_in_order():
    ranked = rank(LISTS, pipeline("hybrid", 2))
    assert len(ranked) == 2 and ranked[0][1] >= ranked[1][1]
    assert rank({"dense": LISTS["dense"]}, pipeline("dense", 2)) == [("a", 0.9), ("b", 0.5)]


def test_pipelines_print_as_read_aloud():
    assert str(pipeline("hybrid", 10)) == "dense(100) | lexical(100) >> convex(0.75) >> top(10)"
    assert str(pipeline("hybrid", 300, fusion="rrf")) == "dense(300) | lexical(300) >> rrf(60) >> top(300)"
    assert str(pipeline("lexical", 5)) == "lexical(5) >> top(5)"


def test_pipelines_are_composed():
    assert (Arm("dense") | Arm("lexical")) >> Rrf() >> Top(3) == pipeline("hybrid", 3, fusion="rrf")
    assert str(Arm("lexical", 20) >> Top(2)) == "lexical(20) >> top(2)"


@pytest.mark.parametrize("wrong", [{"mode": "fuzzy"}, {"k": 0}, {"fusion": "sum"}])
def test_wrong_pipelines(wrong):
    with pytest.raises(UsageError):
        pipeline(**wrong)
