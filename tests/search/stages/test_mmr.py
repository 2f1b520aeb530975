from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.mmr import Mmr
from tests.search.stored import on, opened, ranked, refs, row
from tests.search.test_diversity import turned


def test_a_hit_like_one_before_it_comes_later():
    """Worked by hand. Relevance 1, 0.9, 0: the twin of the first is worth 0.5 * 0.9 - 0.5 * 1, the last 0 - 0."""
    with opened([row(0), row(1), row(2)], [turned(0), turned(0), turned(90)]) as version:
        made = Mmr(0.5).run(on(version), ranked(0, 1, 2, scores=[2.0, 1.9, 1.0]))
    assert refs(made) == [0, 2, 1]
    assert [round(one.score, 3) for one in made.ranking] == [0.5, 0.0, -0.05]


def test_relevance_alone_changes_nothing():
    with opened([row(0), row(1)], [turned(0), turned(0)]) as version:
        given = ranked(1, 0)
        assert Mmr(1.0).run(on(version), given) is given


def test_it_needs_no_model():
    def broken(text, role):
        raise AssertionError("no vector of a query is needed")

    with opened([row(at, "same words") for at in range(3)], [turned(at * 60) for at in range(3)]) as version:
        context = on(version, "words")
        context._embed = broken
        found = run(parse_pipeline("lexical(3) >> mmr(0.1) >> top(2)"), context)
    assert [hit.chunk.key for hit in found.hits] == ["key-0", "key-2"], "the third is the least like the first"
