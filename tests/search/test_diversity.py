"""What holds for every stage that puts candidates behind others, or elsewhere: nobody is lost, nobody comes twice."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.search.stages.cap import Cap
from embassay.search.stages.dedupe import Dedupe
from embassay.search.stages.group import Group
from embassay.search.stages.mmr import Mmr
from tests.search.stored import everyone, on, opened, ranked, refs, row

MOST = 12
shares = st.floats(0, 1, allow_nan=False)
fields = st.sampled_from(["document", "path"])
stages = st.one_of(
    st.builds(Mmr, shares, st.integers(1, 15)),
    st.builds(Dedupe, shares, st.sampled_from(["vector", "text", "either"])),
    st.builds(Cap, st.integers(1, 4), fields),
    st.builds(Group, fields, shares),
)
rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.sampled_from([0, 1, 2, 45, 90, 180, None])),
    min_size=1,
    max_size=MOST,
)
"""Document, record in it, and the angle of the vector in degrees; None: a row without one, as a blank text has it."""


def store(drawn):
    angles = [np.zeros(2) if angle is None else turned(angle) for _, _, angle in drawn]
    chunks = [
        row(at, f"words of {record} and {angle}", f"{d}.md#{record}") for at, (d, record, angle) in enumerate(drawn)
    ]
    return opened(chunks, np.array(angles))


def turned(degrees):
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


@settings(max_examples=200, deadline=None)
@given(rows, st.lists(stages, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_nobody_is_lost_and_nobody_comes_twice(drawn, several, random):
    order = list(range(len(drawn)))
    random.shuffle(order)
    with store(drawn) as version:
        context, candidates = on(version), ranked(*order)
        for stage in several:
            candidates = stage.run(context, candidates)
            assert everyone(candidates) == sorted(order), f"behind {stage}"
            scores = [one.score for one in candidates.ranking]
            assert scores == sorted(scores, reverse=True), f"{stage} scores as it ranks"
            for others in candidates.behind.values():
                assert [one.score for one in others] == sorted((one.score for one in others), reverse=True)


@settings(max_examples=100, deadline=None)
@given(rows, st.integers(1, 4), fields)
def test_a_cap_keeps_the_first_of_each(drawn, most, by):
    with store(drawn) as version:
        kept = refs(Cap(most, by).run(on(version), ranked(*range(len(drawn)))))
    taken: dict[str, list[int]] = {}
    for at, (document, record, _) in enumerate(drawn):
        taken.setdefault(f"{document}#{record}" if by == "document" else str(document), []).append(at)
    assert kept == sorted(ref for own in taken.values() for ref in own[:most])


@settings(max_examples=100, deadline=None)
@given(rows, st.floats(0.5, 1))
def test_of_those_that_stay_no_two_are_duplicates(drawn, least):
    with store(drawn) as version:
        context = on(version)
        made = Dedupe(least).run(context, ranked(*range(len(drawn))))
        vectors = context.vectors(range(len(drawn)))
        zero = np.zeros(2, np.float32)
        for at, ref in enumerate(refs(made)):
            assert all(float(vectors.get(ref, zero) @ vectors.get(one, zero)) < least for one in refs(made)[:at])
            assert all(float(vectors[ref] @ vectors[one.ref]) >= least for one in made.behind.get(ref, ()))
            assert all(one.ref > ref for one in made.behind.get(ref, ())), "the foremost one stands for the others"


@settings(max_examples=100, deadline=None)
@given(rows, shares, st.integers(1, 15))
def test_each_place_goes_to_the_best_that_is_left(drawn, weight, depth):
    """Against the definition, one candidate and one pair at a time."""
    with store(drawn) as version:
        context = on(version)
        scores = [1 - at / len(drawn) for at in range(len(drawn))]
        made = refs(Mmr(weight, depth).run(context, ranked(*range(len(drawn)), scores=scores)))
        vectors = context.vectors(range(len(drawn)))
    first = scores[:depth]
    span = (max(first) - min(first)) or 1.0

    def value(ref, chosen):
        pairs = [float(vectors[ref] @ vectors[one]) for one in chosen if ref in vectors and one in vectors]
        return weight * (scores[ref] - min(first)) / span - (1 - weight) * max([0.0, *pairs])

    for place in range(len(first)):
        best = max(value(ref, made[:place]) for ref in made[place : len(first)])
        assert value(made[place], made[:place]) >= best - 1e-6
    assert made[len(first) :] == list(range(len(first), len(drawn))), "those behind stay where they are"
