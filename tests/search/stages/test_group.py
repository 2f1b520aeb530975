import math
import statistics

import pytest

from embassay.errors import UsageError
from embassay.search.modes import pipeline, refined
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.group import Group
from embassay.stores.values import Scored
from tests.search.fakes import FakeSnapshot, chunk, context


class Documents(FakeSnapshot):
    """Rows are named after their document and their place in it: ``a3``."""

    def fetch(self, refs):
        from dataclasses import replace

        return [replace(chunk(ref), document=f"{ref[0]}.md#{ref[1]}", path=f"{ref[0]}.md") for ref in refs]


class ByPath(Documents):
    def fetch(self, refs):
        from dataclasses import replace

        return [replace(one, document=one.path) for one in super().fetch(refs)]


def ranking(*refs):
    return [Scored(ref, 1 - at / 1000) for at, ref in enumerate(refs)]


def test_the_best_chunk_stands_for_its_document():
    snapshot = ByPath(ranking("a1", "b1", "a2", "a3", "c1"), [])
    found = run(parse_pipeline("dense >> group >> top(2)"), context(snapshot))
    assert [(hit.rank, hit.chunk.key) for hit in found.hits] == [(1, "a1"), (2, "b1")]
    others = found.hits[0].more
    assert [(other.rank, other.chunk.key, other.arms["dense"].rank) for other in others] == [(2, "a2", 3), (3, "a3", 4)]
    assert found.hits[1].more == [], "c1 is of another document"
    assert [one["rank"] for one in found.hits[0].to_dict()["more"]] == [2, 3] and "more" not in found.hits[1].to_dict()


def test_records_of_a_file_are_documents_of_one_path():
    snapshot = Documents(ranking("a1", "a2", "b1"), [])
    assert len(run(parse_pipeline("dense >> group >> top"), context(snapshot)).hits) == 3
    assert len(run(parse_pipeline('dense >> group("path") >> top'), context(snapshot)).hits) == 2


def test_arms_look_deeper_until_there_are_enough_documents():
    """One document fills the first hundred places; the others come behind it."""
    snapshot = ByPath(ranking(*(f"a{n}" for n in range(1000)), "b1", "c1"), ranking("a5"))
    found = run(refined(pipeline(k=3), group_by="document"), context(snapshot))
    assert [hit.chunk.key for hit in found.hits][1:] == ["b1", "c1"]
    assert str(found.pipeline) == 'dense(1600) | lexical(100) >> adaptive(0.7) >> group("document") >> top(3)'
    arms = [step.stage for step in found.trace.steps if step.saw is None]
    assert arms == ["dense(100)", "lexical(100)", "dense(400)", "dense(1600)"], "an arm that has no more is left alone"


def test_where_there_are_no_more_documents_the_search_ends():
    snapshot = ByPath(ranking(*(f"a{n}" for n in range(100))), [])
    found = run(refined(pipeline("dense", 10), group_by="document"), context(snapshot))
    assert len(found.hits) == 1 and len(found.hits[0].more) == 99
    assert [step.stage for step in found.trace.steps if step.saw is None] == ["dense(10)", "dense(40)", "dense(160)"]


def test_each_chunk_is_read_once():
    read = []

    class Counting(ByPath):
        def fetch(self, refs):
            read.extend(refs)
            return super().fetch(refs)

    run(refined(pipeline("dense", 10), group_by="document"), context(Counting(ranking(*(f"a{n}" for n in range(50))))))
    assert len(read) == len(set(read)) == 50


def test_what_cannot_be_grouped():
    with pytest.raises(UsageError, match=r"hits cannot be grouped by 'documents'. Did you mean 'document'"):
        refined(pipeline(), group_by="documents")
    with pytest.raises(UsageError, match=r"works on one ranking: it stands behind the stage that joins the arms"):
        parse_pipeline("dense | lexical >> group >> convex >> top")


def test_a_document_is_scored_by_several_chunks():
    """By hand: a has the scores 0.9 and 0.1, b 0.7 and 0.6, c 0.8."""
    given = [Scored(ref, score) for ref, score in (("a1", 0.9), ("c1", 0.8), ("b1", 0.7), ("b2", 0.6), ("a2", 0.1))]

    def scores(stage):
        found = run(parse_pipeline(f"dense >> {stage} >> top"), context(ByPath(given, [])))
        return {hit.chunk.key: round(hit.score, 4) for hit in found.hits}

    assert scores("group") == {"a1": 0.9, "c1": 0.8, "b1": 0.7}
    assert scores('group("document", mean=2)') == {"c1": 0.8, "b1": 0.65, "a1": 0.5}
    assert scores('group("document", rest=0.5)') == {"b1": 0.85, "a1": 0.8, "c1": 0.7}, "counted from 0.1"
    reach = 0.5 * statistics.pstdev([0.9, 0.8, 0.7, 0.6, 0.1])
    smooth = {
        "a1": reach * math.log(math.exp(0.9 / reach) + math.exp(0.1 / reach)),
        "b1": reach * math.log(math.exp(0.7 / reach) + math.exp(0.6 / reach)),
        "c1": 0.8,
    }
    assert scores('group("document", smooth=0.5)') == {key: round(score, 4) for key, score in smooth.items()}


def test_a_document_has_one_score():
    with pytest.raises(UsageError, match="a document has one score, and rest and mean say two"):
        Group("document", rest=0.3, mean=2)
    equal = [Scored(ref, 0.5) for ref in ("a1", "a2", "b1")]
    found = run(parse_pipeline('dense >> group("document", smooth=1) >> top'), context(ByPath(equal, [])))
    assert [hit.score for hit in found.hits] == [0.5, 0.5]
    nothing = run(parse_pipeline('dense >> group("document", smooth=1) >> top'), context(ByPath([], [])))
    assert nothing.hits == []
