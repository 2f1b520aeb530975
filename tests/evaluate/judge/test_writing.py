"""Judged sets on disk: what is added, what is replaced, and what survives a kill."""

import multiprocessing
import os
import signal
import time

import pytest

from embassay.errors import HomeNotWritable, JudgedSetError
from embassay.evaluate.data.judged import read_judged
from embassay.evaluate.judge.draft import query_id
from embassay.evaluate.judge.make import make_draft, sources
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.writing import add_judgment, read_existing, write_judged_set
from embassay.types import Document
from tests.evaluate.judge.sample import GUIDE, documents


@pytest.fixture
def passages():
    return Passages(documents())


def test_written_and_read(tmp_path, passages):
    made = make_draft(passages, 100)
    folder = tmp_path / "judged"
    assert write_judged_set(folder, made) == len(made.queries)
    found = read_judged(folder)
    assert set(found.queries.values()) == {q.text for q in made.queries}
    assert set(found.sources.values()) < set(sources())
    before = (folder / "qrels" / "test.tsv").read_bytes()
    assert write_judged_set(folder, made) == 0 and (folder / "qrels" / "test.tsv").read_bytes() == before, (
        "again adds nothing"
    )


def test_another_set_is_not_overwritten(tmp_path, passages):
    write_judged_set(tmp_path, make_draft(passages, 100))
    add_judgment(tmp_path, "who wakes up each minute", ["guide.md#L5-9"])
    changed = Passages([*documents()[1:], Document("guide.md", "guide.md", GUIDE + "One more line.\n", "markdown")])
    with pytest.raises(JudgedSetError, match=r"other documents: \d+ of \d+ differ.*force=True"):
        write_judged_set(tmp_path, make_draft(changed, 3))
    before = read_judged(tmp_path)
    assert "who wakes up each minute" in before.queries.values()
    write_judged_set(tmp_path, make_draft(changed, 3), force=True)
    after = read_judged(tmp_path)
    assert len(after.queries) == 4 and "who wakes up each minute" in after.queries.values(), "people's work stays"


def test_replacing_deletes_nothing_before_the_new_is_there(tmp_path, passages, monkeypatch):
    from embassay.evaluate.judge import writing

    write_judged_set(tmp_path, make_draft(passages, 3))
    add_judgment(tmp_path, "who wakes up each minute", ["guide.md"])
    whole = writing.write_whole

    def full(file, text):
        if file.name == "queries.jsonl":
            raise HomeNotWritable("the disk is full.")
        whole(file, text)

    monkeypatch.setattr(writing, "write_whole", full)
    with pytest.raises(HomeNotWritable):
        write_judged_set(tmp_path, make_draft(passages, 2, seed=7), force=True)
    monkeypatch.undo()
    assert "who wakes up each minute" in read_judged(tmp_path).queries.values()
    write_judged_set(tmp_path, make_draft(passages, 2, seed=7), force=True)
    assert "who wakes up each minute" in read_judged(tmp_path).queries.values()


def test_more_queries_are_added(tmp_path, passages):
    """What was taken out of passages for the first ones stays out."""
    write_judged_set(tmp_path, make_draft(passages, 2))
    add_judgment(tmp_path, "who wakes up each minute", ["guide.md"])
    first = read_judged(tmp_path)
    assert write_judged_set(tmp_path, make_draft(passages, 100, existing=read_existing(tmp_path))) > 0
    more = read_judged(tmp_path)
    assert set(first.queries.values()) < set(more.queries.values())
    for query, text in more.queries.items():
        if more.sources[query] in ("heading", "sentence"):
            assert all(text not in more.by_id[document].text for document in more.relevant(query)), text
    assert write_judged_set(tmp_path, make_draft(passages, 2, existing=read_existing(tmp_path))) == 0
    added = write_judged_set(tmp_path, make_draft(passages, 100, seed=9, existing=read_existing(tmp_path)))
    last = read_judged(tmp_path)
    assert set(more.queries.items()) <= set(last.queries.items()) and len(last.queries) == len(more.queries) + added


