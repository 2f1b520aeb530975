"""Cuts text into the terms of lexical search, for every store and for what is asked of it.

A term is what an index holds: the stem of a word of a script with spaces, and its parts of three letters where the
language wants them; a character and a pair of characters of Han, kana and Hangul; a word that ICU's dictionary finds,
and parts of three characters, in Thai, Lao, Burmese and Khmer. Scripts decide by themselves, whatever language
the set has: that says only how words of its own script are stemmed, and which of them are left out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from pathlib import Path
from typing import Any

from embassay.errors import UsageError
from embassay.words.languages import LANGUAGES, OF_SCRIPT, LanguageRow
from embassay.words.scripts import ACCENTS, fold, has_unspaced, is_spaced, runs, script_of, spaced_words

VERSION = 1
"""Of the rules by which text is cut. Terms of another version do not meet these."""
QUERY_TERMS = 256
"""Terms of a query that are looked up: the cost grows faster than the length."""
LONGEST = 512
"""Characters of a term. A longer word is found by its beginning."""
LONGEST_CUT = 64
"""A word of more characters is a digest or noise, and is not cut into parts."""
MOST_PARTS = 8
"""Of an identifier; one with more is noise."""
PART = 3
"""Characters of a part of a word (McNamee and Mayfield 2004, "Character n-gram tokenization")."""
STOP_WORDS = Path(__file__).with_name("stop")
"""A file for each language that has any."""
REMEMBERED = 1 << 16
"""Words whose terms are kept: a text repeats its words."""

_PARTS = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|[0-9]+")
"""Of an identifier: ``ERR_CONN_4711``, ``getUserName``, ``HTTPServer2``."""
_EXACT = re.compile(
    r"(?<!\w)(?:[A-Za-z][A-Za-z0-9]{0,31}(?:\+\+|\#)(?![\w#+])|[0-9]{1,9}(?:\.[0-9]{1,9}){2,8}(?!\.?\w)"
    r"|[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![\w-]))"
)
"""Names that marks of punctuation belong to: ``C++``, ``C#``, versions and addresses such as ``1.2.3``, and UUIDs."""
_MARKED = re.compile(r"[+#.-](?:(?<=\+)\+|(?<=\w\#)|(?<=\.)[0-9]+\.|(?<=-)[0-9A-Fa-f]{4}-)")
"""Stands in every text that has such a name, and is looked for ten times as fast."""
_SIGNS = re.compile("[\u2100-\u214f\u249c-\u24e9\u3200-\u33ff\ufdfc\U0001f100-\U0001f2ff]")
"""That stand for words: ``№``, ``㈱``, ``㍿``, ``㎏``. A text is not normalised as a whole, for that takes a time that
grows with the square of its marks."""
_ACCENTS = re.compile(f"[{ACCENTS}]")
_JOINER = "\u200c"
"""Zero width: between the parts of a Persian word, where others write a space or nothing."""
_POINTS = re.compile("[\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")
"""Vowels and tatweel of Hebrew and Arabic, which most writers leave out."""
_ALIKE = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th", "ё": "е"}
    | dict(zip("أإآٱىیکةۀ", "ااااييكهه", strict=True))
)
"""Letters that are typed as others where a keyboard lacks them."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word where it stands, as a person would point at it."""

    start: int
    end: int
    terms: tuple[str, ...]
    """None of a word that says nothing, where only those that tell something were asked for."""
    by_parts: bool
    """Whether its terms are parts of it, so that one of them alone says little."""


