"""Queries as people type them: without the marks of Markdown, and with words that say something."""

from __future__ import annotations

import re
import unicodedata

from embassay.words.analyser import analyser, plain_words

LEAST_COLUMNS, MOST_CHARACTERS = 8, 300
"""Of a query."""
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[`*]+|(?<!\w)_+|_+(?!\w)")
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d\u200e\u200f"))


def plain(text: str) -> str:
    """`text` without the marks of Markdown, which nobody types into a search box."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def telling(text: str, language: str) -> list[str]:
    """The words of `text` that say what it is about, in lower case; `language` is a code, and decides which do."""
    cut = analyser(language)
    return [word for word in plain_words(text) if not (word.isdigit() or cut.is_plain(word))]


def normalised(text: str) -> str:
    """The words of `text` in lower case: equal for texts that differ only in case, marks and white space."""
    return " ".join(plain_words(text))


def usable(query: str, language: str) -> bool:
    """Whether somebody could search for it: two words that say something, and not a page of them."""
    return len(telling(query, language)) >= 2 and has_length(query) and is_printable(query)


def has_length(query: str) -> bool:
    """Whether `query` is neither shorter nor longer than what people type. Wide characters say as much as two."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in query[:LEAST_COLUMNS])
    return len(query) + wide >= LEAST_COLUMNS and len(query) <= MOST_CHARACTERS


def is_printable(text: str) -> bool:
    """Whether `text` is one line of visible characters, among which marks may join and turn letters in some scripts."""
    return text.translate(_JOINERS).isprintable()
