"""Random candidates and pipelines for property tests."""

from hypothesis import strategies as st

from embassay.search.pipeline import Pipeline
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.search.stages.top import Top
from embassay.search.stages.zscore import ZScore
from embassay.stores.values import Scored

weights = st.floats(0, 1, allow_nan=False)
lists = st.lists(
    st.tuples(st.integers(0, 30), st.floats(-1, 1, allow_nan=False)), max_size=30, unique_by=lambda t: t[0]
).map(lambda rows: [Scored(ref, score) for ref, score in sorted(rows, key=lambda r: -r[1])])
word_lists = lists.map(lambda scored: [Scored(s.ref, s.score + 2) for s in scored])
fusions = st.one_of(
    st.builds(Convex, weights, st.booleans()),
    st.builds(ZScore, weights, st.booleans()),
    st.builds(Rrf, st.integers(0, 1000)),
)
labels = st.from_regex(r"\A[^\W\d][\w-]{0,8}\Z")


@st.composite
def pipelines(draw, depths=st.integers(1, 1_000_000), vectors=st.just("vector")):
    """One to four arms of either kind, each with a label of its own."""
    named = draw(st.lists(labels, min_size=1, max_size=4, unique=True))
    arms = tuple(
        Lexical(draw(depths), label=label) if draw(st.booleans()) else Dense(draw(depths), draw(vectors), label=label)
        for label in named
    )
    return Pipeline(arms, (*([draw(fusions)] if len(arms) > 1 else []), Top(draw(depths))))
