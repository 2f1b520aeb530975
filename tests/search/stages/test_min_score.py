import pytest

from embassay.errors import ModelNotFound, UsageError
from embassay.search.modes import pipeline, refined
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.min_score import MinScore
from tests.search.fakes import FakeSnapshot, context


def keys(text):
    return [hit.chunk.key for hit in run(parse_pipeline(text), context()).hits]


def test_the_raw_score_of_an_arm_decides():
    assert keys('dense >> min-score("dense=0.5") >> top') == ["a", "b"]
    assert keys('dense | lexical >> convex >> min-score("lexical=5") >> top') == ["c"], "d has 4, and a and b none"


def test_one_of_several_arms_is_enough():
    assert keys('dense | lexical >> convex >> min-score("dense=0.9, lexical=4") >> top') == ["a", "c", "d"]


def test_both_have_to_be_met_where_two_stages_say_so():
    text = 'dense | lexical >> convex >> min-score("dense=0.1") >> min-score("lexical=4") >> top'
    assert keys(text) == ["c"]


def test_where_none_is_left_the_best_is_told():
    found = run(refined(pipeline(), min_score={"dense": 0.95}), context())
    assert list(found.hits) == []
    assert found.trace.notices == ["No hit has a score of at least dense=0.95: the best has 0.9 by dense."]
    nothing = run(refined(pipeline(), min_score={"dense": 0.95}), context(FakeSnapshot([], [])))
    assert not nothing.hits and not nothing.trace.notices


def test_it_prints_and_is_read_as_it_is_written():
    made = MinScore.of({"dense": 0.25, "lexical": 4})
    assert str(made) == 'min-score("dense=0.25 lexical=4")'
    assert made == MinScore("dense=0.25,lexical=4.0") and made.scores == {"dense": 0.25, "lexical": 4.0}


@pytest.mark.parametrize(
    ("least", "message"),
    [
        ("dense", "'dense' is no arm with its least score"),
        ("=0.3", "'=0.3' is no arm"),
        ("dense=high", "'dense=high' is no arm"),
        ("dense=nan", "'dense=nan' is no arm"),
        ("dense=0.1 dense=0.2", "dense is given twice"),
    ],
)
def test_what_cannot_be_read(least, message):
    with pytest.raises(UsageError, match=message):
        MinScore(least)


def test_arms_that_there_are_not():
    with pytest.raises(UsageError, match=r"no arm is called 'dens'. Did you mean 'dense'"):
        refined(pipeline(), min_score={"dens": 0.3})
    with pytest.raises(UsageError, match=r"no arm is called 'lexical'. There are: dense"):
        refined(pipeline("dense"), min_score={"lexical": 3})
    with pytest.raises(UsageError, match=r"min_score: that of 'dense' is '0.3'; it must be a number"):
        refined(pipeline(), min_score={"dense": "0.3"})


def test_an_arm_that_could_not_run_keeps_nothing_out():
    def broken(text, role):
        raise ModelNotFound("the model has gone.")

    both = refined(pipeline(), min_score={"dense": 0.95, "lexical": 5})
    found = run(both, context(embed=broken, without_model=True))
    assert [hit.chunk.key for hit in found.hits] == ["c"]
    assert str(found.pipeline) == 'lexical(100) >> min-score("lexical=5") >> top(10)'
    one = run(refined(pipeline(), min_score={"dense": 0.95}), context(embed=broken, without_model=True))
    assert [hit.chunk.key for hit in one.hits] == ["c", "d"]
    assert one.trace.notices == [
        "Searched by words only: the model has gone.",
        'min-score("dense=0.95") was not applied in full: an arm that it names could not run.',
    ]
