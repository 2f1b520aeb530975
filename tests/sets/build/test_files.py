"""Files as a source: which are read, what comes of each, and in which order."""

from __future__ import annotations

import os

import pytest

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import UsageError
from embassay.ingest.chunk import Chunker
from embassay.sets.build.files import Files
from embassay.sets.build.origin import Ended, New
from embassay.sets.build.plan import make_plan
from embassay.sets.folder import HomeFolder
from embassay.sets.state import UNSETTLED
from tests.sets.build.fakes import TinySet

OLD = 10**18


@pytest.fixture
def tiny(tmp_path):
    made = TinySet(tmp_path)
    yield made
    made.state.close()


@pytest.fixture
def folder(docs):
    for file in docs.rglob("*.*"):
        os.utime(file, ns=(OLD, OLD))
    return HomeFolder(docs.parent / ".embassay")


def chunker():
    return Chunker(EstimatedTokens(64))


def planned(tiny, folder, docs, **options):
    known = {row.path: row for row in tiny.state.sources(tiny.generation)}
    return make_plan(folder, [docs], known, **options)


def source(tiny, plan):
    return Files(plan, tiny.store, chunker)


def settle(tiny, changes):
    """What a writer would put in the books."""
    rows = [change.origin.settled() for change in changes if isinstance(change, Ended)]
    tiny.state.put(tiny.generation, [row for row in rows if row])


def test_every_file_is_an_origin_with_its_chunks_and_its_end(tiny, folder, docs):
    files = source(tiny, planned(tiny, folder, docs))
    changes = list(files)
    ends = [change.origin.name for change in changes if isinstance(change, Ended)]
    assert sorted(ends) == ["docs/app.py", "docs/guide.rst", "docs/keys.md", "docs/network/proxy.md", "docs/notes.txt"]
    assert all(isinstance(change, New | Ended) for change in changes)
    for change in changes:
        if isinstance(change, New):
            assert change.chunk.path == change.origin.name
    assert sum(change.size for change in changes) == files.total
    assert files.what == "5 files" and files.outcome().read == 5


def test_without_files_to_read_no_tokenizer_is_loaded(tiny, folder, docs):
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    plan = planned(tiny, folder, docs)

    def loaded():
        raise AssertionError("it was loaded")

    files = Files(plan, tiny.store, loaded)
    assert list(files) == [] and files.what == ""
    assert (files.outcome().read, files.outcome().unchanged) == (0, 5)


def test_a_file_that_was_only_touched_is_not_read(tiny, folder, docs):
    (docs / "empty.md").write_text("\n")
    os.utime(docs / "empty.md", ns=(OLD, OLD))
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    os.utime(docs / "empty.md", ns=(OLD + 1, OLD + 1))
    (end,) = source(tiny, planned(tiny, folder, docs))
    assert end.origin.untouched and end.origin.settled().mtime_ns == OLD + 1
    os.utime(docs / "notes.txt", ns=(OLD + 1, OLD + 1))
    kinds = [
        type(change) for change in source(tiny, planned(tiny, folder, docs)) if change.origin.name == "docs/notes.txt"
    ]
    assert kinds == [New, Ended], "its rows are not in the store: they were lost"


def test_a_file_that_just_changed_is_read_again_by_the_next_run(tiny, folder, docs):
    (docs / "young.md").write_text("Rotate the key.\n")
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    rows = {row.path: row for row in tiny.state.sources(tiny.generation)}
    assert rows["docs/young.md"].mtime_ns == UNSETTLED and rows["docs/keys.md"].mtime_ns == OLD
    assert [due.name for due in planned(tiny, folder, docs).due] == ["docs/young.md"]


def test_what_holds_no_text_is_skipped_and_what_is_broken_is_told(tiny, folder, docs):
    (docs / "image.bin").write_bytes(b"\0\0\0")
    (docs / "half.jsonl").write_text('{"text": "one"}\nbroken\n')
    (docs / "bad.docx").write_bytes(b"not a zip")
    files = source(tiny, planned(tiny, folder, docs))
    ends = {change.origin.name: change.origin for change in files if isinstance(change, Ended)}
    assert files.outcome().skipped == (("docs/image.bin", "binary file"),)
    assert ends["docs/bad.docx"].failed and ends["docs/bad.docx"].settled().state == "failed"
    assert not ends["docs/half.jsonl"].failed and "line 2 is not JSON" in ends["docs/half.jsonl"].settled().reason


def test_a_file_that_goes_between_the_walk_and_the_reading_is_told(tiny, folder, docs):
    plan = planned(tiny, folder, docs)
    (docs / "keys.md").unlink()
    ends = {change.origin.name: change.origin for change in source(tiny, plan) if isinstance(change, Ended)}
    assert ends["docs/keys.md"].settled().reason == "No such file or directory"


def test_files_that_are_gone_come_first_and_a_part_of_the_tree_says_nothing_of_the_rest(tiny, folder, docs):
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    (docs / "keys.md").unlink()
    (docs / "notes.txt").write_text("Something else.\n")
    first, *_ = source(tiny, planned(tiny, folder, docs))
    assert first.origin.name == "docs/keys.md" and first.origin.gone and first.origin.settled() is None
    assert planned(tiny, folder, docs / "network").gone == []
    with pytest.raises(UsageError):
        planned(tiny, folder, docs / "nowhere")


def test_a_file_that_another_reader_claims_now_is_read_again(tiny, folder, docs, monkeypatch):
    """As after an upgrade that brings a reader for it, or a package of readers that was installed."""
    (docs / "image.bin").write_bytes(b"\0\0\0")
    os.utime(docs / "image.bin", ns=(OLD, OLD))
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    plan = planned(tiny, folder, docs)
    assert plan.due == [] and plan.skipped == [("docs/image.bin", "binary file")] and plan.unchanged == 5
    for name in ("plan", "files"):
        of = {".bin": "images"}
        monkeypatch.setattr(f"embassay.sets.build.{name}.reader_name", lambda suffix, of=of: of.get(suffix, "text"))
    due = planned(tiny, folder, docs).due
    assert {file.name for file in due} == {
        "docs/image.bin",
        "docs/app.py",
        "docs/guide.rst",
        "docs/keys.md",
        "docs/network/proxy.md",
    }
    assert {type(change) for change in source(tiny, planned(tiny, folder, docs))} == {New, Ended}


def test_a_quarantined_file_waits_until_it_is_asked_for(tiny, folder, docs):
    (docs / "bad.docx").write_bytes(b"not a zip")
    os.utime(docs / "bad.docx", ns=(OLD, OLD))
    settle(tiny, source(tiny, planned(tiny, folder, docs)))
    assert planned(tiny, folder, docs).due == []
    assert [due.name for due in planned(tiny, folder, docs, retry_failed=True).due] == ["docs/bad.docx"]
    assert len(planned(tiny, folder, docs, checksum=True).due) == 6
