"""The part of a chunk that a person wants to see, and which words of it answer the query."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from embassay.words.analyser import Word, analyser
from embassay.words.languages import DEFAULT

WIDTH = 280
"""Characters of a snippet."""
BEFORE = 40
"""Characters of it that stand before the first word of the query."""
ENOUGH = 0.5
"""Share of a word's parts that have to be asked for, so that the word counts as asked for."""


def snippet(text: str, query: str, width: int = WIDTH, language: str = DEFAULT) -> str:
    """The window of about `width` characters with the most distinct words of the query, cut at words.

    `language` is that of the set, as a code; it decides what a word is, and which forms of it are one.
    """
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) <= width:
        return text
    cut = analyser(language)
    words = list(cut.words(text))
    wanted = frozenset(cut.query(query))
    places = [(word.start, word.terms) for word in words if _is_wanted(word, wanted)]
    start, most = 0, 0
    for at, _ in places:
        found = len({terms for place, terms in places if at <= place < at + width - BEFORE})
        if found > most:
            start, most = max(0, at - BEFORE), found
    start = min(start, len(text) - width)
    start = next((word.start for word in words if word.start >= start), start) if start > 0 else 0
    end = _end(words, text, start, width)
    return ("… " if start else "") + text[start:end].rstrip() + (" …" if end < len(text) else "")


def highlight(text: str, query: str, language: str = DEFAULT) -> Iterator[tuple[str, bool]]:
    """`text` in pieces; True for words of which the query has a form. `language` as for `snippet`."""
    cut = analyser(language)
    wanted = frozenset(cut.query(query))
    at = 0
    for word in cut.words(text):
        if _is_wanted(word, wanted):
            yield text[at : word.start], False
            yield text[word.start : word.end], True
            at = word.end
    yield text[at:], False


def _is_wanted(word: Word, wanted: frozenset[str]) -> bool:
    """One term that is asked for is enough, unless a word is searched by its parts: others share some of them."""
    asked = sum(term in wanted for term in word.terms)
    return asked >= ENOUGH * len(word.terms) > 0 if word.by_parts else asked > 0


def _end(words: Sequence[Word], text: str, start: int, width: int) -> int:
    """Where a window of `width` characters ends: where the last word begins that begins in it, if there is one."""
    if len(text) <= start + width:
        return len(text)
    return max((word.start for word in words if start < word.start <= start + width), default=start + width)
