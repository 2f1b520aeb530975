"""Surveys: what a folder holds for a model, summed up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.ingest.flow import chunks_of
from embassay.ingest.survey import SAMPLE, Survey, survey
from embassay.types import Chunk

TOKENS = EstimatedTokens(64)


def test_a_survey_counts_what_an_index_run_would_make(docs):
    (docs / "bad.docx").write_bytes(b"not a zip")
    (docs / "half.jsonl").write_text('{"text": "rotate the key"}\nbroken\n')
    (docs / "empty.txt").write_text("  \n")
    (docs / "picture.bin").write_bytes(b"\0\0\0")
    seen, chunks = survey([docs], TOKENS), list(chunks_of([docs], TOKENS))
    assert (seen.documents, seen.unreadable, seen.chunks) == (7, 2, len(chunks))
    assert seen.tokens == [chunk.tokens for chunk in chunks]
    assert seen.text_bytes == sum(len(chunk.indexed.encode()) for chunk in chunks)
    assert seen.sample == [chunk.indexed for chunk in chunks]


def test_smaller_chunks_are_more(tmp_path):
    (tmp_path / "long.txt").write_text("Rotate the key before Friday. " * 200)
    few, many = survey([tmp_path], TOKENS), survey([tmp_path], TOKENS, chunk_tokens=24)
    assert few.chunks < many.chunks and max(many.tokens) <= 24


@given(st.lists(st.integers(1, 600), max_size=200), st.floats(0, 1))
def test_percentiles(tokens, share):
    found = Survey(tokens=tokens).percentile(share)
    if not tokens:
        assert found == 0
    else:
        assert found in tokens and sum(n <= found for n in tokens) >= share * len(tokens)


def test_the_sample_is_bounded_and_spread():
    seen = Survey()
    for at in range(20 * SAMPLE):
        seen.add(Chunk(str(at), "d", "d", "", str(at), 0, (1, 1), (0, 1), 1))
    assert len(seen.sample) == SAMPLE and len(set(seen.sample)) == SAMPLE
    assert max(map(int, seen.sample)) > 15 * SAMPLE, "the end of the folder is in it too"
