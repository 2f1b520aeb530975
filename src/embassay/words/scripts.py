"""Characters by how they make words: scripts with spaces, without them, and those whose characters are syllables.

Python's ``\\w`` leaves out the marks that Indic vowels, Arabic points and accents are, so that the classes here are
ours. Ranges are those of the Unicode blocks (https://www.unicode.org/Public/UCD/latest/ucd/Blocks.txt) without their
marks of punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from functools import cache

IGNORED = "\u00ad\u034f\u061c\u200c-\u200f\u202a-\u202e\u2060-\u2069\ufe00-\ufe0f\ufeff"
"""Characters within words that nobody sees: soft hyphens, joiners, directions, variation selectors."""
ACCENTS = "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
MARKS = (
    f"{ACCENTS}{IGNORED}\u0483-\u0489\u0591-\u05bd\u05bf\u05c1-\u05c2\u05c4-\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f"
    "\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u0816-\u082d\u0859-\u085b"
    "\u0898-\u0903\u093a-\u0963\u0981-\u09e3\u0a01-\u0a75\u0a81-\u0aff\u0b01-\u0b77\u0b82-\u0bd7\u0c00-\u0c63\u0c81-\u0cf3"
    "\u0d00-\u0d63\u0d81-\u0df3\u0f18-\u0f19\u0f35-\u0f39\u0f3e-\u0f3f\u0f71-\u0f84\u0f86-\u0fbc\u135d-\u135f\u1712-\u1773"
    "\u180b-\u180f\u18a9\u1920-\u193b\u1a17-\u1a7f\u1b00-\u1b44\u1b80-\u1bad\u1be6-\u1bf3\u1c24-\u1c37\ua802-\ua827"
    "\ua880-\ua8c5\ua8e0-\ua8f1\ua926-\ua953\ua980-\ua9c0\uaaeb-\uaaf6\uabe3-\uabed\U00011000-\U00011fff"
)
"""What belongs to the word before it without being a letter, tatweel among them."""
IDEOGRAPHS = (
    "\u2e80-\u2fd5\u3005-\u3007\u3021-\u3029\u3031-\u3035\u303b\u3041-\u3096\u3099\u309a\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u30ff\u3105-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua48c\uf900-\ufaff\uff66-\uff9f"
    "\U00016fe0-\U00018dff\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
)
"""Han, kana, bopomofo, Yi and Tangut, with the marks that repeat or lengthen."""
HANGUL = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97c\uac00-\ud7a3\ud7b0-\ud7fb\uffa0-\uffdc"
UNSPACED = (
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e50-\u0e59\u0e81-\u0edf\u1000-\u1049\u1050-\u109f\ua9e0-\ua9fe\uaa60-\uaa7f"
    "\u1780-\u17d3\u17d7\u17dc-\u17dd\u17e0-\u17e9"
)
"""Thai, Lao, Burmese and Khmer: written without spaces, and cut with a dictionary."""
OTHERS = f"{IDEOGRAPHS}{HANGUL}{UNSPACED}"
SPACED_WORD = f"[^\\W_{OTHERS}](?:[^\\W{OTHERS}]|[{MARKS}])*"
"""Of a script with spaces: letters, digits and marks; ``_`` joins, so that an identifier is one word."""
RUN = (
    f"(?P<ideographs>[{IDEOGRAPHS}](?:[{IDEOGRAPHS}]|[{ACCENTS}{IGNORED}])*)|(?P<hangul>[{HANGUL}](?:[{HANGUL}]|[{IGNORED}])*)"
    f"|(?P<unspaced>[{UNSPACED}](?:[{UNSPACED}]|[{IGNORED}])*)|(?P<spaced>{SPACED_WORD})"
)

_ASCII_WORDS = re.compile(r"[^\W_]\w*", re.ASCII)
"""What `SPACED_WORD` finds in ASCII. The patterns of all characters are compiled where a text needs them: that takes
longer than many a search."""

_STARTS, _SCRIPTS = zip(
    *(
        (0x0, "Latin"), (0x370, "Greek"), (0x400, "Cyrillic"), (0x530, "Armenian"), (0x590, "Hebrew"),
        (0x600, "Arabic"), (0x700, ""), (0x750, "Arabic"), (0x780, ""), (0x870, "Arabic"), (0x900, "Devanagari"),
        (0x980, "Bengali"), (0xA00, ""), (0xB80, "Tamil"), (0xC00, ""), (0x1C80, "Cyrillic"), (0x1C90, ""),
        (0x1E00, "Latin"),
        (0x1F00, "Greek"), (0x2000, ""), (0x2C60, "Latin"), (0x2C80, ""), (0x2DE0, "Cyrillic"), (0x2E00, ""),
        (0xA640, "Cyrillic"), (0xA6A0, ""), (0xA720, "Latin"), (0xA800, ""), (0xA8E0, "Devanagari"), (0xA900, ""),
        (0xAB30, "Latin"), (0xAB70, ""), (0x10000, ""),
    ),
    strict=True,
)  # fmt: skip
_INVISIBLE = re.compile(f"[{IGNORED}]")
_DIGITS = re.compile(r"(?![0-9])\d")


def is_spaced(text: str) -> bool:
    """Whether all of a text is of scripts whose words stand between spaces."""
    return text.isascii() or not _pattern(f"[{OTHERS}]").search(text)


def has_unspaced(text: str) -> bool:
    """Whether anything of it is written without spaces. Korean has them, between words that are cut by their syllables
    all the same."""
    return not text.isascii() and _pattern(f"[{IDEOGRAPHS}{UNSPACED}]").search(text) is not None


def spaced_words(text: str) -> list[str]:
    """The words of scripts with spaces in a text, in its order."""
    return (_ASCII_WORDS if text.isascii() else _pattern(SPACED_WORD)).findall(text)


def runs(text: str) -> Iterator[re.Match[str]]:
    """Stretches of text that are one word, or several of a script without spaces; the group of the match says which:
    ``ideographs``, ``hangul``, ``unspaced`` or ``spaced``."""
    return _pattern(RUN).finditer(text)


def script_of(word: str) -> str:
    """The script of a folded word of a script with spaces, by its first character; empty where none is known here."""
    script: str = _SCRIPTS[bisect_right(_STARTS, ord(word[0])) - 1]
    return script


def fold(word: str) -> str:
    """What a word is compared by: without case, width and what is invisible, digits as ASCII has them.

    That is NFKC of the case-folded text (Unicode, chapter 3.13), so that either form of an accent, a ligature and its
    letters, and full-width letters meet.
    """
    if word.isascii():
        return word.lower()
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
    folded = _INVISIBLE.sub("", folded)
    return _DIGITS.sub(lambda digit: str(unicodedata.digit(digit[0])), folded)


@cache
def _pattern(written: str) -> re.Pattern[str]:
    return re.compile(written)
