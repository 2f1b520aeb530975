"""Judged sets made from documents: what is asked, and what is taken out."""

import pytest

from embassay.errors import PluginError
from embassay.evaluate.judge.make import make_draft, sources
from embassay.evaluate.judge.passages import Passages, read_passages
from embassay.types import Document
from tests.evaluate.judge.sample import GUIDE, JOBS, PROSE, documents


@pytest.fixture
def passages():
    return Passages(documents())


def by_source(made):
    return {s: [q.text for q in made.queries if q.source == s] for s in made.counts}


def test_every_source(passages):
    made = make_draft(passages, 100)
    found = by_source(made)
    assert set(sources()) == {"docstring", "goal", "heading", "link", "sentence", "statement", "title"}
    assert set(found) == {"docstring", "heading", "link", "statement"}, "a manual, not articles"
    assert found["heading"] == ["how do I install the worker"], "two are called Overview, others are two common words"
    assert found["link"] == ["how retries are paced"], "not an address outside, not one word, not a menu"
    assert found["docstring"] == ["Replace a key before it expires"]
    assert all(sentence in PROSE + JOBS + GUIDE for sentence in found["statement"])


def test_what_a_query_was_taken_from_is_taken_out(passages):
    made = make_draft(passages, 100)
    rows = {row["_id"]: row for row in made.corpus}
    for query in made.queries:
        for document in query.relevant:
            if query.source != "link":
                assert query.text not in rows[document]["text"], query
                assert query.text not in rows[document]["title"].split(" > "), query
    (code,) = (row["text"] for row in made.corpus if row["_id"].startswith("keys.py"))
    assert "Old keys stay valid" not in code and "announce(fresh)" in code and "Too short" in code


def test_a_link_leads_to_its_heading(passages):
    (link,) = (q for q in make_draft(passages, 50, ["link"]).queries)
    (where,) = link.relevant
    rows = {row["_id"]: row for row in make_draft(passages, 0).corpus}
    assert where.startswith("jobs.md#L") and "## Retry policy" in rows[where]["text"]


def test_equal_arguments_give_equal_sets(passages):
    assert make_draft(passages, 4) == make_draft(Passages(documents()), 4)
    assert any(make_draft(passages, 4, seed=seed) != make_draft(passages, 4) for seed in range(1, 9))
    assert len(make_draft(passages, 3).queries) == 3
    with pytest.raises(PluginError, match="heading"):
        make_draft(passages, 3, ["headings"])


def test_equal_passages_are_equal_answers():
    twins = [Document(f"{n}.md", f"{n}.md", f"# Retry pauses\n\n{PROSE}", "markdown") for n in ("a", "b")]
    twins.append(
        Document(
            "c.md",
            "c.md",
            f"# Something else here\n\n[the pauses between two retries](a.md)\n\n{GUIDE[-200:]}",
            "markdown",
        )
    )
    (link,) = make_draft(Passages(twins), 10, ["link"]).queries
    assert {name.partition("#")[0] for name in link.relevant} == {"a.md", "b.md"}


def test_real_documentation(shared):
    root = shared / "docs" / "httpx"
    made = make_draft(read_passages([root], lambda file: file.relative_to(root).as_posix()), 100)
    assert len(made.queries) == 100 and {"heading", "link", "goal", "statement"} == set(made.counts)
    assert min(made.counts.values()) >= 5, "spread over the sources"
    asked = [query for query in made.queries if query.kind == "how-to"]
    assert len(asked) > 30 and all(len(query.text.split()) > 3 for query in asked), "questions"
    for query in made.queries:
        if query.source == "statement":
            assert query.text[0].isupper() and not query.text.startswith(("This ", "It ", "They ")), query.text
    assert not any(mark in query.text for query in made.queries for mark in ("](", "**", "```"))


def test_what_is_known_of_a_document_stays_with_its_passages():
    """Queries are sliced by it; long texts are not repeated with every passage."""
    known = {"topic": "keys", "year": 2024, "tags": ["a", "b"], "abstract": "x" * 500, "nested": {"a": 1}, "none": None}
    made = make_draft(Passages([Document("a.md", "a.md", f"# A\n\n{PROSE}", "markdown", metadata=known)]), 0)
    (metadata,) = {tuple(row["metadata"]): row["metadata"] for row in made.corpus}.values()
    assert metadata == {"topic": "keys", "year": 2024, "tags": ["a", "b"], "digest": metadata["digest"]}


ARTICLE = f"# Pauses of a queue that failed\n\n{PROSE}\n\n{PROSE.replace('Jobs', 'Tasks').replace('job', 'task')}"


def test_articles_have_titles_and_sentences():
    made = make_draft(Passages([Document("a.md", "a.md", ARTICLE, "markdown")]), 10)
    assert set(made.counts) == {"title", "sentence"}
    assert make_draft(Passages(documents()), 10, ["sentence"]).counts.keys() == {"statement"}, "its twin for manuals"


def test_a_goal_is_asked_and_its_clause_taken_out():
    text = f"# Keys\n\n## Rotation\n\nTo rotate a signing key, call `rotate`. To do that, wait. {PROSE}\n\n## Why\n\n{PROSE}"
    text += "\n\nIf you want to revoke your old tokens, run the job by hand."
    made = make_draft(Passages([Document("k.md", "k.md", text, "markdown")]), 10, ["goal"])
    assert {query.text for query in made.queries} == {"how do I rotate a signing key", "how do I revoke my old tokens"}
    assert {query.kind for query in made.queries} == {"how-to"}
    whole = " ".join(row["text"] for row in made.corpus)
    assert "To rotate" not in whole and "call `rotate`" in whole
