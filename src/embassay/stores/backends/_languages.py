"""The languages whose words every store of ours can search: those with stop words and a stemmer in all of them."""

from __future__ import annotations

STEMMERS = {
    "da": "danish",
    "de": "german",
    "en": "english",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "nl": "dutch",
    "no": "norwegian",
    "pt": "portuguese",
    "ru": "russian",
    "sv": "swedish",
}
"""ISO 639-1 code to the name of the Snowball stemmer."""
