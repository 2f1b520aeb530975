import numpy as np
import pytest

from embassay.errors import UsageError
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.stores.filters.parser import parse
from tests.search.stored import on, opened, row
from tests.search.test_diversity import turned

ROWS = [
    row(0, "key one", "a"), row(1, "lock two", "a"), row(2, "door three", "a"),
    row(3, "key four", "b"), row(4, "wall five", "b"), row(5, "roof six", "c"),
]  # fmt: skip
ANGLES = (0, 50, 60, 20, 80, 30)


@pytest.fixture(scope="module")
def version():
    with opened(ROWS, [turned(angle) for angle in ANGLES]) as made:
        yield made


def searched(version, text, **options):
    return run(parse_pipeline(text), on(version, "key", vector=turned(0), **options))


def keys(found):
    return [hit.chunk.key for hit in found.hits]


def test_all_chunks_of_the_documents_found_are_scored_as_the_arm_scores_them(version):
    assert keys(searched(version, "dense(2) >> top(9)")) == ["key-0", "key-3"]
    found = searched(version, "dense(2) >> siblings(2) >> top(9)")
    assert keys(found) == ["key-0", "key-3", "key-1", "key-2", "key-4"], "c was not found"
    expected = [float(turned(0) @ turned(angle)) for angle in (0, 20, 50, 60, 80)]
    assert [hit.score for hit in found.hits] == pytest.approx(expected, abs=1e-6)
    assert keys(searched(version, "dense(2) >> siblings(1) >> top(9)")) == ["key-0", "key-3", "key-1", "key-2"]


def test_several_arms_score_them_before_they_are_joined(version):
    found = searched(version, "dense(1) | lexical(1) >> siblings >> convex(0.5) >> top(9)")
    assert set(keys(found)) == {"key-0", "key-1", "key-2"}
    whole = searched(version, "dense(6) | lexical(6) >> convex(0.5) >> top(9)")
    assert {h.chunk.key: round(h.score, 6) for h in found.hits}.items() <= {
        h.chunk.key: round(h.score, 6) for h in whole.hits
    }.items(), "they have the scores that they have where everything is found"
    (step,) = [step for step in found.trace.steps if step.stage.startswith("siblings")]
    assert (step.saw, step.kept) == (2, 4)


def test_a_filter_holds_for_them_too(version):
    only = parse('document != "b"')
    assert keys(searched(version, "dense(2) >> siblings >> top(9)", where=only)) == ["key-0", "key-5", "key-1", "key-2"]


def test_a_document_is_ranked_by_all_of_its_chunks(version):
    """By hand: a has cosines of 0, 50 and 60 degrees, b of 20 and 80, c of 30."""
    mean = searched(version, 'dense(3) >> siblings >> group("document", mean=3) >> top(9)')
    means = {
        "c": np.cos(np.radians(30)),
        "a": np.cos(np.radians([0, 50, 60])).mean(),
        "b": np.cos(np.radians([20, 80])).mean(),
    }
    assert [(hit.chunk.document, round(hit.score, 5)) for hit in mean.hits] == [
        (d, round(float(m), 5)) for d, m in means.items()
    ]
    assert keys(mean)[1] == "key-0" and [one.chunk.key for one in mean.hits[1].more] == ["key-1", "key-2"]


def test_what_there_is_nothing_of(version):
    assert searched(version, "lexical(5) >> siblings >> top(9)", where=parse('document = "x"')).hits == []
    with pytest.raises(UsageError, match="hits cannot be completed by 'section'"):
        parse_pipeline('dense >> siblings(50, "section") >> top')
