"""Whether a query is a question, in the languages that are known here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from embassay.words.analyser import plain_words
from embassay.words.languages import DEFAULT, MIXED
from embassay.words.scripts import fold, has_unspaced

QUESTION_WORDS = Path(__file__).with_name("question")
"""A file for each language, with what makes a text a question: a word at its beginning; behind ``…`` one anywhere in
it; behind ``~`` what it ends with. Particles and endings do so in languages that leave the order of words alone."""
ANYWHERE, LAST = "…", "~"

_MARK = re.compile(r"\?(?=\W|$)")
"""One within an address or a pattern asks nothing."""
_ENDS = "\"'”’»)]}.!。 \t"


def is_question(text: str, language: str) -> bool:
    """Whether `text` ends, begins or is worded like a question; `language` is a code of `LANGUAGES`.

    A question mark of any script counts, and so do the words of English beside those of `language`; for several
    languages those of all.
    """
    return _has_mark(text) or any(_is_worded(text, name) for name in _asked(language))


def _has_mark(text: str) -> bool:
    if _MARK.search(text):
        return True
    if text.rstrip(_ENDS).endswith((";", "\u037e")) and any("GREEK" in unicodedata.name(one, "") for one in text):
        return True  # the Greek question mark, which is a semicolon once a text is composed
    return not text.isascii() and any("QUESTION MARK" in unicodedata.name(one, "") for one in set(text))


def _asked(language: str) -> Iterator[str]:
    if language == MIXED:
        yield from sorted(file.stem for file in QUESTION_WORDS.glob("*.txt"))
    else:
        yield from dict.fromkeys((language, DEFAULT))


def _is_worded(text: str, language: str) -> bool:
    first, anywhere, last = _words(language)
    words = f" {' '.join(plain_words(text))} "
    whole = fold(text).rstrip(_ENDS)
    if any(words.startswith(f" {word} ") for word in first) or whole.endswith(last):
        return True
    # Scripts without spaces are cut by a dictionary, which may cut such a word as well, and Korean joins endings to it.
    return any(f" {word} " in words or (_is_joined(word) and word in whole) for word in anywhere)


@cache
def _words(language: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """What makes a question at the beginning, anywhere and at the end."""
    file = QUESTION_WORDS / f"{language}.txt"
    lines = file.read_text("utf-8").splitlines() if file.is_file() else []
    marked = [line for line in lines if line.startswith((ANYWHERE, LAST))]
    first = tuple(" ".join(plain_words(line)) for line in lines if line.strip() and line not in marked)
    anywhere, last = (tuple(fold(m[1:]) for m in marked if m.startswith(mark)) for mark in (ANYWHERE, LAST))
    return first, anywhere, last


@cache
def _is_joined(word: str) -> bool:
    return has_unspaced(word) or any("HANGUL" in unicodedata.name(letter, "") for letter in word)