class Analyser:
    """The terms of texts in one language. Make one with `analyser`; threads may share it."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._row = LANGUAGES[language]
        self._spaced: Callable[[str], tuple[str, ...]] = lru_cache(REMEMBERED)(self._of_spaced)
        self._telling: Callable[[str], tuple[str, ...]] = lru_cache(REMEMBERED)(partial(self._of_spaced, telling=True))

    def terms(self, text: str) -> list[str]:
        """The terms of a text in their order, each as often as it stands there."""
        return self._terms(text, self._spaced)

    def query(self, text: str) -> list[str]:
        """The terms that a query asks for: each once, and `QUERY_TERMS` at most.

        Words that say nothing are asked for where there are no others: "to be or not to be", "IT".
        """
        terms = dict.fromkeys(self._terms(text, self._telling)) or dict.fromkeys(self.terms(text))
        if self._row.tones:
            for toned in [term for term in terms if plain_letters(term) != term]:
                terms.pop(plain_letters(toned), None)
        return list(terms)[:QUERY_TERMS]

    def words(self, text: str, *, telling: bool = True) -> Iterator[Word]:
        """The words of a text in their order. Those that say nothing have terms only without `telling`."""
        for run in runs(text):
            kind = str(run.lastgroup)
            for start, end in _pieces(run[0], kind):
                word = run[0][start:end]
                terms = () if telling and self.is_plain(word) else tuple(self._of_run(word, kind, self._spaced))
                by_parts = kind != "spaced" or self._treatment(word).grams
                yield Word(run.start() + start, run.start() + end, terms, by_parts)

    def is_plain(self, word: str) -> bool:
        """Whether a word says nothing about what is looked for, in the set's language or the one of its script."""
        folded = fold(word)
        return folded in stop_words(self.language) or folded in stop_words(self._language_of(folded))

    def _terms(self, text: str, spaced: Callable[[str], tuple[str, ...]]) -> list[str]:
        if not text.isascii():
            text = _SIGNS.sub(lambda sign: unicodedata.normalize("NFKC", sign[0]), text)
        found: list[str] = []
        if is_spaced(text):
            for word in spaced_words(text):
                found += spaced(word)
        else:
            for run in runs(text):
                found += self._of_run(run[0], str(run.lastgroup), spaced)
        if _MARKED.search(text):
            found += [name.lower().replace("-", "") for name in _EXACT.findall(text)]
        return found

    def _of_run(self, run: str, kind: str, spaced: Callable[[str], tuple[str, ...]]) -> Sequence[str]:
        if kind == "spaced":
            return spaced(run)
        folded = fold(run)
        if kind == "unspaced":
            return [*(folded[a:b] for a, b in _pieces(folded, kind)), *_grams(folded, PART)]
        return [*folded, *_grams(folded, 2)] if len(folded) > 1 else [folded]

    def _of_spaced(self, word: str, *, telling: bool = False) -> tuple[str, ...]:
        """The terms of a word of a script with spaces; several for an identifier. `telling`: none of a stop word."""
        word = unicodedata.normalize("NFC", word[: 4 * LONGEST])
        row = self._treatment(word)
        pieces = _folded(word, row)
        parts = _PARTS.findall(word) if not word.islower() or "_" in word else ()
        if row.script == "Arabic" and _JOINER in word:
            parts = word.split(_JOINER)
        if 1 < len(parts) <= MOST_PARTS:
            pieces += [piece for part in parts for piece in _folded(part, row)]
        return tuple(term for piece in pieces for term in self._of_folded(piece, row, telling))

    def _of_folded(self, word: str, row: LanguageRow, telling: bool) -> Iterator[str]:
        if word in stop_words(self._language_of(word)):
            if not telling:
                yield plain_letters(word)
            return
        bare = _POINTS.sub("", word)
        stem = (_stem(row.stemmer, bare) if row.stemmer and len(bare) < LONGEST_CUT else bare)[:LONGEST]
        plain = plain_letters(stem)[:LONGEST]
        if not plain:
            return
        yield plain
        if row.tones and plain != stem:
            yield stem  # `query` leaves the other one out
        if row.stemmer and row.script == "Latin" and (typed := plain_letters(bare)) != bare:
            other = _stem(row.stemmer, typed) if len(typed) < LONGEST_CUT else plain
            if other != plain:
                yield other  # of the word as it is typed without accents, whose ending is another one
        if row.grams and PART < len(bare) <= LONGEST_CUT:
            yield from _grams(plain_letters(bare), PART)

    def _language_of(self, word: str) -> str:
        """The set's own language where a word stands in its script, else the one of the word's script."""
        script = script_of(word) if word else ""
        return self.language if script in ("", self._row.script) else OF_SCRIPT.get(script, self.language)

    def _treatment(self, word: str) -> LanguageRow:
        return LANGUAGES[self._language_of(fold(word))]


@cache
def analyser(language: str) -> Analyser:
    """The analyser of a language, by its ISO 639 code; `languages.MIXED` for several. Raises UsageError."""
    if language not in LANGUAGES:
        listed = ", ".join(f"{code} ({row.name})" for code, row in LANGUAGES.items())
        raise UsageError(f"the language {language!r} is not known.", remedy=f"There are: {listed}.")
    return Analyser(language)


@cache
def stop_words(language: str) -> frozenset[str]:
    """Words of a language that say nothing about what is looked for; none where no list is kept of it."""
    file = STOP_WORDS / f"{language}.txt"
    words = frozenset(map(fold, file.read_text("utf-8").split())) if file.is_file() else frozenset()
    if LANGUAGES[language].script == "Latin":  # whose accents tell words apart: French où, ou
        return words
    return words | frozenset(map(plain_letters, words))


def plain_words(text: str) -> list[str]:
    """The words of a text without case and width, in its order: those that a person would count, in every script."""
    if is_spaced(text):
        return [fold(word) for word in spaced_words(text)]
    return [
        fold(run[0][start:end])
        for run in runs(text)
        for start, end in _pieces(run[0], str(run.lastgroup))
        if run[0][start:end].strip()
    ]


def count_words(text: str) -> int:
    """How long a text is in words: what stands between spaces, and in scripts without spaces the words themselves."""
    return sum(len(plain_words(piece)) if has_unspaced(piece) else 1 for piece in text.split())


def plain_letters(word: str) -> str:
    """A folded word without accents, and with one letter for those that are typed for each other."""
    if word.isascii():
        return word
    if _ACCENTS.search(decomposed := unicodedata.normalize("NFD", word)):
        word = unicodedata.normalize("NFC", _ACCENTS.sub("", decomposed))
    return word.translate(_ALIKE)


def _folded(word: str, row: LanguageRow) -> list[str]:
    """A word as it is compared; several where folding brings marks of punctuation out, as that of ``½`` does."""
    for letter, other in row.letters.items():
        word = word.replace(letter, other)
    folded = fold(word).strip("_")
    return [folded] if folded.isalnum() else [piece.strip("_") for piece in spaced_words(folded)]


def _grams(word: str, size: int) -> list[str]:
    """Every part of `size` characters; none of a word that is not longer than its parts, for it is one itself."""
    return [word[at : at + size] for at in range(len(word) - size + 1)] if len(word) >= size else []


def _pieces(run: str, kind: str) -> list[tuple[int, int]]:
    """Where the words of a run stand. ICU knows them in scripts without spaces; all others are one word."""
    if kind in ("spaced", "hangul"):
        return [(0, len(run))]
    from icu4py.breakers import WordBreaker

    found, at = [], 0
    for piece in WordBreaker(run, "root"):  # its offsets count UTF-16
        found.append((at, at + len(piece)))
        at += len(piece)
    return found


def _stem(name: str, word: str) -> str:
    return str(_stemmer(name).stemWord(word))


@cache
def _stemmer(name: str) -> Any:
    import Stemmer

    return Stemmer.Stemmer(name)
