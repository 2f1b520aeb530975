from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import UsageError
from embassay.search.neighbours import check_context, with_neighbours
from embassay.types import Chunk, Hit
from tests.search.fakes import FakeSnapshot


class Document(FakeSnapshot):
    def __init__(self, chunks):
        super().__init__()
        self._chunks = chunks

    def chunks(self, names, *, by="path"):
        wanted = set(names)
        return (chunk for chunk in reversed(self._chunks) if getattr(chunk, by) in wanted)


def piece(text, start, end, document="d"):
    lines = (text.count("\n", 0, start) + 1, text.count("\n", 0, max(start, end - 1)) + 1)
    body = text[start:end]
    return Chunk(f"{document}:{start}", document, "p.jsonl", "", "Above\n" + body, 6, lines, (start, end), 3)


def hit(chunk):
    return Hit(1, 0.5, chunk, {})


TEXT = "One. Two.\nThree.\n\nFour."
CHUNKS = [piece(TEXT, 0, 4), piece(TEXT, 5, 9), piece(TEXT, 10, 16), piece(TEXT, 18, 23)]


def test_neighbours_are_read_in_order():
    (found,) = with_neighbours([hit(CHUNKS[1])], {"": Document(CHUNKS)}, 1)
    assert (found.before, found.chunk.text, found.after) == ("One. ", "Two.", "\nThree.")
    (found,) = with_neighbours([hit(CHUNKS[2])], {"": Document(CHUNKS)}, 5)
    assert found.before + found.chunk.text + found.after == TEXT
    assert found.to_dict()["before"] == "One. Two.\n" and found.to_dict()["after"] == "\n\nFour."


def test_other_documents_of_the_file_are_none():
    others = [replace(chunk, document="e", key="e" + chunk.key) for chunk in CHUNKS]
    (found,) = with_neighbours([hit(CHUNKS[0])], {"": Document([*CHUNKS, *others])}, 1)
    assert (found.before, found.after) == ("", " Two.")


def test_each_set_has_its_own():
    """The same document in two sets: what stands around a hit is of the set that it was found in."""
    other = [replace(chunk, indexed="Above\nother") for chunk in CHUNKS]
    hits = [replace(hit(CHUNKS[1]), set="a"), replace(hit(other[1]), set="b")]
    one, two = with_neighbours(hits, {"a": Document(CHUNKS), "b": Document(other)}, 1)
    assert (one.before, two.before) == ("One. ", "other ")


def test_a_chunk_alone_has_none():
    (found,) = with_neighbours([hit(CHUNKS[0])], {"": Document(CHUNKS[:1])}, 3)
    assert (found.before, found.after) == ("", "") and "before" not in found.to_dict()


@given(st.text("ab \n", min_size=1, max_size=60), st.data())
def test_overlapping_chunks_are_not_doubled(text, data):
    """Whatever the chunks of a document are, if they leave no gap: what is put together is the document."""
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text)), max_size=5)) | {len(text)})
    overlaps = [data.draw(st.integers(0, 3)) for _ in cuts]
    starts = [max(0, at - back) for at, back in zip([0, *cuts], overlaps, strict=False)]
    starts = [max(starts[: n + 1]) for n in range(len(starts))]
    chunks = [piece(text, start, end) for start, end in zip(starts, cuts, strict=True)]
    if len({chunk.key for chunk in chunks}) < len(chunks):
        return
    for chunk in chunks:
        (found,) = with_neighbours([hit(chunk)], {"": Document(chunks)}, 9)
        assert found.before + found.chunk.text + found.after == text


@pytest.mark.parametrize("wrong", [-1, 101, 1.5, True, "1"])
def test_what_is_no_number_of_neighbours(wrong):
    with pytest.raises(UsageError, match=r"context is .*; it must be a whole number between 0 and 100"):
        check_context(wrong)
