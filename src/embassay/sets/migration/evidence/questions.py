"""Questions whose answer is known: titles, headings and sentences of documents, each of which is to find its own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from embassay.types import Chunk

LEAST, LEAST_OF_SENTENCE, MOST = 4, 12, 300
"""Characters of a title or heading, and of a sentence, at least; of either at most."""
PART = 0.6
"""Of an indexed text at most: a query that is all of it is found by a model that understands nothing."""
_SENTENCE = re.compile(r"(?<=[.!?؟۔।])\s+|(?<=[。！？｡])|\n\s*\n")


@dataclass(frozen=True, slots=True)
class KnownItem:
    """A query, and the document that it was taken from."""

    text: str
    kind: str
    """``title``, ``heading`` or ``sentence``."""
    document: str


def ask(chunks: Sequence[Chunk], most: int, random: np.random.Generator) -> list[KnownItem]:
    """At most so many questions, one for a document: of each kind about as many as there are."""
    found: list[KnownItem] = []
    asked: set[str] = set()
    for turn, at in enumerate(random.permutation(len(chunks))):
        chunk = chunks[int(at)]
        kinds = [*_kinds(chunk, random)]
        if kinds and chunk.document not in asked:
            kind, text = kinds[turn % len(kinds)]
            asked.add(chunk.document)
            found.append(KnownItem(text, kind, chunk.document))
        if len(found) == most:
            break
    return found


def _kinds(chunk: Chunk, random: np.random.Generator) -> Iterator[tuple[str, str]]:
    title = chunk.indexed[: chunk.body_at].strip().partition("\n")[0].strip()
    heading = chunk.section.rpartition(" > ")[2].strip()
    most = min(MOST, PART * len(chunk.indexed))
    if LEAST <= len(title) <= most:
        yield "title", title
    if LEAST <= len(heading) <= most and heading != title:
        yield "heading", heading
    sentences = [_shortened(part.strip(), most) for part in _SENTENCE.split(chunk.text)]
    sentences = [one for one in sentences if LEAST_OF_SENTENCE <= len(one) <= most]
    if sentences:
        yield "sentence", sentences[int(random.integers(len(sentences)))]


def _shortened(sentence: str, most: float) -> str:
    """The latter half of a sentence that is too long."""
    words = sentence.split()
    return sentence if len(sentence) <= most else " ".join(words[len(words) // 2 :])
