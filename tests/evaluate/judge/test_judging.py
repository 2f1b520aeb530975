"""Judged sets made from documents: what is asked, what is taken out, and what survives a kill."""

import json
import multiprocessing
import os
import signal
import time

import pytest

from embassay.errors import HomeNotWritable, JudgedSetError, PluginError
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.judge.make import draft, labelled, passages_at, query_id, sources
from embassay.evaluate.judge.passages import Passages, read_passages
from embassay.evaluate.judge.writing import add, existing, write
from embassay.types import Document

PROSE = (
    "The scheduler wakes up every minute and looks for work that is due. "
    "Jobs that failed are tried again after a pause which doubles each time. "
    "A job that failed five times is moved to the dead letter queue for inspection. "
    "Operators may put it back from there with a single command once the cause is known. "
)
GUIDE = (
    f"# Guide\n\nRead [how retries are paced](jobs.md#retry-policy) first.\n\n## Install the worker\n\n{PROSE}\n\n"
    f"## Overview\n\n{PROSE.replace('scheduler', 'planner')}\n"
)
JOBS = (
    f"# Background jobs\n\nAn introduction of jobs that says little and goes on for some words, so that it is long.\n\n"
    f"## Retry policy\n\n{PROSE.replace('job', 'task')}\n\n## Overview\n\nSee [Guide](guide.md) and [this](https://example.org).\n"
)
CODE = '''def rotate(key, days):
    """Replace a key before it expires. Old keys stay valid."""
    fresh = make(key)
    keep(key, days)
    announce(fresh)
    return fresh


def short():
    """Too short to be looked for."""
    return 1
'''


def documents():
    return [
        Document("guide.md", "guide.md", GUIDE, "markdown"),
        Document("jobs.md", "jobs.md", JOBS, "markdown"),
        Document("keys.py", "keys.py", CODE, "code:python"),
    ]


@pytest.fixture
def passages():
    return Passages(documents())


def by_source(made):
    return {s: [q.text for q in made.queries if q.source == s] for s in made.counts}


def test_every_source(passages):
    made = draft(passages, 100)
    found = by_source(made)
    assert set(found) == set(sources()) == {"docstring", "heading", "link", "sentence"}
    assert set(found["heading"]) == {"Background jobs", "Install the worker", "Retry policy"}, "two are called Overview"
    assert found["link"] == ["how retries are paced"], "not an address outside, not one word, not a menu"
    assert found["docstring"] == ["Replace a key before it expires"]
    assert all(sentence in PROSE + JOBS + GUIDE for sentence in found["sentence"])


def test_what_a_query_was_taken_from_is_taken_out(passages):
    made = draft(passages, 100)
    rows = {row["_id"]: row for row in made.corpus}
    for query in made.queries:
        for document in query.relevant:
            if query.source != "link":
                assert query.text not in rows[document]["text"], query
                assert query.text not in rows[document]["title"].split(" > "), query
    (code,) = (row["text"] for row in made.corpus if row["_id"].startswith("keys.py"))
    assert "Old keys stay valid" not in code and "announce(fresh)" in code and "Too short" in code


def test_a_link_leads_to_its_heading(passages):
    (link,) = (q for q in draft(passages, 50, ["link"]).queries)
    (where,) = link.relevant
    rows = {row["_id"]: row for row in draft(passages, 0).corpus}
    assert where.startswith("jobs.md#L") and "## Retry policy" in rows[where]["text"]


def test_equal_arguments_give_equal_sets(passages):
    assert draft(passages, 4) == draft(Passages(documents()), 4)
    assert draft(passages, 4, seed=1) != draft(passages, 4)
    assert len(draft(passages, 3).queries) == 3
    with pytest.raises(PluginError, match="heading"):
        draft(passages, 3, ["headings"])


def test_passages_cover_every_word():
    made = Passages(documents())
    for document in documents():
        text = " ".join(p.text for p in made.of[document.id])
        assert text.split() == document.text.split()
        assert all(len(p.text) < 1500 for p in made.of[document.id])


def test_equal_passages_are_equal_answers():
    twins = [Document(f"{n}.md", f"{n}.md", f"# Retry pauses\n\n{PROSE}", "markdown") for n in ("a", "b")]
    twins.append(
        Document(
            "c.md", "c.md", f"# Something else here\n\n[pauses between retries](a.md)\n\n{GUIDE[-200:]}", "markdown"
        )
    )
    (link,) = draft(Passages(twins), 10, ["link"]).queries
    assert {name.partition("#")[0] for name in link.relevant} == {"a.md", "b.md"}


