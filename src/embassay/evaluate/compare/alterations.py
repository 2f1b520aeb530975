"""Queries as people type them carelessly: with slips of the keys, in another case, or as bare keywords.

They are altered by rules, with fixed seeds, so that equal queries are altered equally. No rule here paraphrases.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.words.analyser import analyser

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet

MARK = "\x1f"
"""Between the id of a query and the name of its alteration: ASCII's separator of units, which no id of a set has."""
LEAST_LETTERS = 4
"""Of a word with a slip of the keys: shorter ones would become others."""
WORDS_A_SLIP = 5
"""One word in so many has one, and at least one in each query."""
_WORD = re.compile(r"[^\W\d_]+")


def typos(text: str, chance: random.Random, _: str) -> str:
    """Slips of the keys: two letters in the wrong order, one left out, or one typed twice."""
    words = [found for found in _WORD.finditer(text) if len(found[0]) >= LEAST_LETTERS]
    slipped = sorted(chance.sample(range(len(words)), min(len(words), max(1, len(words) // WORDS_A_SLIP))))
    for at in reversed(slipped):
        start, end = words[at].span()
        text = text[:start] + _slip(text[start:end], chance) + text[end:]
    return text


def case(text: str, _: random.Random, __: str) -> str:
    """All in small letters; all in capitals where it was in small letters already."""
    lower = text.lower()
    return lower if lower != text else text.upper()


def keywords(text: str, _: random.Random, language: str) -> str:
    """Only the words that say what it is about, as people type them who are used to searches by words."""
    words = [word for word in analyser(language).words(text) if word.terms]
    kept: list[str] = []
    behind = -1
    for word in words:  # words of scripts without spaces stay joined where they were
        kept.append(("" if word.start == behind or not kept else " ") + text[word.start : word.end])
        behind = word.end
    return "".join(kept)


ALTERATIONS: Mapping[str, Callable[[str, random.Random, str], str]] = {
    "typos": typos,
    "case": case,
    "keywords": keywords,
}


def with_alterations(judged: JudgedSet) -> JudgedSet:
    """The same set with each query asked in every altered form as well, where the alteration changes it."""
    language = judged.language if judged.documents else _language(judged)
    queries, qrels = dict(judged.queries), dict(judged.qrels)
    for query, text in judged.queries.items():
        for name, alter in ALTERATIONS.items():
            made = alter(text, random.Random(f"{name} {text}"), language)
            if made.strip() and made != text:
                queries[f"{query}{MARK}{name}"] = made
                qrels[f"{query}{MARK}{name}"] = judged.qrels[query]
    return replace(judged, queries=queries, qrels=qrels)


def without_alterations(judged: JudgedSet) -> JudgedSet:
    """The set as it was before `with_alterations`."""
    queries = clean(judged.queries)
    if len(queries) == len(judged.queries):
        return judged
    return replace(judged, queries={q: judged.queries[q] for q in queries}, qrels={q: judged.qrels[q] for q in queries})


def is_altered(query: str) -> bool:
    """Whether an id is that of an altered query."""
    return MARK in query


def clean(queries: Iterable[str]) -> list[str]:
    """The ids of those that are as they were written."""
    return [query for query in queries if not is_altered(query)]


def check_alterable(*, drop_same_id: bool) -> None:
    """Raises UsageError where the id of a query means something: an altered query has one of its own."""
    if drop_same_id:
        raise UsageError("robustness and drop_same_id do not go together: the queries are documents there.")


def _slip(word: str, chance: random.Random) -> str:
    at = chance.randrange(1, len(word) - 1)  # the first letter is rarely the wrong one
    kind = chance.choice(("swapped", "missing", "doubled"))
    if kind == "swapped" and word[at] != word[at + 1]:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return word[:at] + word[at + 1 :] if kind == "missing" else word[: at + 1] + word[at:]


def _language(judged: JudgedSet) -> str:
    from embassay.words.detection import detect_in

    return detect_in(list(judged.queries.values()))
