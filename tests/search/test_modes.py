import pytest

from embassay.errors import UsageError
from embassay.search.modes import fusions, pipeline
from embassay.search.parse import parse_pipeline
from embassay.search.pipeline import EXAMPLE
from embassay.search.stages.dense import Dense
from embassay.search.stages.lexical import Lexical
from embassay.search.stages.rrf import Rrf
from embassay.search.stages.top import Top


@pytest.mark.parametrize(
    ("mode", "k", "fusion", "expected"),
    [
        ("hybrid", 10, None, "dense(100) | lexical(100) >> adaptive(0.7) >> top(10)"),
        ("hybrid", 300, "rrf", "dense(300) | lexical(300) >> rrf(60) >> top(300)"),
        ("hybrid", 5, "zscore", "dense(100) | lexical(100) >> zscore(0.5) >> top(5)"),
        ("lexical", 5, None, "lexical(5) >> top(5)"),
        ("dense", 10, "rrf", "dense(10) >> top(10)"),
    ],
)
def test_what_a_mode_stands_for(mode, k, fusion, expected):
    assert str(pipeline(mode, k, fusion=fusion)) == expected


def test_it_is_the_same_as_putting_stages_together():
    assert (Dense() | Lexical()) >> Rrf() >> Top(3) == pipeline("hybrid", 3, fusion="rrf")
    assert str(pipeline(depth=30)) == "dense(30) | lexical(30) >> adaptive(0.7) >> top(10)"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mode": "fuzzy"}, "mode 'fuzzy' is not one of dense, lexical, hybrid"),
        ({"k": 0}, "k is 0"),
        ({"k": 1_000_001}, "k is 1000001"),
        ({"fusion": "sum"}, "fusion 'sum' is not one of adaptive, convex, rrf, zscore"),
        ({"fusion": "top"}, "fusion 'top' is not one of"),
    ],
)
def test_wrong_pipelines(wrong, message):
    with pytest.raises(UsageError, match=message):
        pipeline(**wrong)


def test_every_fusion_is_there():
    assert list(map(str, fusions().values())) == ["adaptive(0.7)", "convex(0.75)", "rrf(60)", "zscore(0.5)"]


def test_the_example_of_errors_is_the_search_of_today():
    assert parse_pipeline(EXAMPLE.removeprefix("Example: ")) == pipeline()