def test_data_of_others_is_left_alone(tmp_path, passages):
    (tmp_path / "corpus.jsonl").write_text('{"_id": "d1", "text": "mine"}\n')
    (tmp_path / "judged.jsonl").write_text('{"query": "a", "relevant_docs": ["d1"]}\n')
    with pytest.raises(JudgedSetError, match="other documents"):
        write_judged_set(tmp_path, make_draft(passages, 3))
    with pytest.raises(JudgedSetError, match="not in the layout of BEIR"):
        add_judgment(tmp_path, "b", ["d1"])
    assert "mine" in (tmp_path / "corpus.jsonl").read_text() and read_judged(tmp_path).queries == {"q1": "a"}


@pytest.mark.parametrize(("split", "grade"), [("../../x", 1), ("", 1), ("a/b", 1), ("test", 10**12)])
def test_what_add_refuses(tmp_path, passages, split, grade):
    write_judged_set(tmp_path / "set", make_draft(passages, 0))
    with pytest.raises(JudgedSetError, match=r"a split without slashes|a grade of at most"):
        add_judgment(tmp_path / "set", "query", ["guide.md"], split=split, grade=grade)
    assert sorted(p.name for p in tmp_path.rglob("*.tsv")) == ["test.tsv"]


def test_add(tmp_path, passages):
    write_judged_set(tmp_path, make_draft(passages, 0))
    (meant,) = add_judgment(tmp_path, "dead  letters", ["jobs.md#L7-9"], grade=2)
    assert meant.startswith("jobs.md#L")
    add_judgment(tmp_path, "dead letters", ["guide.md"], grade=0)
    found = read_judged(tmp_path)
    assert list(found.queries.values()) == ["dead letters"]
    (grades,) = found.qrels.values()
    assert grades[meant] == 2 and set(grades.values()) == {0, 2} and found.sources[query_id("dead letters")] == "label"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("jbos.md#L1-3", r"Did you mean 'jobs\.md'\?"),
        ("jobs.md#L900-950", r"Its passages are jobs\.md#L"),
        ("nothing at all", "It holds, for instance"),
    ],
)
def test_add_what_is_not_there(tmp_path, passages, place, message):
    write_judged_set(tmp_path, make_draft(passages, 0))
    with pytest.raises(JudgedSetError, match=message):
        add_judgment(tmp_path, "query", [place])
    assert not (tmp_path / "queries.jsonl").read_text()


def test_add_to_nothing(tmp_path):
    with pytest.raises(JudgedSetError, match="embassay judge new"):
        add_judgment(tmp_path / "none", "query", ["a.md"])


def test_a_folder_that_cannot_be_written(passages, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("")
    with pytest.raises(HomeNotWritable):
        write_judged_set(blocker / "judged", make_draft(passages, 3))


def _add_many(folder, start, count):
    for at in range(start, start + count):
        add_judgment(folder, f"query number {at}", ["guide.md"])


def test_two_processes_add_at_once(tmp_path, passages):
    write_judged_set(tmp_path, make_draft(passages, 0))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_add_many, args=(tmp_path, 20 * n, 20)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(read_judged(tmp_path).queries) == 40


def test_a_kill_leaves_a_readable_set(tmp_path, passages):
    write_judged_set(tmp_path, make_draft(passages, 0))
    add_judgment(tmp_path, "the first query", ["guide.md"])
    worker = multiprocessing.get_context("spawn").Process(target=_add_many, args=(tmp_path, 0, 100_000))
    worker.start()
    while len(read_judged(tmp_path).queries) < 5:
        time.sleep(0.01)
    os.kill(worker.pid, signal.SIGKILL)
    worker.join()
    kept = len(read_judged(tmp_path).queries)
    assert kept >= 5
    add_judgment(tmp_path, "after the kill", ["guide.md"])
    assert len(read_judged(tmp_path).queries) == kept + 1
