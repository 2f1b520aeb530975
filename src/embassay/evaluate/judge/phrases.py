"""Queries as people type them: without the marks of Markdown, and with words that say something."""

from __future__ import annotations

import re

from embassay.search.snippet import PLAIN

WORDS = re.compile(r"\w+")
_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"[`*]+|(?<!\w)_+|_+(?!\w)")
_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d\u200e\u200f"))


def plain(text: str) -> str:
    """`text` without the marks of Markdown, which nobody types into a search box."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def telling(text: str) -> list[str]:
    """The words of `text` that say what it is about, in lower case."""
    return [word for word in WORDS.findall(text.lower()) if word not in PLAIN and not word.isdigit()]


def normalised(text: str) -> str:
    """The words of `text` in lower case: equal for texts that differ only in case, marks and white space."""
    return " ".join(WORDS.findall(text.lower()))


def usable(query: str) -> bool:
    """Whether somebody could search for it: two words that say something, and not a page of them."""
    return len(telling(query)) >= 2 and 8 <= len(query) <= 300 and is_printable(query)


def is_printable(text: str) -> bool:
    """Whether `text` is one line of visible characters, among which marks may join and turn letters in some scripts."""
    return text.translate(_JOINERS).isprintable()
