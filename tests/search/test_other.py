"""An arm that looks in another set: what it finds there is named by the rows that have the same keys here."""

from dataclasses import replace

import numpy as np
import pytest

from embassay.errors import ProviderDown, UsageError
from embassay.search.base import Candidates
from embassay.search.context import Context
from embassay.search.modes import refined
from embassay.search.other import OtherSet
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.cascade import Cascade
from embassay.search.stages.dense import Dense
from embassay.stores.filters.parser import parse
from tests.search.stored import opened, row

HERE = [row(at, f"text {at}") for at in (0, 1, 2, 3)]
THERE = [HERE[3], row(9, "nowhere else"), HERE[1], HERE[0]]
"""In another order, with one that is not here, and without the third."""
NEAR = np.eye(4, dtype=np.float32)
FAR = np.array([[1, 0], [0.8, 0.6], [0.6, 0.8], [0, 1]], np.float32)


def searching(here, there, *, similarity="cosine", failing=None, **options):
    """A context that knows one other set, of two dimensions, whose query points at its first row."""
    asked = []

    def embed(text, role):
        asked.append((text, role))
        if failing:
            raise failing
        return np.array([1.0, 0.0], np.float32)

    def other(name):
        assert name == "far"
        return OtherSet(name, similarity, embed, lambda: there)

    made = Context("text", lambda: here, lambda text, role: NEAR[2], other=other, **options)
    return made, asked


@pytest.fixture
def stores():
    with opened(HERE, NEAR) as here, opened(THERE, FAR) as there:
        yield here, there


def keys(version, scored):
    return [chunk.key for chunk in version.fetch([one.ref for one in scored])]


def test_it_finds_what_is_near_there_and_is_here(stores):
    context, asked = searching(*stores)
    found = Dense(4, set="far").run(context, Candidates()).ranking
    assert keys(stores[0], found) == ["key-3", "key-1", "key-0"]
    assert [one.score for one in found] == pytest.approx([1.0, 0.6, 0.0]) and asked == [("text", "query")]
    (notice,) = context.trace.notices
    assert notice.startswith("1 of 4 chunks found in set 'far' have no counterpart") and "the same documents" in notice
    Dense(4, set="far").run(context, Candidates())
    assert len(context.trace.notices) == 1 and len(asked) == 1, "what is known is not asked, or told, again"


def test_it_scores_what_others_found(stores):
    context, _ = searching(*stores)
    refs = stores[0].refs([f"key-{at}" for at in range(4)])
    arm = Dense(1, set="far")
    scores = arm.score(context, [refs[f"key-{at}"] for at in (0, 2, 3)])
    assert scores.dtype == np.float32 and scores[[0, 2]].tolist() == [0.0, 1.0] and np.isnan(scores[1])
    pipeline = parse_pipeline('near=dense(1) | far=dense(3, set="far") >> convex(0.5) >> top')
    hits = run(pipeline, context).hits
    assert [hit.chunk.key for hit in hits] == ["key-2", "key-3", "key-1"] and hits[1].arms["far"].score == 1.0


def test_filters_hold_on_both_sides():
    """What the other set knows of a chunk may differ: it is what is known here that counts."""
    here = [row(at, f"text {at}", f"{'ab'[at % 2]}.md") for at in range(4)]
    there = [row(at, f"text {at}", "a.md" if at else "b.md") for at in range(4)]
    with opened(here, NEAR) as ours, opened(there, FAR) as theirs:
        context, _ = searching(ours, theirs, where=parse('path = "a.md"'))
        found = Dense(4, set="far").run(context, Candidates()).ranking
        assert keys(ours, found) == ["key-2"], "the first passes here alone, the second and the fourth there alone"


