"""The part of a chunk that a person wants to see, and which words of it answer the query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

WIDTH = 280
"""Characters of a snippet."""
PLAIN = frozenset(
    "a an and are as at be but by can do does for from has have how i if in into is it its my not of on or our "
    "that the their then there these they this to was what when where which who why will with you your".split()
)
"""Words that say nothing about what is looked for."""
_WORD = re.compile(r"\w+")


def snippet(text: str, query: str, width: int = WIDTH) -> str:
    """The window of about `width` characters with the most distinct words of the query, cut at words."""
    text = re.sub(r"\s+", " ", text).strip()
    if len(text) <= width:
        return text
    wanted = _stems(query)
    places = [(m.start(), stem) for m in _WORD.finditer(text) if (stem := _stem(m[0])) in wanted]
    start, most = 0, 0
    for at, _ in places:
        found = len({stem for place, stem in places if at <= place < at + width - 40})
        if found > most:
            start, most = max(0, at - 40), found
    start = min(start, len(text) - width)
    start = text.find(" ", start) + 1 if start > 0 else 0
    end = len(text) if start + width >= len(text) else text.rfind(" ", start, start + width)
    end = end if end > start else start + width
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def highlight(text: str, query: str) -> Iterator[tuple[str, bool]]:
    """`text` in pieces; True for words that share a stem with the query."""
    wanted = _stems(query)
    at = 0
    for word in _WORD.finditer(text):
        if _stem(word[0]) in wanted:
            yield text[at : word.start()], False
            yield word[0], True
            at = word.end()
    yield text[at:], False


@lru_cache(maxsize=64)
def _stems(query: str) -> frozenset[str]:
    words = {word.lower() for word in _WORD.findall(query[:2000])}
    return frozenset(_stem(word) for word in words - PLAIN)


@lru_cache(maxsize=8192)
def _stem(word: str) -> str:
    import Stemmer

    return str(Stemmer.Stemmer("english").stemWord(word.lower()))
