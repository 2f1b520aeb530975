"""Which language texts are written in: by their scripts first, then by a model of letters among those of one script."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Any

from embassay.words.languages import DEFAULT, LANGUAGES, MIXED, OF_SCRIPT

SAMPLE_TEXT = 4_000
"""Characters of a text that are looked at."""
SAMPLE = 100_000
"""Characters that are looked at, of all texts together."""
MOST_TEXTS = 100
"""Texts that are looked at, where all are at hand."""
LEAST = 40
"""Letters that it takes to tell languages of one script apart; shorter texts are joined until they have as many."""
PASSAGE = 100
"""Letters that are judged together: short texts of one language are told better when they are joined."""
SHARE = 0.15
"""Of what is written in a script that a language must have to count as one of the set's."""
SURE = 0.7
"""Probability of a language below which a passage is not counted."""
DENSITY = 3
"""An ideograph or a syllable says as much as so many letters."""

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)[^\n]*\n.*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_NOT_PROSE = re.compile(r"[\\/_=<>{}|@0-9]")
"""What stands in addresses, paths, names and code, which are written alike in every language."""
_SCRIPTS = {
    "Latin": "A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff",
    "Greek": "\u0370-\u03ff\u1f00-\u1fff",
    "Cyrillic": "\u0400-\u052f",
    "Armenian": "\u0530-\u058f",
    "Hebrew": "\u0590-\u05ff",
    "Arabic": "\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff",
    "Devanagari": "\u0900-\u0963\u0966-\u097f",
    "Bengali": "\u0980-\u09ff",
    "Tamil": "\u0b80-\u0bff",
    "Thai": "\u0e00-\u0e7f",
    "Lao": "\u0e80-\u0eff",
    "Burmese": "\u1000-\u109f",
    "Khmer": "\u1780-\u17ff",
    "Hangul": "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3",
    "Kana": "\u3041-\u30ff\uff66-\uff9f",
    "Han": "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff",
}
_LETTERS = {script: re.compile(f"[{ranges}]") for script, ranges in _SCRIPTS.items()}
_RUNS = {script: re.compile(f"[{ranges}]+(?:[^\\w\n]+[{ranges}]+)*") for script, ranges in _SCRIPTS.items()}
_ROWS = Counter(row.script for row in LANGUAGES.values())
"""How many languages of each script there are."""
_ALONE = {script: code for script, code in OF_SCRIPT.items() if _ROWS[script] == 1} | {
    "Thai": "th", "Lao": "lo", "Burmese": "my", "Khmer": "km", "Hangul": "ko", "Kana": "ja", "Han": "zh",
}  # fmt: skip
"""Scripts that one language here is written in."""
_DENSE = ("Han", "Kana", "Hangul")
KANA = 0.05
"""Of ideographs and kana together: with more kana than this, ideographs are Japanese."""


def detect(texts: Iterable[str]) -> str:
    """The code of the language that most of `texts` are written in, or `MIXED` where their script has several.

    It is ``en`` where no text says anything. Words of other scripts than the language's own are cut by those scripts in
    any case, so that the code of a set of Chinese and English pages is that of the larger part. Texts are read until
    `SAMPLE` characters are seen.
    """
    passages = list(_passages(texts))
    letters: Counter[str] = Counter()
    for passage in passages:
        for script, pattern in _LETTERS.items():
            letters[script] += len(pattern.findall(passage)) * (DENSITY if script in _DENSE else 1)
    if letters["Kana"] > KANA * (letters["Kana"] + letters["Han"]):
        letters["Kana"] += letters.pop("Han", 0)
    script, count = max(letters.items(), key=lambda item: item[1], default=("", 0))
    if script in _ALONE and count:
        return _ALONE[script]
    return _by_letters(passages, script) if count >= LEAST else OF_SCRIPT.get(script, DEFAULT)


def detect_in(texts: Sequence[str]) -> str:
    """The same for texts that are all at hand: a little is read of many of them, from the first to the last."""
    step = -(-len(texts) // MOST_TEXTS) or 1
    return detect(text[: SAMPLE // MOST_TEXTS] for text in texts[::step])


def _by_letters(passages: Iterable[str], script: str) -> str:
    """The language of passages among those of a script."""
    among = {code for code, row in LANGUAGES.items() if row.script == script and code != MIXED}
    weights: Counter[str] = Counter()
    unsure: Counter[str] = Counter()
    for passage in passages:
        own = " ".join(_RUNS[script].findall(passage))
        if len(own) >= LEAST:
            language, probability = _classified(own, among)
            (weights if probability >= SURE else unsure)[language] += len(own)
    weights = weights or unsure
    if not weights:
        return OF_SCRIPT.get(script, DEFAULT)
    total = weights.total()
    common = [language for language, weight in weights.most_common() if weight >= SHARE * total]
    return MIXED if len(common) > 1 and script == "Latin" else weights.most_common(1)[0][0]


def _passages(texts: Iterable[str]) -> Iterator[str]:
    """Prose of the texts, the short ones joined, until `SAMPLE` characters were seen."""
    seen, held = 0, ""
    for text in texts:
        text = text[:SAMPLE_TEXT]
        seen += len(text)
        words = _FENCE.sub("\n", text).split()
        prose = " ".join(word for word in words if not (word.isascii() and _NOT_PROSE.search(word)))
        held = f"{held}\n{prose}" if held else prose
        if len(held) >= PASSAGE:
            yield held
            held = ""
        if seen >= SAMPLE:
            break
    if held:
        yield held


def _classified(text: str, among: set[str]) -> tuple[str, float]:
    """The likeliest of the languages `among`, and its probability among them."""
    import math

    model, labels = _model()
    scores = {}
    for label, score in model.rank(text):
        code = labels.get(label, label)
        if code in among and code not in scores:
            scores[code] = float(score)
    best = max(scores, key=lambda code: scores[code])
    return best, 1 / sum(math.exp(score - scores[best]) for score in scores.values())


@cache
def _model() -> tuple[Any, dict[str, str]]:
    """py3langid, whose model is part of its package, and names of its that are rows of ours by other codes."""
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE), {"nb": "no", "nn": "no", "bs": "hr"}
