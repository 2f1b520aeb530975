"""From files to chunks: order, owners, and what happens to files and documents that cannot be read or cut."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import CacheError, ReadError, UsageError
from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import (
    GROUP_DOCUMENTS,
    Chunked,
    FileEnd,
    Loaded,
    NoText,
    Omitted,
    Uncut,
    Unreadable,
    chunked,
    chunks_of,
    cut_all,
    documents_of,
    find,
    read_all,
    read_file,
)
from embassay.ingest.isolation import Isolation
from embassay.types import Document

TOKENS = EstimatedTokens(64)


class Fragile(Chunker):
    """Fails on documents that say so, and counts the groups that it is given."""

    def __init__(self, error: type[Exception] = ValueError):
        super().__init__(TOKENS)
        self.groups: list[int] = []
        self._error = error

    def chunk(self, documents):
        self.groups.append(len(documents))
        if any("break" in document.text for document in documents):
            raise self._error("it breaks")
        return super().chunk(documents)


def document(text, name="d"):
    return Document(name, name, text)


owners = st.integers(0, 5)
texts = st.sampled_from(["rotate the key", "break", "", "two\n\nlines", "word " * 200])
steps = st.lists(
    st.one_of(
        st.builds(Loaded, owners, texts.map(document)),
        st.builds(Unreadable, owners, st.just(ReadError("bad record"))),
        st.builds(NoText, owners, st.just("binary file")),
        st.builds(Omitted, owners, st.just(LeftOut("2 of 5 pages are images"))),
        st.builds(FileEnd, owners),
    ),
    max_size=30,
)


@settings(max_examples=200)
@given(given_=steps)
def test_every_document_is_cut_as_if_it_were_alone(given_):
    """The oracle cuts one document at a time and knows no groups."""
    found = list(chunked(given_, Fragile()))
    assert [step.owner for step in found] == [step.owner for step in given_]
    for before, after in zip(given_, found, strict=True):
        if not isinstance(before, Loaded):
            assert after is before
        elif "break" in before.document.text:
            assert isinstance(after, Uncut) and str(after.error) == "it breaks"
        else:
            assert isinstance(after, Chunked) and after.document is before.document
            assert [after.chunks] == Chunker(TOKENS).chunk([before.document])


def test_documents_are_cut_in_groups_and_a_broken_one_costs_only_its_group():
    chunker = Fragile()
    texts = ["rotate the key"] * (GROUP_DOCUMENTS + 3)
    texts[1] = "break"
    found = list(chunked((Loaded(at, document(text)) for at, text in enumerate(texts)), chunker, seconds=math.inf))
    assert [type(step) for step in found[:3]] == [Chunked, Uncut, Chunked]
    assert chunker.groups == [GROUP_DOCUMENTS, *[1] * GROUP_DOCUMENTS, 3]


def test_a_failing_memory_is_nobodys_document():
    with pytest.raises(CacheError, match="it breaks"):
        list(chunked([Loaded(0, document("break"))], Fragile(CacheError)))


def test_a_group_waits_for_no_more_than_it_holds():
    """The first chunks come before the last file is read."""
    read = []

    def loading():
        for at in range(3 * GROUP_DOCUMENTS):
            read.append(at)
            yield Loaded(at, document("rotate"))

    next(iter(chunked(loading(), Chunker(TOKENS), seconds=math.inf)))
    assert len(read) == GROUP_DOCUMENTS
    read.clear()
    next(iter(chunked(loading(), Chunker(TOKENS), seconds=-1)))
    assert len(read) == 1, "what takes long to read is not waited for"


def test_reading_a_file_never_fails_and_always_ends(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "one"}\nbroken\n{"text": "two"}\n')
    (tmp_path / "b.docx").write_bytes(b"not a zip")
    (tmp_path / "c.bin").write_bytes(b"\0\0\0")
    (tmp_path / "d.txt").write_text("")
    (tmp_path / "e.md").write_bytes(b"\x89PNG\0\0")
    (tmp_path / "f.md").write_text("---\ntrace: " + "x" * 20_000 + "\n---\none\n")
    with Isolation() as isolation:
        kinds = {
            name: [type(step) for step in read_file(name, SourceFile(tmp_path / name, name), isolation)]
            for name in ("a.jsonl", "b.docx", "c.bin", "d.txt", "e.md", "f.md", "missing.md", "missing.docx")
        }
    assert kinds == {
        "a.jsonl": [Loaded, Unreadable, Loaded, FileEnd],
        "b.docx": [Unreadable, FileEnd],
        "c.bin": [NoText, FileEnd],
        "d.txt": [FileEnd],
        "e.md": [NoText, FileEnd],
        "f.md": [Omitted, Loaded, FileEnd],
        "missing.md": [Unreadable, FileEnd],
        "missing.docx": [Unreadable, FileEnd],
    }


def test_files_come_with_their_names_and_without_what_is_left_out(tmp_path):
    for name in ("a.md", "b.md", "c.svg"):
        (tmp_path / name).write_text("# Title\n\ntext\n")
    made = list(documents_of([tmp_path], name=lambda file: f"set/{file.name}", skip=lambda file: file.name == "b.md"))
    assert [found.id for found in made] == ["set/a.md"]
    assert {step.owner.file.name for step in read_all([tmp_path])} == {"a.md", "b.md"}
    assert {found.file.name: bool(found.skip) for found in find([tmp_path])} == {
        "a.md": False,
        "b.md": False,
        "c.svg": True,
    }
    assert all(found.skip for found in find([tmp_path], max_file_mb=1e-6)), "every file is larger than a byte"
    with pytest.raises(UsageError):
        list(documents_of([tmp_path / "nowhere"]))


def test_chunks_of_files_are_those_of_their_documents(docs):
    documents = list(documents_of([docs]))
    cut = Chunker(TOKENS, prompt="passage: ").chunk(documents)
    assert list(chunks_of([docs], TOKENS, prompt="passage: ")) == [chunk for chunks in cut for chunk in chunks]
    assert len(documents) == 5


def test_documents_that_cannot_be_cut_are_left_out():
    good, bad = document("rotate the key"), document("break")
    assert [found for found, _ in cut_all([good, bad, good], Fragile())] == [good, good]
