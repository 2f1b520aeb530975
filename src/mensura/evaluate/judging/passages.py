"""A folder cut into passages that every model can take whole: the corpus of a judged set made from own documents."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mensura.embedders.estimate import EstimatedTokens
from mensura.evaluate.places import Place
from mensura.ingest.chunk import Chunker
from mensura.ingest.outline import Outline, outline
from mensura.ingest.survey import documents_of
from mensura.types import Document

TOKENS = 200
"""Of a passage, as estimated: below the limit of the models with the shortest one in common use, 256."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of a document."""

    id: str
    """Its place: ``docs/a.md#L10-40``; passages that share their lines are numbered, ``#L10-10.2``."""
    document: Document
    start: int
    end: int
    """Characters in the text of the document."""
    title: str
    """Headings above it, outermost first."""

    @property
    def text(self) -> str:
        return self.document.text[self.start : self.end]


class Passages:
    """Every passage of a folder, and where things stand in them."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.documents = documents
        chunker = Chunker(EstimatedTokens(1 << 20), TOKENS)
        self.of: dict[str, list[Passage]] = {}
        """Document id to its passages, in order."""
        for document, chunks in zip(documents, chunker.chunk(documents), strict=True):
            taken: dict[str, int] = defaultdict(int)
            passages = []
            for chunk in chunks:
                place = str(Place(document.id, *chunk.lines))
                taken[place] += 1
                name = place if taken[place] == 1 else f"{place}.{taken[place]}"
                passages.append(Passage(name, document, *chunk.span, chunk.section))
            if passages:
                self.of[document.id] = passages

    @cached_property
    def all(self) -> list[Passage]:
        return [passage for passages in self.of.values() for passage in passages]

    @cached_property
    def outlines(self) -> dict[str, Outline]:
        """Document id to its headings."""
        return {d.id: Outline(d.headings or outline(d.text, d.kind)) for d in self.documents}

    def at(self, document: str, character: int) -> Passage | None:
        """The passage of a character; the next one where it stands between two."""
        passages = self.of.get(document, [])
        index = bisect_right([passage.end for passage in passages], character)
        return passages[index] if index < len(passages) else None


def read_passages(paths: Iterable[Path], name: Callable[[Path], str]) -> Passages:
    """Raises UsageError for a path that does not exist. Unreadable files are passed over, as an index run would."""
    return Passages(list(documents_of(paths, name=name)))
