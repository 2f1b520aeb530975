"""Cuts documents into chunks that fit the model exactly, along their structure.

A document that fits stays whole. A longer one is cut by semantic-text-splitter at the highest boundary that
fits: headings, blocks, sentences; for code, definitions. What is embedded is the body below a line of
context: the document's title and the headings above that the body does not show itself.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

import msgspec

from embassay.ingest.languages import language_of
from embassay.ingest.outline import Outline, outline
from embassay.types import Chunk, Document

if TYPE_CHECKING:
    from typing import Any

    from embassay.types import Counts

CONTEXT_TOKENS = 32
"""Most tokens of the line of context; outer headings go first when it is longer."""
JOIN = " > "
_LONG_LINE = re.compile(r"[^\n]{8001,}")
_INDENTED = re.compile(r"^[ \t>]{121,}\S", re.MULTILINE)
_BRACKET = re.compile(r"[()\[\]{}]")
DEFAULT_TOKENS = 512
"""Of a chunk, unless the caller says otherwise: a hit of the 8,192 tokens that some models take would point nowhere."""
SMALL = 24
"""A piece of fewer tokens, such as a lone heading, joins the piece behind it where both fit."""
MAX_LINE = 8_000
"""Longer lines are cut before the splitter sees them: its time grows with the square of a line's length."""
MAX_DEPTH = 60
"""Text nested deeper, by brackets or indentation, is cut as plain text: grammars take exponential time over it."""


class Memory(Protocol):
    """Where cuts are kept: splitting a long document costs as much as looking its vectors up saves."""

    def recall(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]: ...

    def remember(self, cuts: Mapping[bytes, bytes]) -> None: ...


class Piece(msgspec.Struct, frozen=True, array_like=True):
    """Where a chunk lies in its document, and what stands above it."""

    start: int
    length: int
    section: str
    context: str
    tokens: int
    truncated: bool = False


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Piece])
CUTS = b"1"
"""Version of how documents are cut: part of every key of a memory."""


