"""Cuts documents into chunks that fit a model, along the structure of their text.

A chunk has at most 512 tokens unless the caller says otherwise, and never more than the model takes. A document that
fits that limit is one chunk. A longer one is split at the highest boundary that fits: headings, then blocks, then
sentences; source code between definitions. What is embedded of a chunk is its body below a line of context, which has
the document's title and those headings above the chunk that its body does not show itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol

import msgspec

from embassay.ingest.counting import counted
from embassay.ingest.defaults import DEFAULT_TOKENS, RULES
from embassay.ingest.outline import Outline, outline
from embassay.ingest.spans import Span, chunks_at, under
from embassay.ingest.split import MAX_LINE, Splitter
from embassay.types import Chunk, Document

if TYPE_CHECKING:
    from embassay.types import Counts

CONTEXT_TOKENS = 32
"""Most tokens of the line of context. Where it would be longer, the outermost headings are left out first."""
JOIN = " > "
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(list[Span])


class Memory(Protocol):
    """Keeps how documents were cut: to split a long document takes as long as the lookup of its vectors saves.

    A key stands for a document and everything else that decides where it is cut; a value is the encoded cut.
    """

    def recall(self, keys: Sequence[bytes]) -> Mapping[bytes, bytes]:
        """The cuts of those `keys` that are known. Raises CacheError."""

    def remember(self, cuts: Mapping[bytes, bytes]) -> None:
        """Keep the cuts of documents by their keys. Raises CacheError."""


class Chunker:
    """Cuts documents for one model.

    `max_tokens` is the most tokens of a chunk (default: 512, at most what the model takes), with everything that the
    model sees beside the body: special tokens, `prompt` and context. With a `memory`, a document that was cut before
    is not cut again; a tokenizer without an identity has none.
    """

    def __init__(
        self, tokens: Counts, max_tokens: int | None = None, prompt: str = "", memory: Memory | None = None
    ) -> None:
        self._tokens = tokens
        prompted = tokens.count([prompt])[0] - tokens.special if prompt else 0
        self.max_tokens = min(max_tokens or DEFAULT_TOKENS, tokens.safe_tokens) - prompted
        """Tokens that are left for context and body."""
        body_tokens = max(8, self.max_tokens - tokens.special - CONTEXT_TOKENS)
        self._splitter = Splitter(tokens, body_tokens, self.max_tokens)
        self._memory = memory if tokens.identity else None

    def chunk(self, documents: Sequence[Document]) -> list[list[Chunk]]:
        """The chunks of each document, in order. A document without text has none. Raises CacheError."""
        return [chunks_at(d, spans) for d, spans in zip(documents, self._spans(documents), strict=True)]

    def _spans(self, documents: Sequence[Document]) -> list[list[Span]]:
        if self._memory is None:
            return self._cut(documents)
        keys = [self._key(document) for document in documents]
        known = {key: _DECODER.decode(data) for key, data in self._memory.recall(keys).items()}
        new = {key: document for key, document in zip(keys, documents, strict=True) if key not in known}
        made = dict(zip(new, self._cut(list(new.values())), strict=True))
        self._memory.remember({key: _ENCODER.encode(spans) for key, spans in made.items()})
        return [known.get(key) or made.get(key, []) for key in keys]

    def _key(self, document: Document) -> bytes:
        """A digest of everything that decides where a document is cut."""
        digest = hashlib.blake2b(b"%d" % RULES, digest_size=16)
        headings = [(h.at, h.level, h.title, h.end) for h in document.headings]
        parts = (self._tokens.identity, self.max_tokens, document.kind, document.title, _name(document), headings)
        digest.update(repr(parts).encode("utf-8", "surrogatepass"))
        digest.update(document.text.encode("utf-8", "surrogatepass"))
        return digest.digest()

    def _cut(self, documents: Sequence[Document]) -> list[list[Span]]:
        if not documents:
            return []
        short = [under(d.title, d.text.strip()) for d in documents if len(d.text) <= MAX_LINE]
        counts = counted(self._tokens, short)
        return [
            self._whole(document, count)
            if len(document.text) <= MAX_LINE and (count := next(counts)) <= self.max_tokens
            else self._split(document)
            for document in documents
        ]

    def _whole(self, document: Document, tokens: int) -> list[Span]:
        """A document that fits as one chunk; none where it is blank."""
        body = document.text.strip()
        if not body:
            return []
        start = len(document.text) - len(document.text.lstrip())
        headings = _headings(document).path(start)
        section = JOIN.join([*filter(None, [document.title]), *(h.title for h in headings)])
        return [Span(start, len(body), section, document.title, tokens)]

    def _split(self, document: Document) -> list[Span]:
        headings = _headings(document)
        found = []
        for start, body in self._splitter.pieces(document, headings):
            path = headings.path(start)
            name = document.title or ("" if path else _name(document))
            named = [name] if name else []
            above = named + [h.title for h in path if h.level and h.at < start]
            found.append((start, body, JOIN.join(named + [h.title for h in path]), above))
        contexts = self._contexts([above for *_, above in found])
        counts = counted(self._tokens, (under(c, body) for c, (_, body, _, _) in zip(contexts, found, strict=True)))
        spans = []
        for (start, body, section, _), context, count in zip(found, contexts, counts, strict=True):
            if count > self.max_tokens:  # tokens of context and body may merge into more than their sum
                context, count = "", self._tokens.count([body])[0]
            spans.append(Span(start, len(body), section, context, count, count > self.max_tokens))
        return spans

    def _contexts(self, headings: list[list[str]]) -> list[str]:
        """The line of context for each list of headings: as many of the innermost as fit."""
        lengths = {}
        names = list({name for path in headings for name in path})
        for name, count in zip(names, counted(self._tokens, names), strict=True):
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


def _headings(document: Document) -> Outline:
    return Outline(document.headings or outline(document.text, document.kind))


def _name(document: Document) -> str:
    """A file without headings goes by its own name; a record of a file has none."""
    return PurePosixPath(document.path).stem if document.id == document.path else ""
