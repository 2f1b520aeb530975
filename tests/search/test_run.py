import numpy as np
import pytest

from embassay.errors import KeyRejected, ModelNotFound, StoreError, UsageError
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.stores.values import Scored
from tests.search.fakes import DENSE, LEXICAL, FakeSnapshot, context


def broken(text, role):
    raise ModelNotFound("the model has gone.")


def test_hits_say_where_each_arm_ranked_them():
    hits = run(pipeline(k=3), context()).hits
    assert [(hit.rank, hit.chunk.key) for hit in hits] == [(1, "a"), (2, "c"), (3, "b")]
    assert {name: (arm.rank, arm.score) for name, arm in hits[1].arms.items()} == {
        "dense": (3, 0.1),
        "lexical": (1, 8.0),
    }
    assert set(hits[0].arms) == {"dense"}


def test_two_dense_arms_do_not_overwrite_each_other():
    asked = []

    def embed(text, role):
        asked.append(text)
        return np.ones(2, np.float32)

    found = run(parse_pipeline("near=dense(1) | far=dense(3) >> rrf >> top"), context(embed=embed))
    assert [hit.chunk.key for hit in found.hits] == ["a", "b", "c"]
    assert set(found.hits[0].arms) == {"near", "far"} and set(found.hits[2].arms) == {"far"}
    assert asked == ["the query"], "both need one vector, which is made once"


def test_without_a_model_a_search_goes_on_by_words():
    found = run(pipeline(k=2), context(embed=broken, without_model=True))
    assert str(found.pipeline) == "lexical(100) >> top(2)" and found.pipeline.mode == "lexical"
    assert [(hit.chunk.key, hit.score) for hit in found.hits] == [("c", 8.0), ("d", 4.0)], "raw scores of one arm"
    assert found.trace.notices == ["Searched by words only: the model has gone."]
    assert [step.stage for step in found.trace.steps] == ["lexical(100)", "top(2)", "fetch"]


def test_a_model_that_fails_is_asked_once():
    asked = []

    def failing(text, role):
        asked.append(text)
        raise KeyRejected("the key is wrong.")

    three = parse_pipeline("near=dense(1) | far=dense(3) | lexical >> rrf >> top")
    found = run(three, context(embed=failing, without_model=True))
    assert len(asked) == 1 and found.trace.notices == ["Searched by words only: the key is wrong."]


def test_a_measurement_raises_instead():
    with pytest.raises(ModelNotFound):
        run(pipeline(), context(embed=broken))


def test_where_no_arm_is_left_the_error_is_raised():
    with pytest.raises(ModelNotFound):
        run(pipeline("dense"), context(embed=broken, without_model=True))


def test_a_store_that_fails_is_no_reason_to_go_on():
    class Broken(FakeSnapshot):
        def dense(self, *args, **kwargs):
            raise StoreError("the disk is gone.")

    with pytest.raises(StoreError):
        run(pipeline(), context(Broken(), without_model=True))


def test_the_snapshot_is_taken_once():
    from embassay.search.context import Context

    taken = []

    def snapshot():
        taken.append(1)
        return FakeSnapshot()

    run(pipeline(), Context("q", snapshot, lambda text, role: np.ones(2, np.float32)))
    assert len(taken) == 1


def test_nothing_found():
    found = run(pipeline(), context(FakeSnapshot([], [])))
    assert list(found.hits) == [] and found.pipeline == pipeline()


def test_numbers_and_texts_may_be_refs():
    lists = [Scored(7, 0.5), Scored("7", 0.4)]
    found = run(pipeline(k=5), context(FakeSnapshot(lists, LEXICAL)))
    assert len(found.hits) == 4 and len(DENSE) == 3


@pytest.mark.parametrize("unfinished", [Dense(5), Dense(5) | Lexical(5), (Dense(5) | Lexical(5)) >> Rrf()])
def test_a_pipeline_without_its_end_is_not_run(unfinished):
    with pytest.raises(UsageError, match=r"how many hits come out. Add: >> Top\(10\)"):
        run(unfinished, context())
