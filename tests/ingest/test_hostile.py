"""Files that were made to take long, and mutated ones: each is read or quarantined in time, and nothing else happens.

`python -m benchmarks.mutations` does the same with thousands of files, and cuts them as well.
"""

from __future__ import annotations

import time

import pytest

from benchmarks import mutations
from benchmarks.hostile import HOSTILE
from embassay.ingest.base import SourceFile
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import Loaded, Unreadable, chunked, read_file
from embassay.ingest.isolation import Isolation
from embassay.ingest.limits import ReadLimits
from embassay.ingest.outline import outline
from embassay.types import Document
from tests.ingest.test_chunk import check

SECONDS = 90.0
"""By then a reading ends that has 1.5 s, however busy the machine is; without a limit these files take hours."""
LIMITS = ReadLimits(seconds=1.5, memory_mb=400)


@pytest.fixture(scope="module")
def isolation():
    with Isolation(LIMITS) as opened:
        yield opened


@pytest.mark.parametrize("kind", HOSTILE)
def test_reading_a_hostile_file_ends(tmp_path, isolation, kind):
    name, make = HOSTILE[kind]
    (tmp_path / name).write_bytes(make())
    started = time.monotonic()
    steps = list(read_file(kind, SourceFile(tmp_path / name, name), isolation))
    assert time.monotonic() - started < SECONDS
    for step in steps:
        if isinstance(step, Unreadable):
            assert 0 < len(step.error.message) < 400
        if isinstance(step, Loaded):
            document = step.document
            assert len(document.title) <= 2_000 and len(document.id) <= 4_000
            assert sum(len(str(value)) for value in document.metadata.values()) <= 250_000


GOOD_RECORDS = [kind for kind in ("JSON: one line", "JSON: deep") if kind in HOSTILE]


@pytest.mark.parametrize("kind", GOOD_RECORDS)
def test_records_behind_a_bad_one_are_kept(tmp_path, isolation, kind):
    name, make = HOSTILE[kind]
    (tmp_path / name).write_bytes(make())
    steps = list(read_file(kind, SourceFile(tmp_path / name, name), isolation))
    assert [step.document.text for step in steps if isinstance(step, Loaded)] == ["good"]


def test_ordinary_documents_are_not_taken_for_bombs(tmp_path, isolation):
    """Twenty thousand paragraphs, a table of forty thousand cells that are not merged, five hundred pages."""
    from benchmarks import hostile

    rows = ["".join(hostile.cell(f"{row} {column}") for column in range(20)) for row in range(500)]
    made = {
        "paragraphs.docx": HOSTILE["DOCX: paragraphs"][1](),
        "table.docx": hostile.docx(hostile.table(*rows)),
        "pages.pdf": hostile.pdf(100),
    }
    for name, content in made.items():
        (tmp_path / name).write_bytes(content)
        with Isolation() as patient:
            steps = list(read_file(name, SourceFile(tmp_path / name, name), patient))
        assert [type(step) for step in steps][:1] == [Loaded], steps


def test_mutated_files(tmp_path):
    outcome = mutations.Outcome()
    mutations.try_files(tmp_path, mutations.mutated_files(63, seed=7, most=30_000), outcome)
    assert outcome.kinds.total() == 63 and outcome.kinds["read"] > 10
    assert not outcome.slow and not outcome.tracebacks


def test_an_index_run_over_mutated_files_goes_on(tmp_path):
    assert mutations.indexed(tmp_path, seed=7, count=42, most=3_000) == []


LINES = {
    "a heading of spaces": "# a" + " " * 1_000_000 + "b\n",
    "a heading of marks": "# a" + " #" * 500_000 + " b\n",
    "a heading of braces": "# a" + " {.a" * 200_000 + "\n",
    "a title of spaces": "a" + " " * 1_000_000 + "b\n===\n",
    "ticks": "`" * 1_000_000 + "a`\n",
    "rules": "-" * 1_000_000 + "x\n",
    "marks": "#" * 1_000_000 + "\n",
    "quotes": "> " * 500_000 + "\n",
    "lines": "# a\n" * 100_000,
}


@pytest.mark.parametrize("name", LINES)
@pytest.mark.parametrize("kind", ["markdown", "rst"])
def test_outlines_take_time_that_grows_with_the_text(name, kind):
    started = time.monotonic()
    outline(LINES[name], kind)
    assert time.monotonic() - started < 5


class Recorded:
    """Counts of a model, which remember the longest text and the largest batch that they were asked for."""

    def __init__(self, tokens):
        self._tokens, self.longest, self.largest = tokens, 0, 0

    def __getattr__(self, name):
        return getattr(self._tokens, name)

    def count(self, texts):
        self.longest = max([self.longest, *map(len, texts)])
        self.largest = max(self.largest, sum(map(len, texts)))
        return self._tokens.count(texts)


@pytest.mark.parametrize("line", ["2026-01-01 GET /api/v1/users 200 timeout\n", "Rotate the key before Friday.\n\n"])
def test_a_long_document_is_never_tokenised_whole(minilm, line):
    tokens = Recorded(minilm.tokens)
    document = Document("d", "d", line * (400_000 // len(line)), "markdown")
    (chunks,) = Chunker(tokens).chunk([document])
    check(Chunker(minilm.tokens), document, chunks, 256)
    assert tokens.longest <= 8_000 and tokens.largest <= 600_000


def test_a_long_document_is_cut_between_paragraphs(minilm):
    paragraph = "Rotate the key before Friday. " * 8 + "\n\n"
    document = Document("d", "d", paragraph * 2_000, "text")
    (step,) = chunked([Loaded(0, document)], Chunker(minilm.tokens))
    assert all(chunk.text.startswith("Rotate") and chunk.text.endswith("Friday.") for chunk in step.chunks)
