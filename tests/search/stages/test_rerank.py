import numpy as np
import pytest

from embassay.errors import BadReply, ProviderDown, UsageError
from embassay.reranking.timed import TimedReranker
from embassay.reranking.wrap.checked import Checked
from embassay.search.base import Candidates, Found
from embassay.search.modes import pipeline, refined
from embassay.search.parse import parse_pipeline
from embassay.search.run import run as run_pipeline
from embassay.search.stages.dense import Dense
from embassay.search.stages.rerank import Rerank
from embassay.stores.values import Scored
from tests.reranking.fakes import Overlap
from tests.search.fakes import FakeSnapshot, context

TEN = [Scored(name, 1 - at / 10) for at, name in enumerate("abcdefghij")]


def run(stage, reranker, ranking=TEN, **options):
    """The stage over a ranking; `reranker` stands for all names, or there is one for each name."""
    known = reranker if isinstance(reranker, dict) else {"": reranker}
    timed = {name: TimedReranker(Checked(one)) for name, one in known.items()}
    asked = context(reranker=lambda name: timed[name], **options)
    made = stage.run(asked, Candidates({"dense": Found(Dense(10), ranking)}, ranking))
    return made, asked.trace


def refs(made):
    return "".join(one.ref for one in made.ranking)


def test_with_weight_one_the_reranker_alone_decides():
    made, _ = run(Rerank(4, weight=1), Overlap(scores=[1, 3, 2, 4]))
    assert refs(made) == "dbcaefghij"


def test_with_weight_zero_nothing_changes():
    made, _ = run(Rerank(10, weight=0), Overlap(scores=range(10)))
    assert refs(made) == "abcdefghij"


def test_scores_are_added_in_standard_deviations():
    made, _ = run(Rerank(4, weight=0.25), Overlap(scores=[1000, 1003, 1002, 1004]))
    old, new = np.array([1, 0.9, 0.8, 0.7]), np.array([1000, 1003, 1002, 1004.0])
    expected = 0.75 * (old - old.mean()) / old.std() + 0.25 * (new - new.mean()) / new.std()
    assert refs(made)[:4] == "".join("abcd"[at] for at in np.argsort(-expected))
    assert [one.score for one in made.ranking[:4]] == pytest.approx(sorted(expected, reverse=True), abs=1e-6)


def test_scores_never_rise_along_the_ranking_and_nothing_is_lost():
    made, _ = run(Rerank(5), Overlap(scores=[5, 1, 4, 2, 3]))
    scores = [one.score for one in made.ranking]
    assert scores == sorted(scores, reverse=True) and sorted(refs(made)) == sorted("abcdefghij")
    assert refs(made)[5:] == "fghij"


def test_equal_scores_of_the_reranker_keep_the_order():
    made, _ = run(Rerank(10, weight=1), Overlap(scores=[7] * 10))
    assert refs(made) == "abcdefghij"


def test_it_reads_what_was_indexed_of_a_chunk():
    reranker = Overlap()
    run(Rerank(2), reranker)
    assert reranker.asked == [("the query", ["text of a", "text of b"])]


def test_nothing_is_asked_where_nothing_was_found():
    reranker = Overlap()
    made, trace = run(Rerank(), reranker, ranking=[])
    assert not made.ranking and not reranker.asked and not trace.reranked


def test_what_is_late_keeps_its_place_and_a_notice_says_so():
    reranker = Overlap()
    reranker.let.clear()
    made, trace = run(Rerank(10, budget_ms=50), reranker, without_model=True)
    reranker.let.set()
    assert refs(made) == "abcdefghij"
    (notice,) = trace.notices
    assert notice == "10 of 10 candidates kept their places: 50 ms were no time to rerank them."
    assert (trace.reranked[0].scored, trace.reranked[0].left) == (0, 10)


def test_candidates_without_a_score_stay_where_they_were():
    from embassay.search.stages.rerank import mixed

    made = mixed(TEN[:5], {"a": 1.0, "c": 2.0, "e": 3.0}, 1.0)
    assert [one.ref for one in made] == ["e", "b", "c", "d", "a"]
    scores = [one.score for one in made]
    assert scores == sorted(scores, reverse=True)


def test_a_time_that_suffices_scores_all():
    made, trace = run(Rerank(10, budget_ms=60_000, weight=1), Overlap(), ranking=TEN)
    assert trace.reranked[0].scored == 10 and not trace.notices and sorted(refs(made)) == sorted("abcdefghij")


