import numpy as np
import pytest

from embassay.errors import StoreError, UsageError
from embassay.search.base import Candidates
from embassay.search.stages.dense import Dense
from embassay.stores.filters.parser import parse
from embassay.stores.values import Scored
from tests.search.fakes import DENSE, FakeSnapshot, context


def test_it_asks_for_the_nearest_of_the_query():
    snapshot, where = FakeSnapshot(), parse("year > 2000")
    asked = []

    def embed(text, role):
        import numpy as np

        asked.append((text, role))
        return np.array([1.0, 2.0], np.float32)

    made = Dense(2).run(context(snapshot, embed, where=where), Candidates())
    assert list(made.ranking) == DENSE[:2] and asked == [("the query", "query")]
    assert snapshot.asked == [("dense", [1.0, 2.0], 2, where, "vector")]
    Dense(2, vectors="coarse").run(context(snapshot, embed), Candidates())
    assert snapshot.asked[-1] == ("dense", [1.0, 2.0], 2, None, "coarse")


def test_it_is_dense_and_needs_a_model():
    assert Dense.dense and Dense.needs_model and Dense.least == -1.0
    assert Dense().is_bounded(context()) and not Dense().is_bounded(context(similarity="dot"))


def test_the_vector_is_made_before_the_store_is_waited_for():
    """The store opens while the model loads."""
    order = []

    def embed(text, role):
        import numpy as np

        order.append("model")
        return np.ones(2, np.float32)

    from embassay.search.context import Context

    def snapshot():
        order.append("store")
        return FakeSnapshot()

    Dense().run(Context("q", snapshot, embed), Candidates())
    assert order == ["model", "store"]


@pytest.mark.parametrize("depth", [0, 1_000_001, 1.5, True, "ten"])
def test_a_depth_is_a_number_in_its_range(depth):
    with pytest.raises(UsageError, match=r"dense: depth is .* a whole number between 1 and 1,000,000"):
        Dense(depth)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 3.0, -2.0])
def test_a_score_that_no_vector_of_a_model_gives_names_the_row(score):
    import numpy as np

    class Damaged(FakeSnapshot):
        def dense(self, *asked, **named):
            return [*DENSE[:1], Scored(DENSE[1].ref, score)]

    with pytest.raises(StoreError, match=r"the stored vector of .* is damaged"):
        Dense(2).run(context(Damaged(), lambda text, role: np.ones(2, np.float32)), Candidates())


def test_it_scores_what_other_arms_found():
    snapshot = FakeSnapshot()
    scores = Dense(2, vectors="coarse").score(context(snapshot), ["c", "gone", "a"])
    assert scores.tolist()[::2] == [np.float32(0.1), np.float32(0.9)] and np.isnan(scores[1])
    assert snapshot.asked == [("dense_scores", [1.0, 1.0], ["c", "gone", "a"], "coarse")]
    with pytest.raises(StoreError, match=r"the stored vector of a\.md, lines 1-1 is damaged: its score is 2"):
        Dense().score(context(FakeSnapshot([Scored("a", 2.0)])), ["a"])
    assert Dense().score(context(FakeSnapshot([Scored("a", 2.0)]), similarity="dot"), ["a"]).tolist() == [2.0]