def test_written_and_read(tmp_path, passages):
    made = draft(passages, 100)
    folder = tmp_path / "judged"
    assert write(folder, made) == len(made.queries)
    found = read_judged(folder)
    assert set(found.queries.values()) == {q.text for q in made.queries}
    assert set(found.sources.values()) == set(sources())
    before = (folder / "qrels" / "test.tsv").read_bytes()
    assert write(folder, made) == 0 and (folder / "qrels" / "test.tsv").read_bytes() == before, "again adds nothing"


def test_another_set_is_not_overwritten(tmp_path, passages):
    write(tmp_path, draft(passages, 100))
    add(tmp_path, "who wakes up each minute", ["guide.md#L5-9"])
    changed = Passages([*documents()[1:], Document("guide.md", "guide.md", GUIDE + "One more line.\n", "markdown")])
    with pytest.raises(JudgedSetError, match=r"other documents: \d+ of \d+ differ.*--force"):
        write(tmp_path, draft(changed, 3))
    before = read_judged(tmp_path)
    assert "who wakes up each minute" in before.queries.values()
    write(tmp_path, draft(changed, 3), force=True)
    after = read_judged(tmp_path)
    assert len(after.queries) == 4 and "who wakes up each minute" in after.queries.values(), "people's work stays"


def test_replacing_deletes_nothing_before_the_new_is_there(tmp_path, passages, monkeypatch):
    from embassay.evaluate.judge import writing

    write(tmp_path, draft(passages, 3))
    add(tmp_path, "who wakes up each minute", ["guide.md"])
    whole = writing.write_whole

    def full(file, text):
        if file.name == "queries.jsonl":
            raise HomeNotWritable("the disk is full.")
        whole(file, text)

    monkeypatch.setattr(writing, "write_whole", full)
    with pytest.raises(HomeNotWritable):
        write(tmp_path, draft(passages, 2, seed=7), force=True)
    monkeypatch.undo()
    assert "who wakes up each minute" in read_judged(tmp_path).queries.values()
    write(tmp_path, draft(passages, 2, seed=7), force=True)
    assert "who wakes up each minute" in read_judged(tmp_path).queries.values()


def test_more_queries_are_added(tmp_path, passages):
    """What was taken out of passages for the first ones stays out."""
    write(tmp_path, draft(passages, 2))
    add(tmp_path, "who wakes up each minute", ["guide.md"])
    first = read_judged(tmp_path)
    assert write(tmp_path, draft(passages, 100, existing=existing(tmp_path))) > 0
    more = read_judged(tmp_path)
    assert set(first.queries.values()) < set(more.queries.values())
    for query, text in more.queries.items():
        if more.sources[query] in ("heading", "sentence"):
            assert all(text not in more.by_id[document].text for document in more.relevant(query)), text
    assert write(tmp_path, draft(passages, 2, existing=existing(tmp_path))) == 0
    assert write(tmp_path, draft(passages, 100, seed=9, existing=existing(tmp_path))) >= 0


def test_data_of_others_is_left_alone(tmp_path, passages):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "mine"}\n')
    (tmp_path / "judged.jsonl").write_text('{"query": "a", "relevant_docs": ["d1"]}\n')
    with pytest.raises(JudgedSetError, match="other documents"):
        write(tmp_path, draft(passages, 3))
    with pytest.raises(JudgedSetError, match="not in the layout of BEIR"):
        add(tmp_path, "b", ["d1"])
    assert "mine" in (tmp_path / "corpus.jsonl").read_text() and read_judged(tmp_path).queries == {"q1": "a"}


@pytest.mark.parametrize(("split", "grade"), [("../../x", 1), ("", 1), ("a/b", 1), ("test", 10**12)])
def test_what_add_refuses(tmp_path, passages, split, grade):
    write(tmp_path / "set", draft(passages, 0))
    with pytest.raises(JudgedSetError, match="a split without slashes"):
        add(tmp_path / "set", "query", ["guide.md"], split=split, grade=grade)
    assert sorted(p.name for p in tmp_path.rglob("*.tsv")) == ["test.tsv"]


