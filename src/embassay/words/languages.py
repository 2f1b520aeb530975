"""What is known of languages: one row each. A language that has no row is not refused: see `row_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

MIXED = "mul"
"""ISO 639's code for several languages: words in full and by parts, because no stemmer fits all of them."""
DEFAULT = "en"
"""Of a set in which no language can be told, and of words in a script that the set's own language is not written in."""


@dataclass(frozen=True, slots=True)
class LanguageRow:
    """How words of one language are told apart."""

    name: str
    script: str = "Latin"
    """As `scripts.script_of` names it; empty for scripts whose words are cut by their characters alone."""
    stemmer: str = ""
    """Of Snowball; empty where it has none."""
    grams: bool = False
    """Whether the parts of a word of three characters each are searched beside it."""
    tones: bool = False
    """Whether accents tell words apart: a word is then found by its own accents, or by none."""
    letters: Mapping[str, str] = field(default_factory=dict)
    """Characters that are replaced before a word is folded or stemmed."""


_DEVANAGARI = {"\u093c": "", "\u0901": "\u0902"} | {
    f"{nasal}\u094d": "\u0902" for nasal in "\u0919\u091e\u0923\u0928\u092e"
}
"""The dot of borrowed sounds is often left out, and a nasal before a consonant written either way: हिन्दी, हिंदी."""

LANGUAGES: Mapping[str, LanguageRow] = {
    "ar": LanguageRow("Arabic", "Arabic", "arabic", grams=True),
    "bg": LanguageRow("Bulgarian", "Cyrillic", grams=True),
    "bn": LanguageRow("Bengali", "Bengali", grams=True),
    "ca": LanguageRow("Catalan", stemmer="catalan"),
    "cs": LanguageRow("Czech", stemmer="czech"),
    "da": LanguageRow("Danish", stemmer="danish"),
    "de": LanguageRow("German", stemmer="german"),
    "el": LanguageRow("Greek", "Greek", "greek"),
    "en": LanguageRow("English", stemmer="english"),
    "es": LanguageRow("Spanish", stemmer="spanish"),
    "et": LanguageRow("Estonian", stemmer="estonian"),
    "eu": LanguageRow("Basque", stemmer="basque"),
    "fa": LanguageRow("Persian", "Arabic", "persian", letters={"ي": "ی", "ك": "ک"}),
    "fi": LanguageRow("Finnish", stemmer="finnish"),
    "fr": LanguageRow("French", stemmer="french"),
    "ga": LanguageRow("Irish", stemmer="irish"),
    "he": LanguageRow("Hebrew", "Hebrew", grams=True),
    "hi": LanguageRow("Hindi", "Devanagari", "hindi", letters=_DEVANAGARI),
    "hr": LanguageRow("Croatian", grams=True),
    "hu": LanguageRow("Hungarian", stemmer="hungarian"),
    "hy": LanguageRow("Armenian", "Armenian", "armenian"),
    "id": LanguageRow("Indonesian", stemmer="indonesian"),
    "it": LanguageRow("Italian", stemmer="italian"),
    "ja": LanguageRow("Japanese", ""),
    "km": LanguageRow("Khmer", ""),
    "ko": LanguageRow("Korean", ""),
    "lo": LanguageRow("Lao", ""),
    "lt": LanguageRow("Lithuanian", stemmer="lithuanian"),
    "lv": LanguageRow("Latvian", grams=True),
    "mr": LanguageRow("Marathi", "Devanagari", grams=True, letters=_DEVANAGARI),
    "ms": LanguageRow("Malay", grams=True),
    MIXED: LanguageRow("several languages", grams=True),
    "my": LanguageRow("Burmese", ""),
    "ne": LanguageRow("Nepali", "Devanagari", "nepali", letters=_DEVANAGARI),
    "nl": LanguageRow("Dutch", stemmer="dutch"),
    "no": LanguageRow("Norwegian", stemmer="norwegian"),
    "pl": LanguageRow("Polish", stemmer="polish"),
    "pt": LanguageRow("Portuguese", stemmer="portuguese"),
    "ro": LanguageRow("Romanian", stemmer="romanian"),
    "ru": LanguageRow("Russian", "Cyrillic", "russian"),
    "sk": LanguageRow("Slovak", grams=True),
    "sl": LanguageRow("Slovenian", grams=True),
    "sr": LanguageRow("Serbian", "Cyrillic", grams=True),
    "sv": LanguageRow("Swedish", stemmer="swedish"),
    "ta": LanguageRow("Tamil", "Tamil", "tamil"),
    "th": LanguageRow("Thai", ""),
    "tr": LanguageRow("Turkish", stemmer="turkish", grams=True, letters={"I": "ı", "İ": "i"}),
    "uk": LanguageRow("Ukrainian", "Cyrillic", grams=True),
    "ur": LanguageRow("Urdu", "Arabic", grams=True),
    "vi": LanguageRow("Vietnamese", tones=True),
    "zh": LanguageRow("Chinese", ""),
}
"""By ISO 639 code. Trigrams where they are worth 0.01 nDCG@10 beside stems (Arabic, Turkish), and where no stemmer is:
`python -m benchmarks.languages` measures it."""

OF_SCRIPT = {
    "Latin": DEFAULT, "Greek": "el", "Cyrillic": "ru", "Armenian": "hy", "Hebrew": "he", "Arabic": "ar",
    "Devanagari": "hi", "Bengali": "bn", "Tamil": "ta",
}  # fmt: skip
"""The language of words in a script that the set's own language is not written in."""
