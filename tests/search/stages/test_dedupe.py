import pytest

from embassay.errors import UsageError
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.dedupe import Dedupe
from tests.search.stored import on, opened, ranked, refs, row
from tests.search.test_diversity import turned

LONG = "the quick brown fox jumps over the lazy dog and runs through the wood until it is dark"


def test_a_chain_of_small_differences_does_not_fold_what_differs_much():
    with opened([row(at) for at in range(3)], [turned(0), turned(12), turned(24)]) as version:
        made = Dedupe(0.97).run(on(version), ranked(0, 1, 2))
    assert refs(made) == [0, 2] and [one.ref for one in made.behind[0]] == [1]


def test_texts_are_the_same_by_what_they_say():
    texts = [LONG, LONG.replace("dark", "night"), "another text about the price of a kilo of pears", LONG]
    vectors = [turned(0), turned(90), turned(180), turned(270)]
    with opened([row(at, text) for at, text in enumerate(texts)], vectors) as version:
        for by, kept in (("vector", [0, 1, 2, 3]), ("text", [0, 2]), ("either", [0, 2])):
            assert refs(Dedupe(0.8, by).run(on(version), ranked(0, 1, 2, 3))) == kept, by
        assert refs(Dedupe(1.0, "text").run(on(version), ranked(0, 1, 2, 3))) == [0, 1, 2]


def test_arms_look_deeper_where_most_is_the_same():
    texts = ["common words"] * 50 + ["common words of another kind altogether"] * 2
    vectors = [turned(0)] * 50 + [turned(30), turned(80)]
    with opened([row(at, text) for at, text in enumerate(texts)], vectors) as version:
        found = run(parse_pipeline("dense(5) >> dedupe >> top(3)"), on(version, "words"))
    assert [hit.chunk.key for hit in found.hits] == ["key-0", "key-50", "key-51"]
    assert len(found.hits[0].more) == 49 and str(found.pipeline.arms[0]) == "dense(80)"


def test_what_duplicates_cannot_be_told_by():
    with pytest.raises(UsageError, match=r"duplicates cannot be told by 'vectors'. Did you mean 'vector'"):
        Dedupe(0.9, "vectors")
