from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import UsageError
from embassay.search.modes import pipeline, refined
from embassay.search.neighbours import Around, shown_whole
from embassay.search.parse import parse_pipeline
from embassay.search.run import run
from embassay.search.stages.parent import Parent
from embassay.types import Chunk
from tests.search.stored import on, opened
from tests.search.test_diversity import turned

TEXT = "Zero.\n\nOne. Two.\nThree.\n\nFour. Five."
SECTIONS = (("", 0, 5), ("A", 7, 11), ("A", 12, 16), ("A", 17, 23), ("B", 25, 30), ("B", 31, 36))


def piece(document, section, start, end):
    lines = TEXT.count("\n", 0, start) + 1, TEXT.count("\n", 0, end) + 1
    indexed = f"{section}\n{TEXT[start:end]}"
    return Chunk(f"{document}{start}", document, "p.md", section, indexed, len(section) + 1, lines, (start, end), 10)


CHUNKS = [piece(document, *where) for document in "de" for where in SECTIONS]
ANGLES = (90, 80, 0, 30, 10, 70, 90, 90, 40, 90, 20, 60)


@pytest.fixture(scope="module")
def version():
    with opened(CHUNKS, [turned(angle) for angle in ANGLES]) as made:
        yield made


def searched(version, text):
    found = run(parse_pipeline(text), on(version, "key", vector=turned(0)))
    return shown_whole(found.hits, {"": version}, 0, found.around)


def test_a_hit_is_shown_in_its_section_and_stands_for_the_others_there(version):
    hits = searched(version, "dense(12) >> parent >> top(3)")
    assert [(hit.chunk.key, [one.chunk.key for one in hit.more]) for hit in hits] == [
        ("d12", ["d17", "d7"]), ("d25", ["d31"]), ("e25", ["e31"]),
    ]  # fmt: skip
    first = hits[0]
    assert (first.before, first.chunk.text, first.after) == ("One. ", "Two.", "\nThree.")
    assert first.to_dict()["passage"] == {"lines": (3, 4), "span": (7, 23), "tokens": 30, "chunks": 3}


def test_a_hit_is_shown_in_its_document(version):
    (first, second) = searched(version, 'dense(12) >> parent("document") >> top(3)')
    assert first.before + first.chunk.text + first.after == TEXT == second.before + second.chunk.text + second.after
    assert (first.chunk.key, second.chunk.key, len(first.more), first.passage.chunks) == ("d12", "e25", 5, 6)


def test_so_many_tokens_are_shown_around_a_hit(version):
    hits = searched(version, 'dense(12) >> parent("document", tokens=30) >> top(4)')
    whole = [hit.before + hit.chunk.text + hit.after for hit in hits]
    assert whole[:3] == ["One. Two.\nThree.", "Three.\n\nFour. Five.", "Three.\n\nFour. Five."]
    assert [one.chunk.key for one in hits[0].more] == ["d17", "d7"] and hits[0].passage.tokens == 30
    assert [one.chunk.key for one in hits[1].more] == ["d31"], (
        "what stands in two passages stands behind the better one"
    )


def test_arms_look_deeper_until_there_are_enough_passages(version):
    found = run(parse_pipeline("dense(2) >> parent >> top(3)"), on(version, "key", vector=turned(0)))
    assert len(found.hits) == 3 and str(found.pipeline).startswith("dense(8) >> parent")


@given(st.lists(st.integers(1, 9), min_size=1, max_size=12), st.data(), st.integers(0, 40))
def test_a_passage_is_the_nearest_chunks_that_fit(tokens, data, most):
    at = data.draw(st.integers(0, len(tokens) - 1))
    chunks = [replace(CHUNKS[0], key=str(n), tokens=count) for n, count in enumerate(tokens)]
    first, end = Around("section", most).within(chunks, at)
    assert 0 <= first <= at < end <= len(chunks)
    taken = sum(tokens[first:end])
    if not most:
        assert (first, end) == (0, len(chunks))
    else:
        assert taken <= most or end - first == 1
        assert abs((at - first) - (end - 1 - at)) <= 1 or first == 0 or end == len(chunks)
        if (first, end) != (0, len(chunks)):
            left = [tokens[place] for place in (first - 1, end) if 0 <= place < len(chunks)]
            assert taken + max(left) > most, "a chunk that fits is taken"


def test_what_cannot_be_shown(version):
    with pytest.raises(UsageError, match=r"no hit is part of a 'sections'. Did you mean 'section'"):
        refined(pipeline(), parent="sections")
    with pytest.raises(UsageError, match="tokens is 1000001"):
        Parent.of(1_000_001)
    assert [str(Parent.of(one)) for one in ("section", 800, "800")] == [
        'parent("section")', 'parent("document", tokens=800)', 'parent("document", tokens=800)',
    ]  # fmt: skip
    found = run(parse_pipeline("dense >> parent >> top"), on(version, "key", vector=turned(0)))
    with pytest.raises(UsageError, match="context and parent both say"):
        shown_whole(found.hits, {"": version}, 1, found.around)
