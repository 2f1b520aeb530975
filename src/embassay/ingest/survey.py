"""A folder as a model would see it: documents, chunks and tokens, without embedding anything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import NotText, ReadError
from embassay.ingest.base import Source
from embassay.ingest.chunk import Chunker
from embassay.ingest.read import read, streams
from embassay.ingest.walk import walk
from embassay.types import Chunk, Document

if TYPE_CHECKING:
    from embassay.types import Counts

GROUP = 256
"""Documents cut at once: the tokenizer works on a group."""
SAMPLE = 256
"""Chunks that are kept, spread over the folder, to measure a model's speed on."""


@dataclass(slots=True)
class Survey:
    documents: int = 0
    tokens: list[int] = field(default_factory=list)
    """Of each chunk."""
    text_bytes: int = 0
    truncated: int = 0
    unreadable: int = 0
    sample: list[str] = field(default_factory=list)

    @property
    def chunks(self) -> int:
        return len(self.tokens)

    def percentile(self, share: float) -> int:
        """Tokens that this share of the chunks does not exceed; 0 without chunks."""
        ordered = sorted(self.tokens)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0

    def add(self, chunk: Chunk) -> None:
        self.tokens.append(chunk.tokens)
        self.text_bytes += len(chunk.indexed.encode("utf-8", "replace"))
        self.truncated += chunk.truncated
        if len(self.sample) < SAMPLE:
            self.sample.append(chunk.indexed)
        elif self.chunks % 7 == 0:
            self.sample[self.chunks // 7 % SAMPLE] = chunk.indexed


def survey(
    paths: Iterable[Path],
    tokens: Counts,
    *,
    chunk_tokens: int | None = None,
    prompt: str = "",
    max_file_mb: float = 32.0,
) -> Survey:
    """Cut every document under `paths` as an index run would. Raises UsageError for a path that does not exist."""
    seen = Survey()
    for chunk in _chunks(paths, tokens, chunk_tokens, prompt, max_file_mb, seen):
        seen.add(chunk)
    return seen


def chunks_of(paths: Iterable[Path], tokens: Counts, *, prompt: str = "", max_file_mb: float = 32.0) -> Iterator[Chunk]:
    """The chunks of every readable document under `paths`, in order."""
    yield from _chunks(paths, tokens, None, prompt, max_file_mb, Survey())


def _chunks(
    paths: Iterable[Path], tokens: Counts, chunk_tokens: int | None, prompt: str, max_file_mb: float, seen: Survey
) -> Iterator[Chunk]:
    chunker = Chunker(tokens, chunk_tokens, prompt)
    for group in _grouped(documents_of(paths, max_file_mb=max_file_mb, seen=seen)):
        for chunks in chunker.chunk(group):
            yield from chunks


def documents_of(
    paths: Iterable[Path],
    *,
    max_file_mb: float = 32.0,
    name: Callable[[Path], str] = Path.as_posix,
    skip: Callable[[Path], bool] = lambda _: False,
    seen: Survey | None = None,
) -> Iterator[Document]:
    """Every readable document under `paths`; `name` is what a file is called, `skip` leaves one out.

    Raises UsageError for a path that does not exist.
    """
    seen = seen or Survey()
    for found in walk(paths, max_bytes=int(max_file_mb * 1e6), streams=streams()):
        if found.skip or skip(found.file):
            continue
        try:
            for document in read(Source(found.file, name(found.file))):
                if isinstance(document, ReadError):
                    seen.unreadable += 1
                else:
                    seen.documents += 1
                    yield document
        except NotText:
            continue
        except (ReadError, OSError):
            seen.unreadable += 1


def _grouped(documents: Iterable[Document]) -> Iterator[list[Document]]:
    group: list[Document] = []
    for document in documents:
        group.append(document)
        if len(group) == GROUP:
            yield group
            group = []
    if group:
        yield group
