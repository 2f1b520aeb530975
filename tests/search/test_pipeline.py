import pytest

from embassay.errors import UsageError
from embassay.search.pipeline import Pipeline
from embassay.search.stages.convex import Convex
from embassay.search.stages.dense import Dense
from embassay.search.stages.group import Group
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.search.stages.top import Top

TWO = Dense() | Lexical()


def test_pipelines_print_as_read_aloud():
    assert str(TWO >> Convex() >> Top()) == "dense(100) | lexical(100) >> convex(0.75) >> top(10)"
    assert str(Lexical(20) >> Top(2)) == "lexical(20) >> top(2)"
    assert str(TWO >> Convex(1.0) >> Top()) == "dense(100) | lexical(100) >> convex(1) >> top(10)"


def test_two_dense_arms_stand_side_by_side():
    made = (Dense(100, label="fine") | Dense(200, label="coarse") | Lexical()) >> Rrf() >> Top(3)
    assert str(made) == "fine=dense(100) | coarse=dense(200) | lexical(100) >> rrf(60) >> top(3)"
    assert [arm.label for arm in made.arms] == ["fine", "coarse", "lexical"]
    assert Dense(label="dense") == Dense(), "its name is its label where nothing is said"


@pytest.mark.parametrize("label", ["a b", "1st", "x=", "-"])
def test_a_label_is_one_word(label):
    with pytest.raises(UsageError, match="cannot name an arm"):
        Dense(label=label)


@pytest.mark.parametrize(
    ("arms", "stages", "message"),
    [
        ((), (Top(),), "there is none"),
        ((Rrf(),), (Top(),), "finds nothing by itself"),
        ((Dense(), Dense(50)), (Rrf(), Top()), "two arms are called 'dense'. Name one of them: other=dense"),
        ((Dense(), Lexical()), (Top(),), r"2 arms need a stage that joins them. Add one: >> adaptive\(0.7\)"),
        ((Dense(),), (Rrf(), Top()), "joins several arms, and there is one"),
        ((Dense(), Lexical()), (Rrf(), Convex(), Top()), "a second time"),
        ((Dense(),), (), r"how many hits come out. End with: >> top\(10\)"),
        ((Dense(), Lexical()), (Rrf(),), "how many hits come out"),
        ((Dense(),), (Top(5), Top(3)), r"nothing stands behind top\(5\)"),
        ((Dense(), Lexical()), (Top(5), Rrf()), r"nothing stands behind top\(5\)"),
        ((Dense(),), (Lexical(), Top()), "stands before the first >>"),
    ],
)
def test_what_makes_no_sense_is_refused_when_it_is_made(arms, stages, message):
    with pytest.raises(UsageError, match=message):
        Pipeline(arms, stages)


def test_python_reads_shift_before_or():
    with pytest.raises(UsageError, match="parentheses"):
        Dense() | Lexical() >> Rrf() >> Top(3)


def test_mode_model_and_depth():
    both = (Dense(50) | Lexical(70)) >> Rrf() >> Top(3)
    assert (both.mode, both.needs_model, both.depth) == ("hybrid", True, 50)
    words = Lexical(20, label="words") >> Top(2)
    assert (words.mode, words.needs_model, words.depth) == ("lexical", False, 20)


def test_without_some_stages():
    both = (Dense(50) | Lexical(70)) >> Rrf() >> Top(3)
    assert both.without([Dense(50)]) == Lexical(70) >> Top(3), "one arm needs no fusion"
    assert both.without(both.arms) is None
    three = (Dense(5) | Lexical(7) | Lexical(7, label="other")) >> Rrf() >> Top(3)
    assert three.without([Dense(5)]) == (Lexical(7) | Lexical(7, label="other")) >> Rrf() >> Top(3)


def test_handing_out_more_leaves_the_arms_of_a_fusion_as_they_are():
    """How deep arms look decides what a fusion makes of them."""
    both = (Dense(50) | Lexical(70)) >> Rrf() >> Top(3)
    assert both.handing_out(100) == (Dense(50) | Lexical(70)) >> Rrf() >> Top(120)
    assert both.handing_out(500) == (Dense(50) | Lexical(70)) >> Rrf() >> Top(500)
    assert (Dense(10) >> Top(10)).handing_out(100) == Dense(100) >> Top(100)
    assert (Dense(300) >> Top(10)).handing_out(100) == Dense(300) >> Top(300)
    assert (Dense(30) >> Group() >> Top(10)).handing_out(100) == Dense(30) >> Group() >> Top(100)


def test_looking_deeper():
    both = (Dense(50, label="fine") | Lexical(70)) >> Rrf() >> Top(3)
    assert both.looking(200) == (Dense(200, label="fine") | Lexical(200)) >> Rrf() >> Top(400)