def test_sets_that_were_cut_otherwise():
    """A chunk stands for those of its document that share half of the shorter one; the best of several counts."""
    cut = lambda key, span, document="d": replace(row(0, f"text {key}", document), key=key, span=span)  # noqa: E731
    here = [cut("a", (0, 10)), cut("b", (10, 20)), cut("c", (20, 30)), cut("e", (0, 10), "other")]
    there = [cut("x", (0, 16)), cut("y", (16, 24)), cut("z", (24, 30)), cut("w", (0, 30), "gone")]
    with opened(here, NEAR) as ours, opened(there, FAR) as theirs:
        context, _ = searching(ours, theirs, without_model=True)
        found = Dense(4, set="far").run(context, Candidates()).ranking
        scored = dict(zip(keys(ours, found), (round(one.score, 2) for one in found), strict=True))
        assert scored == {"a": 1.0, "b": 1.0, "c": 0.8}, "b lies in x and y by 6 and 4 of 8, c in y and z"
        assert context.trace.notices[0].startswith("1 of 4 chunks found in set 'far' have no counterpart")
        named = ours.refs(["a", "b", "c", "e"])
        scores = Dense(4, set="far").score(context, [named[key] for key in "abce"])
        assert scores[:3] == pytest.approx([1.0, 1.0, 0.8]) and np.isnan(scores[3])
        assert len(Dense(2, set="far").run(context, Candidates()).ranking) == 2


def test_nothing_in_common():
    with opened(HERE[:1], NEAR[:1]) as here, opened(THERE[:2], FAR[:2]) as there:
        context, _ = searching(here, there, without_model=True)
        assert not Dense(4, set="far").run(context, Candidates()).ranking and context.trace.notices
        context, _ = searching(here, there)
        with pytest.raises(UsageError, match="nothing that was found in set 'far' is in the set that is searched"):
            Dense(4, set="far").run(context, Candidates())


def test_its_scores_are_of_the_other_space(stores):
    """Whether they are bounded is a matter of that one, and its arm does not count for what only this one knows."""
    arm = Dense(set="far")
    assert arm.elsewhere == "far" and Dense().elsewhere == "" and str(arm) == 'dense(100, set="far")'
    assert not arm.is_bounded(searching(*stores, similarity="dot")[0]) and arm.is_bounded(searching(*stores)[0])
    assert parse_pipeline(f"{arm} >> top").needs_model is False, "no model of this set is asked"
    both = refined(parse_pipeline('near=dense(5) | far=dense(7, set="far") >> convex >> top'), cascade=Cascade())
    assert [one.depth for one in both.arms] == [100, 7], "a cascade rescores the arms of this space"


def test_an_arm_whose_model_is_down_is_left_out(stores):
    down = ProviderDown("it is down.")
    context, asked = searching(*stores, failing=down, without_model=True)
    pipeline = parse_pipeline('near=dense(2, weight=3) | far=dense(2, set="far") | lexical(2) >> convex(0.5) >> top')
    ranked = run(pipeline, context)
    assert str(ranked.pipeline) == "near=dense(2) | lexical(2) >> convex(0.5) >> top(10)" and len(asked) == 1
    assert context.trace.notices == ['Searched without far=dense(2, set="far"): it is down.']
    with pytest.raises(ProviderDown):
        run(pipeline, searching(*stores, failing=down)[0])


def test_what_is_expanded_is_asked_of_this_set_alone(stores):
    """A vector that feedback has moved is one of this space."""
    context, asked = searching(*stores)
    pipeline = parse_pipeline('near=dense(2) | far=dense(2, set="far") | lexical(2) >> prf >> convex(0.5) >> top')
    plain = run(parse_pipeline('far=dense(2, set="far") >> top'), context)
    assert dict(run(pipeline, context).found)["far"].scored == plain.found["far"].scored and len(asked) == 1


def test_where_there_are_no_other_sets():
    with opened(HERE, NEAR) as here:
        context = Context("text", lambda: here, lambda text, role: NEAR[0])
        with pytest.raises(UsageError, match="the documents of set 'far' cannot be searched here") as refused:
            Dense(4, set="far").run(context, Candidates())
        assert "embassay compare" in refused.value.remedy.in_shell()
