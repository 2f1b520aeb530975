import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from embassay.errors import EmbassayError, UsageError
from embassay.search.modes import pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.stages import stage_names
from tests.search.strategies import pipelines


@given(pipelines(vectors=st.text(min_size=1, max_size=5).filter(str.isprintable)))
def test_what_is_printed_is_read_back(made):
    again = parse_pipeline(str(made))
    assert again == made and str(again) == str(made)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("dense|lexical>>adaptive>>top", str(pipeline())),
        ("dense() | lexical(depth=100) >> adaptive() >> top(k=10)", str(pipeline())),
        ("  lexical( 5 )>>top( 5 )  ", "lexical(5) >> top(5)"),
        ("lexical(5)\n>> top(5)", "lexical(5) >> top(5)"),
        ("dense=dense(5) >> top(5)", "dense(5) >> top(5)"),
        ("a=dense(5) | b=dense(7) >> zscore(1) >> top(5)", "a=dense(5) | b=dense(7) >> zscore(1) >> top(5)"),
        ('dense(5, "coarse") >> top(5)', 'dense(5, vectors="coarse") >> top(5)'),
        ('dense(5, vectors="vector") >> top(5)', "dense(5) >> top(5)"),
        ("dense | lexical >> convex(1e-1) >> top", "dense(100) | lexical(100) >> convex(0.1) >> top(10)"),
    ],
)
def test_what_may_be_left_out(text, printed):
    assert str(parse_pipeline(text)) == printed


@pytest.mark.parametrize(
    ("text", "at", "message"),
    [
        ("", "", "expected an arm, like dense(100), found the end"),
        ("dens(100) >> top(10)", "dens", "no stage is called 'dens'. Did you mean 'dense'?"),
        ("dense(100) | lexcal(9) >> top(10)", "lexcal", "Did you mean 'lexical'?"),
        (
            "dense | lexical >> xyz >> top",
            "xyz",
            f"There are: {', '.join(stage_names())}.",
        ),
        ("dense(depht=3) >> top", "depht", "no argument is called 'depht'. Did you mean 'depth'?"),
        ("dense(0) >> top", "0", "expected depth, a whole number between 1 and 1,000,000, found '0'"),
        ("dense(1.5) >> top", "1.5", "expected depth, a whole number"),
        ('dense("x") >> top', '"x"', "expected depth, a whole number"),
        ("dense(true) >> top", "true", "expected depth, a whole number"),
        ("dense(10, 20) >> top", "20", "expected vectors, a text, found '20'"),
        ('dense(10, "") >> top', '""', "expected vectors, a text, found '\"\"'"),
        ('dense(10, "a", 3) >> top', "3", "expected set, a text, found '3'"),
        ('dense(10, "a", "b", 3) >> top', "3", "expected name=value, found '3'"),
        ("dense(10) >> top(3, 4)", "4", "expected ), found '4'"),
        ('dense(vectors="a", 3) >> top', "3", "expected name=value, found '3'"),
        ("dense(10 20) >> top", "20", "expected , or ), found '20'"),
        ("dense(10, depth=20) >> top", "depth", "depth is given twice"),
        ("dense(depth 20) >> top", "20", "expected = and the value of depth, found '20'"),
        ("dense(", "", "found the end"),
        ("dense(10) top(3)", "top", "expected | or >> or the end, found 'top'"),
        ("dense >> top | lexical", "| lexical", "expected >> or the end, found '|'"),
        ("dense >> ", "", "expected a stage, like top(10), found the end"),
        ("dense >> top ?", "?", "found '?'"),
        ("dense | lexical >> convex(1.5) >> top", "1.5", "expected dense, a number between 0 and 1"),
        ("dense | lexical >> top(10)", "top", "2 arms need a stage that joins them. Add one: >> adaptive(0.7)"),
        ("dense(100)", "", "how many hits come out. End with: >> top(10)"),
        ("rrf >> top", "rrf", "finds nothing by itself"),
        ("dense >> rrf >> top", "rrf", "joins several arms, and there is one"),
        ("dense | lexical >> rrf >> convex >> top", "convex", "a second time"),
        ("dense | dense(5) >> rrf >> top", "dense(5)", "two arms are called 'dense'. Name one of them: other=dense(5)"),
        ("a=dense | a=lexical >> rrf >> top", "a=lexical", "two arms are called 'a'. Name one of them: other=lexical"),
        ("dense >> lexical >> top", "lexical", "stands before the first >>"),
        ("dense >> top >> top(3)", "top(3)", "nothing stands behind top(10)"),
        ("x=rrf >> top", "x=", "only arms have names of their own"),
        ("dense >> x=top", "x=", "no stage is called 'x'"),
    ],
)
def test_errors_point_at_the_place(text, at, message):
    with pytest.raises(UsageError) as error:
        parse_pipeline(text)
    expected = text.rindex(at) + 1 if at else len(text.rstrip()) + 1
    told = str(error.value)
    assert message in told and repr(text) in told
    found = re.search(r"at character (\d+): ", told)
    assert found and int(found[1]) in (expected, len(text) + 1 if not at else expected), told


def test_a_pipeline_has_a_length():
    with pytest.raises(UsageError, match="characters"):
        parse_pipeline("dense | " * 10_000)


@given(st.text(alphabet='densltop(|>)=,. 10"\\-_', max_size=60))
@example("dense(100000000000000000000000000000000) >> top")
@example("dense | lexical >> convex(1e999) >> top")
@example(f"dense({'9' * 5000}) >> top")
def test_nothing_but_a_usage_error_escapes(text):
    try:
        parse_pipeline(text)
    except EmbassayError as error:
        assert isinstance(error, UsageError)
