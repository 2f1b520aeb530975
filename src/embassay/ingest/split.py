"""Splits a text that is too long for one chunk into pieces, at the highest boundary that fits.

The boundaries are those of semantic-text-splitter: headings, blocks and sentences of prose, definitions of source
code. What makes that library slow, very long lines and deep nesting, is kept away from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from embassay.ingest.counting import counted
from embassay.ingest.languages import language_of
from embassay.ingest.outline import Outline
from embassay.types import Document

if TYPE_CHECKING:
    from typing import Any

    from embassay.types import Counts

SMALL = 24
"""A piece of fewer tokens, such as a lone heading, is joined with the piece behind it where both fit one chunk."""
MAX_LINE = 8_000
"""Characters. Longer lines are cut before the splitter sees them: its time grows with the square of their length."""
MAX_STRETCH = 250_000
"""Characters. A longer text is cut between paragraphs before the splitter sees it, which holds all of what it splits,
many times over."""
MAX_DEPTH = 60
"""Text nested deeper, by brackets or indentation, is split as plain text: grammars take exponential time over it."""
_LONG_LINE = re.compile(r"[^\n]{8001,}")
_INDENTED = re.compile(r"^[ \t>]{121,}\S", re.MULTILINE)
_BRACKET = re.compile(r"[()\[\]{}]")


class Splitter:
    """Splits texts for one model: no piece has more than `body_tokens`, no joined one more than `max_tokens`."""

    def __init__(self, tokens: Counts, body_tokens: int, max_tokens: int) -> None:
        self._tokens, self._body_tokens, self._max_tokens = tokens, body_tokens, max_tokens
        self._for_kind = lru_cache(maxsize=None)(self._make)

    def pieces(self, document: Document, headings: Outline) -> list[tuple[int, str]]:
        """(start, body) of each piece of the document's text, in order.

        A piece of fewer than `SMALL` tokens is joined with the next one, unless that one opens another section.
        """
        kind = document.kind if not _is_deep(document.text) else "text"
        pieces = [
            (start + at, body)
            for start, stretch in _stretches(document.text)
            for at, body in self._for_kind(kind).chunk_indices(stretch)
        ]
        sizes = counted(self._tokens, (body for _, body in pieces))
        special = self._tokens.special
        joined: list[tuple[int, str]] = []
        before = 0
        for (start, body), tokens in zip(pieces, sizes, strict=True):
            if (
                joined
                and before < SMALL + special
                and before + tokens <= self._max_tokens
                and start + len(body) - joined[-1][0] <= MAX_LINE
                and headings.continues(joined[-1][0], start)
            ):
                end = start + len(body)
                start = joined.pop()[0]
                body, tokens = document.text[start:end], tokens + before - special
            joined.append((start, body))
            before = tokens
        return joined

    def _make(self, kind: str) -> Any:
        from semantic_text_splitter import CodeSplitter, MarkdownSplitter, TextSplitter

        tokenizer = self._tokens.tokenizer
        if kind.startswith("code:") and (grammar := language_of(kind.removeprefix("code:"))) is not None:
            return CodeSplitter.from_huggingface_tokenizer(grammar, tokenizer, self._body_tokens)
        cls = MarkdownSplitter if kind == "markdown" else TextSplitter
        return cls.from_huggingface_tokenizer(tokenizer, self._body_tokens)


def _stretches(text: str) -> Iterator[tuple[int, str]]:
    """(start, part) of the parts of `text`, none of them too long for the splitter, and no line of them either."""
    for start, end in _within_lines(text):
        while end - start > MAX_STRETCH:
            border = _border(text, start + MAX_STRETCH // 2, start + MAX_STRETCH)
            yield start, text[start:border]
            start = border
        yield start, text[start:end]


def _within_lines(text: str) -> Iterator[tuple[int, int]]:
    """(start, end) of the parts of `text`, cut only inside lines that are too long, at a space if possible."""
    start = 0
    for line in _LONG_LINE.finditer(text):
        at = max(line.start(), start)
        while line.end() - at > MAX_LINE:
            space = text.rfind(" ", at + MAX_LINE // 2, at + MAX_LINE)
            at = space + 1 if space > 0 else at + MAX_LINE
            yield start, at
            start = at
    yield start, len(text)


def _border(text: str, first: int, last: int) -> int:
    """Where to cut between these places: before a heading, between paragraphs, between lines, or at the last place."""
    for mark, kept in (("\n\n#", 2), ("\n\n", 2), ("\n", 1)):
        at = text.rfind(mark, first, last - len(mark))
        if at >= 0:
            return at + kept
    return last


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
