from dataclasses import replace

import numpy as np
import pytest

from embassay.embedders.providers.hash import HashEmbedder
from embassay.errors import ModelNotFound, StoreError, UsageError
from embassay.search.base import Candidates, Found
from embassay.search.modes import cascaded, pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.second import SecondSpace, TimedModel
from embassay.search.stages.cascade import Cascade, joined
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.stores.values import Scored
from tests.search.fakes import FakeSnapshot, context, found

MODEL = HashEmbedder(64)
TEN = [Scored(name, 1 - at / 10) for at, name in enumerate("abcdefghij")]


class Stored:
    """A snapshot of the second space with these vectors."""

    def __init__(self, vectors):
        self._vectors = vectors

    def vectors(self, keys, *, label="vector"):
        return {key: self._vectors[key] for key in keys if key in self._vectors}


class Gone:
    def vectors(self, keys, *, label="vector"):
        raise StoreError("the collection is gone.")


def of_text(*names):
    """What the model makes of the texts of these chunks."""
    made = MODEL.embed([f"text of {name}" for name in names], "document").vectors
    return dict(zip(names, made, strict=True))


def second(snapshot, model=MODEL):
    def opened():
        if isinstance(model, Exception):
            raise model
        return model

    return lambda: SecondSpace(MODEL.space, snapshot, TimedModel(opened, MODEL.space))


def exact(names):
    """Oracle: the products in the second space."""
    query = MODEL.embed(["the query"], "query").vectors[0]
    return {name: float(vector @ query) for name, vector in of_text(*names).items()}


def run(stage, stored, *, lists=None, **options):
    lists = lists or {"dense": Found(Dense(10), TEN)}
    asked = context(second=second(stored), **options)
    ranking = TEN if len(lists) == 1 else ()
    return stage.run(asked, Candidates(lists, ranking)), asked.trace


def test_stored_vectors_decide_where_all_are_there():
    made, trace = run(Cascade(0), Stored(of_text(*"abcdefghij")))
    scores = exact("abcdefghij")
    assert [one.ref for one in made.ranking] == sorted(scores, key=lambda name: -scores[name])
    assert {one.ref: one.score for one in made.ranking} == pytest.approx(scores)
    assert (trace.cascade.exact, trace.cascade.embedded, trace.cascade.left) == (10, 0, 0)
    assert list(made.found["dense"].scored) == TEN  # raw scores stay those of the live space


def test_missing_ones_are_embedded_and_score_the_same():
    made, trace = run(Cascade(60_000), Stored(of_text(*"abc")))
    assert {one.ref: one.score for one in made.ranking} == pytest.approx(exact("abcdefghij"))
    assert (trace.cascade.exact, trace.cascade.embedded, trace.cascade.left) == (3, 7, 0)


def test_a_row_of_zeros_is_no_vector():
    stored = of_text(*"abcdefghij") | {"d": np.zeros(64, np.float32)}
    _, trace = run(Cascade(0), Stored(stored))
    assert (trace.cascade.exact, trace.cascade.left) == (9, 1)


def test_without_a_budget_the_others_are_placed_by_their_old_scores():
    made, trace = run(Cascade(0), Stored(of_text(*"acegi")))
    assert (trace.cascade.exact, trace.cascade.left) == (5, 5)
    known = exact("acegi")
    assert {one.ref: one.score for one in made.ranking if one.ref in known} == pytest.approx(known)
    left = [one.ref for one in made.ranking if one.ref not in known]
    assert left == list("bdfhj")  # among themselves in their old order


def test_too_few_say_nothing_of_the_others():
    made, trace = run(Cascade(0), Stored(of_text(*"abcd")))
    assert list(made.ranking) == TEN and not made.rescored
    assert (trace.cascade.exact, trace.cascade.left) == (0, 10)


def test_scores_of_two_spaces_are_not_compared():
    """A space whose scores are all greater puts no candidate ahead for having one there."""
    old = [Scored("a", 0.3), Scored("b", 0.2), Scored("c", 0.1), Scored("d", 0.0)]
    made = joined(old, {"a": 0.93, "d": 0.90})
    assert [one.ref for one in made] == ["a", "b", "c", "d"]
    assert {one.ref: one.score for one in made} == pytest.approx({"a": 0.93, "b": 0.92, "c": 0.91, "d": 0.90})
    assert [one.score for one in joined([Scored("a", 1.0), Scored("b", 1.0)], {"a": 0.5})] == [0.5, 0.5]


def test_a_fusion_joins_the_new_scores():
    stored = of_text(*"abcd")
    lists = found(dense=[*TEN[:3]])
    made, _ = run(Cascade(60_000), Stored(stored), lists=lists)
    scores = exact("abc")
    ranked = [Scored(name, scores[name]) for name in sorted(scores, key=lambda name: -scores[name])]
    snapshot = FakeSnapshot()
    fused = Convex().run(context(snapshot), made)
    lists = found(dense=ranked)
    lists = {**lists, "lexical": replace(lists["lexical"], others={"a": 0.0, "b": 0.0})}
    assert {one.ref: one.score for one in fused.ranking} == pytest.approx(Convex().fuse(lists))
    assert "dense_scores" not in {asked[0] for asked in snapshot.asked}, "the live space has no scores of the new one"


def test_where_there_is_no_second_space_nothing_changes():
    before = Candidates({"dense": Found(Dense(10), TEN)}, TEN)
    assert Cascade().run(context(without_model=True), before) is before
    with pytest.raises(UsageError, match="no second space"):
        Cascade().run(context(), before)  # a measurement would be one of something else


def test_a_generation_that_goes_away_is_a_notice():
    made, trace = run(Cascade(), Gone(), without_model=True)
    assert list(made.ranking) == TEN and trace.cascade is None
    assert trace.notices == ["No cascade: the collection is gone."]
    with pytest.raises(StoreError):
        run(Cascade(), Gone())


def test_a_model_that_cannot_be_asked_is_raised_for_the_run_to_leave_the_stage_out():
    asked = context(second=second(Stored({}), ModelNotFound("it has gone.")))
    with pytest.raises(ModelNotFound):
        Cascade().run(asked, Candidates({"dense": Found(Dense(10), TEN)}, TEN))


def test_where_it_stands():
    chosen = cascaded(pipeline("hybrid", 5), Cascade(50))
    assert str(chosen) == "dense(100) | lexical(100) >> cascade(50) >> adaptive(0.7) >> top(5)"
    assert parse_pipeline(str(chosen)) == chosen
    assert str(cascaded(pipeline("dense", 5), Cascade())) == "dense(100) >> cascade(200) >> top(5)"
    with pytest.raises(UsageError, match="has a cascade already"):
        cascaded(chosen, Cascade())
    by_words = str(cascaded(pipeline("lexical", 5), Cascade()))
    assert by_words == "lexical(100) >> cascade(200) >> top(5)", "words recall too"
    with pytest.raises(UsageError, match="budget_ms is -1"):
        Cascade(-1)