class Chunker:
    """Cuts for one model. `max_tokens` counts everything the model sees: special tokens, context, body."""

    def __init__(
        self, tokens: Counts, max_tokens: int | None = None, prompt: str = "", memory: Memory | None = None
    ) -> None:
        self._tokens = tokens
        prompted = tokens.count([prompt])[0] - tokens.special if prompt else 0
        self.max_tokens = min(max_tokens or DEFAULT_TOKENS, tokens.safe_tokens) - prompted
        self._body_tokens = max(8, self.max_tokens - tokens.special - CONTEXT_TOKENS)
        self._splitter = lru_cache(maxsize=None)(self._make_splitter)
        self._memory = memory if tokens.identity else None

    def chunk(self, documents: Sequence[Document]) -> list[list[Chunk]]:
        """Chunks of each document, in order; none for a document without text."""
        return [_Cut(d).chunks(pieces) for d, pieces in zip(documents, self._recalled(documents), strict=True)]

    def _recalled(self, documents: Sequence[Document]) -> list[list[Piece]]:
        if self._memory is None:
            return self._cut(documents)
        keys = [self._key(document) for document in documents]
        known = {key: _DECODER.decode(data) for key, data in self._memory.recall(keys).items()}
        new = {key: document for key, document in zip(keys, documents, strict=True) if key not in known}
        made = dict(zip(new, self._cut(list(new.values())), strict=True))
        self._memory.remember({key: _ENCODER.encode(pieces) for key, pieces in made.items()})
        return [known.get(key) or made.get(key, []) for key in keys]

    def _key(self, document: Document) -> bytes:
        """Of everything that decides where a document is cut."""
        digest = hashlib.blake2b(CUTS, digest_size=16)
        headings = [(h.at, h.level, h.title, h.end) for h in document.headings]
        parts = (self._tokens.identity, self.max_tokens, document.kind, document.title, _name(document), headings)
        digest.update(repr(parts).encode("utf-8", "surrogatepass"))
        digest.update(document.text.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def _cut(self, documents: Sequence[Document]) -> list[list[Piece]]:
        if not documents:
            return []
        counts = self._tokens.count([_indexed(d.title, d.text.strip()) for d in documents])
        return [
            self._one(document, count)
            if count <= self.max_tokens and len(document.text) <= MAX_LINE
            else self._many(document)
            for document, count in zip(documents, counts, strict=True)
        ]

    def _one(self, document: Document, tokens: int) -> list[Piece]:
        body = document.text.strip()
        if not body:
            return []
        start = len(document.text) - len(document.text.lstrip())
        headings = Outline(document.headings or outline(document.text, document.kind)).path(start)
        section = JOIN.join([*filter(None, [document.title]), *(h.title for h in headings)])
        return [Piece(start, len(body), section, document.title, tokens)]

    def _many(self, document: Document) -> list[Piece]:
        headings = Outline(document.headings or outline(document.text, document.kind))
        found = []
        for start, body in self._pieces(document, headings):
            path = headings.path(start)
            name = document.title or ("" if path else _name(document))
            named = [name] if name else []
            above = named + [h.title for h in path if h.level and h.at < start]
            found.append((start, body, JOIN.join(named + [h.title for h in path]), above))
        contexts = self._fit([above for *_, above in found])
        counts = self._tokens.count([_indexed(c, body) for c, (_, body, _, _) in zip(contexts, found, strict=True)])
        pieces = []
        for (start, body, section, _), context, count in zip(found, contexts, counts, strict=True):
            if count > self.max_tokens:  # tokens of context and body may merge into more than their sum
                context, count = "", self._tokens.count([body])[0]
            pieces.append(Piece(start, len(body), section, context, count, count > self.max_tokens))
        return pieces

    def _pieces(self, document: Document, headings: Outline) -> list[tuple[int, str]]:
        """(start, body) of each piece in order; a small one joins the next unless that opens another section."""
        kind = document.kind if not _is_deep(document.text) else "text"
        pieces = [
            (start + at, body)
            for start, stretch in _stretches(document.text)
            for at, body in self._splitter(kind).chunk_indices(stretch)
        ]
        sizes = self._tokens.count([body for _, body in pieces])
        joined: list[tuple[int, str]] = []
        before = 0
        for (start, body), tokens in zip(pieces, sizes, strict=True):
            if (
                joined
                and before < SMALL + self._tokens.special
                and before + tokens <= self.max_tokens
                and start + len(body) - joined[-1][0] <= MAX_LINE
                and headings.continues(joined[-1][0], start)
            ):
                end = start + len(body)
                start = joined.pop()[0]
                body, tokens = document.text[start:end], tokens + before - self._tokens.special
            joined.append((start, body))
            before = tokens
        return joined

    def _fit(self, headings: list[list[str]]) -> list[str]:
        """The innermost headings that fit the context, for each list."""
        lengths = {}
        names = list({name for path in headings for name in path})
        for name, count in zip(names, self._tokens.count(names) if names else [], strict=True):
            lengths[name] = count - self._tokens.special + 1  # one for the join
        contexts = []
        for path in headings:
            kept: list[str] = []
            room = CONTEXT_TOKENS
            for name in reversed(path):
                room -= lengths[name]
                if room < 0:
                    break
                kept.insert(0, name)
            contexts.append(JOIN.join(kept))
        return contexts

    def _make_splitter(self, kind: str) -> Any:
        from semantic_text_splitter import CodeSplitter, MarkdownSplitter, TextSplitter

        tokenizer = self._tokens.tokenizer
        if kind.startswith("code:") and (grammar := language_of(kind.removeprefix("code:"))) is not None:
            return CodeSplitter.from_huggingface_tokenizer(grammar, tokenizer, self._body_tokens)
        cls = MarkdownSplitter if kind == "markdown" else TextSplitter
        return cls.from_huggingface_tokenizer(tokenizer, self._body_tokens)


class _Cut:
    """Makes the chunks of one document: keys, lines, spans."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._breaks = array("q", (i for i, c in enumerate(document.text) if c == "\n"))
        self._seen: Counter[str] = Counter()

    def chunks(self, pieces: Sequence[Piece]) -> list[Chunk]:
        return [self._chunk(piece) for piece in pieces]

    def _chunk(self, piece: Piece) -> Chunk:
        document, start, end = self._document, piece.start, piece.start + piece.length
        body = document.text[start:end]
        indexed = _indexed(piece.context, body)
        self._seen[indexed] += 1
        return Chunk(
            key=chunk_key(document.id, indexed, self._seen[indexed]),
            document=document.id,
            path=document.path,
            section=piece.section,
            indexed=indexed,
            body_at=len(indexed) - len(body),
            lines=(self._line(start), self._line(max(start, end - 1))),
            span=(start, end),
            tokens=piece.tokens,
            truncated=piece.truncated,
            metadata=document.metadata,
        )

    def _line(self, at: int) -> int:
        line = bisect_right(self._breaks, at - 1)
        lines = self._document.source_lines
        return lines[min(line, len(lines) - 1)] if lines else line + 1


def chunk_key(document: str, indexed: str, occurrence: int) -> str:
    """32 hex digits. Equal texts of one document are told apart by their order."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (document, indexed, str(occurrence)):
        digest.update(part.encode("utf-8", "surrogatepass"))
        digest.update(b"\0")
    return digest.hexdigest()


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """(start, part) of the parts of `text`, cut only inside lines that are too long, at a space if there is one."""
    start = 0
    for line in _LONG_LINE.finditer(text):
        at = max(line.start(), start)
        while line.end() - at > MAX_LINE:
            space = text.rfind(" ", at + MAX_LINE // 2, at + MAX_LINE)
            at = space + 1 if space > 0 else at + MAX_LINE
            yield start, text[start:at]
            start = at
    yield start, text[start:]


def _is_deep(text: str) -> bool:
    if _INDENTED.search(text):
        return True
    depth = 0
    for bracket in _BRACKET.finditer(text):
        depth += 1 if bracket[0] in "([{" else -1
        if depth > MAX_DEPTH:
            return True
        depth = max(depth, 0)
    return False


def _name(document: Document) -> str:
    """A file without headings goes by its own name; a record of a file has none."""
    return PurePosixPath(document.path).stem if document.id == document.path else ""


def _indexed(context: str, body: str) -> str:
    return f"{context}\n{body}" if context else body
