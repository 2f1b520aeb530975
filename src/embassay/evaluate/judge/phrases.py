"""Queries as people type them: without the marks of Markdown, and with words that say something."""

from __future__ import annotations

import re
import unicodedata

from embassay.evaluate.judge.asking import is_generic
from embassay.words.analyser import analyser, plain_words
from embassay.words.pointing import needs_neighbours

LEAST_COLUMNS, MOST_CHARACTERS = 8, 300
"""Of a query."""
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[`*]+|(?<!\w)_+|_+(?!\w)")
_NAME = re.compile(r"`|\b\w*(?:[a-z][A-Z]|[A-Z]{2}|[A-Za-z]\d|\w_\w)")
"""Code, and words that are spelled as names are."""
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


def keyword(title: str, raw: str, language: str) -> bool:
    """Whether a heading or the text of a link could be what somebody types: it names a subject.

    Titles of two common words stand over anything ("Release notes", "Return values"). In English it takes a third word
    that says something, a phrase or a name, as in "Custom JSON encoders"; elsewhere, where two words may say as
    much as four, titles are left out whose words are all known to name no subject.
    """
    words = telling(title, language)
    if len(words) < 2 or needs_neighbours(title, language):
        return False
    if is_generic(words, language):
        return False
    is_phrase = len(title.split()) > 3
    return len(set(words)) > 2 or is_phrase or language != "en" or bool(_NAME.search(raw))


def has_length(query: str) -> bool:
    """Whether `query` is neither shorter nor longer than what people type. Wide characters say as much as two."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in query[:LEAST_COLUMNS])
    return len(query) + wide >= LEAST_COLUMNS and len(query) <= MOST_CHARACTERS


def is_printable(text: str) -> bool:
    """Whether `text` is one line of visible characters, among which marks may join and turn letters in some scripts."""
    return text.translate(_JOINERS).isprintable()
