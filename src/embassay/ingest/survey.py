"""A folder as a model would see it: its documents, chunks and tokens, without anything being embedded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.ingest.chunk import Chunker
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.flow import Chunked, Uncut, Unreadable, chunked, read_all
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Counts

SAMPLE = 256
"""Chunks whose texts are kept, spread over the folder, to measure a model's speed on."""


@dataclass(slots=True)
class Survey:
    """Counts of what was found, summed up as it comes."""

    documents: int = 0
    """Files and records that could be read."""
    tokens: list[int] = field(default_factory=list)
    """Tokens of each chunk."""
    text_bytes: int = 0
    """Of all chunks together, in UTF-8."""
    truncated: int = 0
    """Chunks that the model would read only the head of."""
    unreadable: int = 0
    """Files and records that could not be read or cut."""
    sample: list[str] = field(default_factory=list)
    """Texts of some of the chunks, `SAMPLE` at most."""

    @property
    def chunks(self) -> int:
        """How many chunks the documents make."""
        return len(self.tokens)

    def percentile(self, share: float) -> int:
        """The tokens that this share of the chunks does not exceed; 0 without chunks."""
        ordered = sorted(self.tokens)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0

    def add(self, chunk: Chunk) -> None:
        """Count one more chunk."""
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
    exclude: Exclusions = NOTHING,
) -> Survey:
    """Cut every document under `paths` as an index run would. Raises UsageError for a path that does not exist."""
    seen = Survey()
    for step in chunked(read_all(paths, exclude=exclude), Chunker(tokens, chunk_tokens, prompt)):
        if isinstance(step, Unreadable | Uncut):
            seen.unreadable += 1
        if isinstance(step, Chunked | Uncut):
            seen.documents += 1
        if isinstance(step, Chunked):
            for chunk in step.chunks:
                seen.add(chunk)
    return seen
