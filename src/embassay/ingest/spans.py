"""Where the chunks of a document lie, and how chunks are made of that."""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence

import msgspec

from embassay.types import Chunk, Document


class Span(msgspec.Struct, frozen=True, array_like=True):
    """Where one chunk lies in the text of its document, and what stands above it."""

    start: int
    """Characters of the text before the chunk's body."""
    length: int
    """Characters of the body."""
    section: str
    """The title of the document and the headings above the body, joined: what a hit shows as its section."""
    context: str
    """Of these, what the body does not show itself. It is embedded as a line above the body."""
    tokens: int
    """Of context and body together, as the model counts them."""
    truncated: bool = False
    """Whether that is more than the model takes, so that it reads only the head."""


def chunks_at(document: Document, spans: Sequence[Span]) -> list[Chunk]:
    """The chunks that lie at `spans` of `document`, in that order, with their keys and line numbers."""
    line_of = _Lines(document)
    seen: Counter[str] = Counter()
    return [_chunk(document, span, line_of, seen) for span in spans]


def _chunk(document: Document, span: Span, lines: _Lines, seen: Counter[str]) -> Chunk:
    start, end = span.start, span.start + span.length
    body = document.text[start:end]
    indexed = under(span.context, body)
    seen[indexed] += 1
    return Chunk(
        key=chunk_key(document.id, indexed, seen[indexed]),
        document=document.id,
        path=document.path,
        section=span.section,
        indexed=indexed,
        body_at=len(indexed) - len(body),
        lines=(lines.of(start), lines.of(max(start, end - 1))),
        span=(start, end),
        tokens=span.tokens,
        truncated=span.truncated,
        metadata=document.metadata,
    )


class _Lines:
    """Finds the line of a file in which a character of a document's text stands."""

    def __init__(self, document: Document) -> None:
        self._source_lines = document.source_lines
        self._breaks = array("q", (found.start() for found in re.finditer("\n", document.text)))

    def of(self, at: int) -> int:
        """The line, counted from 1, of the character at position `at`."""
        line = bisect_right(self._breaks, at - 1)
        lines = self._source_lines
        return lines[min(line, len(lines) - 1)] if lines else line + 1


def chunk_key(document: str, indexed: str, occurrence: int) -> str:
    """The key of a chunk: 32 hex digits made of its document's id and its text.

    Equal texts of one document are told apart by `occurrence`, which counts them from 1 in their order.
    """
    digest = hashlib.blake2b(digest_size=16)
    for part in (document, indexed, str(occurrence)):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def under(context: str, body: str) -> str:
    """What is embedded and searched: the body below its line of context, or the body alone where there is none."""
    return f"{context}\n{body}" if context else body
