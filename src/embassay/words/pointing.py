"""Whether a sentence points at what stands around it, in each of the languages that words are known of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from embassay.words.analyser import plain_words
from embassay.words.languages import LANGUAGES
from embassay.words.scripts import fold

TABLE = Path(__file__).with_name("pointing.toml")
_BY_LETTERS = ("ko", *(code for code, row in LANGUAGES.items() if not row.script and code != "mul"))
"""Languages whose words do not stand apart, or end in what follows them: phrases are looked for by their letters."""


def needs_neighbours(sentence: str, language: str) -> bool:
    """Whether `sentence` means little without the ones around it: it begins with, or holds, a word that points.

    A language without a row in the table has no such words, and every sentence passes.
    """
    row = _table().get(language)
    if row is None:
        return False
    if language in _BY_LETTERS:
        text = fold(sentence).strip()
        return text.startswith(row["opening"]) or any(phrase in text for phrase in row["anywhere"])
    words = f" {' '.join(plain_words(sentence))} "
    return any(words.startswith(phrase) for phrase in row["opening"]) or any(p in words for p in row["anywhere"])


@cache
def _table() -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    read = tomllib.loads(TABLE.read_text("utf-8"))
    return {code: {name: _phrases(code, text) for name, text in row.items()} for code, row in read.items()}


def _phrases(code: str, listed: str) -> tuple[str, ...]:
    """Phrases as they are looked for: between spaces, except where words do not stand apart."""
    pieces: Sequence[str] = [piece for piece in listed.split(",") if piece.strip()]
    if code in _BY_LETTERS:
        return tuple(fold(piece).lstrip() for piece in pieces)
    return tuple(f" {' '.join(plain_words(piece))} " for piece in pieces)