def test_the_set_is_no_document_of_its_own(tmp_path):
    (tmp_path / "guide.md").write_text(GUIDE)
    (tmp_path / "judged").mkdir()
    (tmp_path / "judged" / "notes.md").write_text(JOBS)
    (tmp_path / "tab\there.md").write_text(GUIDE)
    made = read_passages([tmp_path], lambda file: file.name, leave_out=tmp_path / "judged")
    assert {name.partition("#")[0] for name in (p.id for p in made.all)} == {"guide.md", "tab%09here.md"}


def test_add(tmp_path, passages):
    write(tmp_path, draft(passages, 0))
    (meant,) = add(tmp_path, "dead  letters", ["jobs.md#L7-9"], grade=2)
    assert meant.startswith("jobs.md#L")
    add(tmp_path, "dead letters", ["guide.md"], grade=0)
    found = read_judged(tmp_path)
    assert list(found.queries.values()) == ["dead letters"]
    (grades,) = found.qrels.values()
    assert grades[meant] == 2 and set(grades.values()) == {0, 2} and found.sources[query_id("dead letters")] == "label"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("jbos.md#L1-3", r"Did you mean jobs\.md"),
        ("jobs.md#L900-950", r"Its passages are jobs\.md#L"),
        ("nothing at all", "It holds, for instance"),
    ],
)
def test_add_what_is_not_there(tmp_path, passages, place, message):
    write(tmp_path, draft(passages, 0))
    with pytest.raises(JudgedSetError, match=message):
        add(tmp_path, "query", [place])
    assert not (tmp_path / "queries.jsonl").read_text()


def test_add_to_nothing(tmp_path):
    with pytest.raises(JudgedSetError, match="embassay judge new"):
        add(tmp_path / "none", "query", ["a.md"])


def test_labels_and_logs(tmp_path, passages):
    ids = [passage.id for passage in passages.all]
    file = tmp_path / "own.jsonl"
    rows = [
        {"query": "dead letters", "relevant_docs": {"jobs.md#L7-9": 2}},
        {"query": "Dead letters ", "clicked": ["guide.md", "gone.md#L1-2"]},
        {"query": "unclicked", "clicked": []},
    ]
    file.write_text("\n".join(map(json.dumps, rows)))
    (query,), unknown = labelled(file, ids)
    assert unknown == ["gone.md#L1-2"] and query.source == "label"
    assert set(query.relevant) >= set(passages_at("guide.md", ids)) and 2 in query.relevant.values()
    file.write_text('{"query": "a", "relevant_docs": ["guide.md"]}\n{"relevant_docs": []}\n')
    with pytest.raises(JudgedSetError, match=r"own\.jsonl:2: expected"):
        labelled(file, ids)


def test_a_folder_that_cannot_be_written(passages, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(HomeNotWritable):
        write(blocker / "judged", draft(passages, 3))


def _add_many(folder, start, count):
    for at in range(start, start + count):
        add(folder, f"query number {at}", ["guide.md"])


def test_two_processes_add_at_once(tmp_path, passages):
    write(tmp_path, draft(passages, 0))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(tmp_path, 20 * n, 20)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(read_judged(tmp_path).queries) == 40


def test_a_kill_leaves_a_readable_set(tmp_path, passages):
    write(tmp_path, draft(passages, 0))
    add(tmp_path, "the first query", ["guide.md"])
    worker = multiprocessing.get_context("spawn").Process(target=_add_many, args=(tmp_path, 0, 100_000))
    worker.start()
    while len(read_judged(tmp_path).queries) < 5:
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    kept = len(read_judged(tmp_path).queries)
    assert kept >= 5
    add(tmp_path, "after the kill", ["guide.md"])
    assert len(read_judged(tmp_path).queries) == kept + 1


def test_real_documentation(shared):
    root = shared / "docs" / "httpx"
    made = draft(read_passages([root], lambda file: file.relative_to(root).as_posix()), 100)
    assert len(made.queries) == 100 and {"heading", "link", "sentence"} <= set(made.counts)
    assert min(made.counts.values()) > 10, "spread over the sources"
    for query in made.queries:
        if query.source == "sentence":
            assert query.text[0].isupper() and not query.text.startswith(("This ", "It ", "They ")), query.text
    assert not any(mark in query.text for query in made.queries for mark in ("](", "**", "```"))
