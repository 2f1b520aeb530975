"""The part of a chunk that a person wants to see, and which words of it answer the query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from embassay.search.display import as_read
from embassay.words.analyser import Analyser, Word, analyser
from embassay.words.languages import DEFAULT

WIDTH = 280
"""Characters of a snippet."""
BEFORE = 40
"""Characters of it that stand before the first word of the query."""
LONGEST_QUERY = 2_000
"""Characters of a query whose words are looked for."""
ENOUGH = 0.5
"""Share of a word's parts that have to be asked for, so that the word counts as asked for."""


def snippet(text: str, query: str, width: int = WIDTH, language: str = DEFAULT, *, code: bool = False) -> str:
    """The window of about `width` characters with the most distinct words of the query, cut at words.

    Prose is one line, code keeps its own; `code` says that all of it is code. `language` is that of the set, as a
    code; it decides what a word is, and which forms of it are one.
    """
    text = as_read(text, code=code)
    if len(text) <= width:
        return text
    cut = analyser(language)
    asked = _Asked(query, cut)
    words = list(cut.words(text, telling=asked.telling))
    places = [(word.start, word.terms) for word in words if asked.has(word)]
    start = min(max(0, _richest(places, width - BEFORE) - BEFORE), len(text) - width)
    start = next((word.start for word in words if word.start >= start), start) if start > 0 else 0
    end = _end(words, text, start, width)
    return ("… " if start else "") + text[start:end].rstrip() + (" …" if end < len(text) else "")


def highlight(text: str, query: str, language: str = DEFAULT) -> Iterator[tuple[str, bool]]:
    """`text` in pieces; True for words of which the query has a form. `language` as for `snippet`."""
    cut = analyser(language)
    asked = _Asked(query, cut)
    at = 0
    for word in cut.words(text, telling=asked.telling):
        if asked.has(word):
            yield text[at : word.start], False
            yield text[word.start : word.end], True
            at = word.end
    yield text[at:], False


class _Asked:
    """The words of a query."""

    def __init__(self, query: str, cut: Analyser) -> None:
        query = query[:LONGEST_QUERY]
        words = [word for word in cut.words(query) if word.terms]
        self.telling = bool(words)
        """Whether the query has words that say something; if not, the others are looked for."""
        words = words or [*cut.words(query, telling=False)]
        self._terms = frozenset(term for word in words for term in word.terms)
        self._parts = {frozenset(word.terms[1:] or word.terms) for word in words if word.by_parts}

    def has(self, word: Word) -> bool:
        """Whether a word of the query is meant. One term of it is enough, unless words are searched by their parts, of
        which others have some as well: then it is most parts of the word, or all of one that is asked for."""
        shared = self._terms.intersection(word.terms)
        if not shared or not word.by_parts:
            return bool(shared)
        return len(shared) >= ENOUGH * len(set(word.terms)) or any(parts <= shared for parts in self._parts)


def _richest(places: Sequence[tuple[int, tuple[str, ...]]], width: int) -> int:
    """The place from which `width` characters hold the most distinct words: the first of several, 0 where is none."""
    inside: Counter[tuple[str, ...]] = Counter()
    best, most, entered = 0, 0, 0
    for at, terms in places:
        while entered < len(places) and places[entered][0] < at + width:
            inside[places[entered][1]] += 1
            entered += 1
        if len(inside) > most:
            best, most = at, len(inside)
        inside[terms] -= 1
        if not inside[terms]:
            del inside[terms]
    return best


def _end(words: Sequence[Word], text: str, start: int, width: int) -> int:
    """Where a window of `width` characters ends: where the last word begins that begins in it, if there is one."""
    if len(text) <= start + width:
        return len(text)
    return max((word.start for word in words if start < word.start <= start + width), default=start + width)