def test_a_search_goes_on_without_a_reranker_that_is_down():
    failing = TimedReranker(Checked(Overlap(failing=ProviderDown("cohere is down."))))
    asked = context(FakeSnapshot(dense=TEN), reranker=lambda _: failing, without_model=True)
    ranked = run_pipeline(parse_pipeline("dense(10) >> rerank(5) >> top(3)"), asked)
    assert [hit.chunk.key for hit in ranked.hits] == ["a", "b", "c"]
    assert str(ranked.pipeline) == "dense(10) >> top(3)"
    assert ranked.trace.notices == ["Searched without rerank(5): cohere is down."]


def test_a_measurement_does_not():
    failing = TimedReranker(Checked(Overlap(failing=ProviderDown("cohere is down."))))
    asked = context(FakeSnapshot(dense=TEN), reranker=lambda _: failing)
    with pytest.raises(ProviderDown):
        run_pipeline(parse_pipeline("dense(10) >> rerank(5) >> top(3)"), asked)
    with pytest.raises(ProviderDown):
        run(Rerank(5, budget_ms=60_000), Overlap(failing=ProviderDown("cohere is down.")))


def test_a_failure_within_the_time_is_told():
    made, trace = run(Rerank(5, budget_ms=60_000), Overlap(failing=ProviderDown("cohere is down.")), without_model=True)
    assert refs(made) == "abcdefghij" and trace.notices == ["Not reranked in full: cohere is down."]


def test_a_score_that_is_no_number_is_no_ranking():
    with pytest.raises(BadReply, match="its score of text 1 is nan"):
        run(Rerank(2), Overlap(scores=[1, float("nan")]))
    with pytest.raises(BadReply, match="gave 1 scores for 2 texts"):
        run(Rerank(2), Overlap(scores=[1]))


EASY = [Scored("a", 10.0), *(Scored(name, 1 - at / 10) for at, name in enumerate("bcdefghij"))]


def test_only_hard_queries_are_reranked():
    reranker = Overlap(scores=range(10))
    made, trace = run(Rerank(10, margin=1, weight=1), reranker, ranking=EASY)
    assert refs(made) == "abcdefghij" and not reranker.asked
    assert (trace.reranked[0].hard, trace.reranked[0].model) == (False, "")
    made, trace = run(Rerank(10, margin=1, weight=1), reranker)
    assert refs(made) == "jihgfedcba" and trace.reranked[0].hard is True


def test_hard_queries_go_to_the_premium_reranker():
    cheap, dear = Overlap("cheap", scores=range(10)), Overlap("dear", scores=range(10, 0, -1))
    stage = Rerank(10, "cheap", margin=1, premium="dear", weight=1)
    both = {"cheap": cheap, "dear": dear}
    made, trace = run(stage, both, ranking=EASY)
    assert refs(made) == "jihgfedcba" and trace.reranked[0].model == "cheap" and not dear.asked
    made, trace = run(stage, both)
    assert refs(made) == "abcdefghij" and trace.reranked[0].model == "dear" and len(cheap.asked) == 1


def test_a_premium_reranker_needs_a_margin():
    with pytest.raises(UsageError, match=r"does not say which queries are hard: add margin=0\.5"):
        parse_pipeline('dense >> rerank(50, "a", premium="b") >> top')


def test_it_stands_behind_the_stage_that_joins_arms():
    with pytest.raises(UsageError, match="works on one ranking"):
        parse_pipeline("dense | lexical >> rerank >> convex >> top")


def test_it_prints_as_it_is_parsed():
    written = 'dense(100) >> rerank(50, model="cohere/rerank-v3.5", weight=0.7, budget_ms=300) >> top(10)'
    short = 'dense(100) >> rerank(50, "cohere/rerank-v3.5", weight=0.7, budget_ms=300) >> top(10)'
    assert str(parse_pipeline(short)) == written == str(parse_pipeline(written))


def test_the_option_is_a_stage_before_hits_are_left_out():
    made = refined(pipeline("hybrid", 5), rerank="r", group_by="document", min_score={"dense": 0.1})
    assert [type(stage).__name__ for stage in made.stages][1:] == ["Rerank", "MinScore", "Group", "Top"]
    alone = refined(pipeline("dense", 5), rerank=Rerank(30, "r"))
    assert alone.arms[0].depth == 30 and alone.hits == 5
    with pytest.raises(UsageError, match="has a reranker already"):
        refined(alone, rerank="other")


def test_a_search_without_vectors_needs_no_vectors():
    assert not parse_pipeline("lexical >> rerank >> top").needs_model
    assert parse_pipeline("dense >> rerank >> top").needs_model


def test_without_any_reranker_the_stage_says_so():
    with pytest.raises(UsageError, match="no reranker can be asked here"):
        Rerank().run(context(), Candidates({"dense": Found(Dense(10), TEN)}, TEN))
