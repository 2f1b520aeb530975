"""Queries and documents that say the same as others, and queries that repeat their answers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.evaluate.judge.phrases import normalised, telling
from embassay.words.analyser import plain_words

if TYPE_CHECKING:
    from embassay.evaluate.data.judged import JudgedSet
    from embassay.types import Document

NEAR = 0.8
"""Queries that share this part of their words (Jaccard) are near-duplicates."""
COPIED_WORDS = 5
"""So many words of an answer in a row are copied, not thought of."""


def repeated_queries(queries: Mapping[str, str]) -> list[str]:
    """Ids of the queries whose words are those of an earlier one."""
    seen: set[str] = set()
    found = []
    for name, text in queries.items():
        normal = normalised(text)
        if normal and normal in seen:
            found.append(name)
        seen.add(normal)
    return found


def near_queries(queries: Mapping[str, str], language: str) -> list[tuple[str, str]]:
    """Pairs of ids of queries that share most of their telling words and are not the same."""
    words = {name: frozenset(telling(text, language)) for name, text in queries.items()}
    by_word: dict[str, list[str]] = defaultdict(list)
    found = []
    for name, own in words.items():
        shared = Counter(other for word in own for other in by_word[word])
        for other, count in shared.items():
            union = len(own) + len(words[other]) - count
            if count / union >= NEAR and normalised(queries[name]) != normalised(queries[other]):
                found.append((other, name))
        for word in own:
            by_word[word].append(name)
    return found


def unjudged_twins(judged: JudgedSet) -> list[str]:
    """Ids of documents that would answer a query as well as one that is judged relevant, word for word."""
    texts = {document.id: normalised(document.text) for document in judged.documents}
    twins: dict[str, list[str]] = defaultdict(list)
    for name, text in texts.items():
        twins[text].append(name)
    return list(
        dict.fromkeys(
            twin
            for grades in judged.qrels.values()
            for document, grade in grades.items()
            if grade > 0 and document in texts
            for twin in twins[texts[document]]
            if twin not in grades
        )
    )


def shared_words(query: str, answers: Sequence[Document], language: str) -> float:
    """The share of a query's telling words that stand in the best of its answers."""
    words = set(telling(query, language))
    shared = [len(words & set(telling(f"{d.title} {d.text}", language))) for d in answers]
    return max(shared, default=0) / len(words) if words else 0.0


def is_copied(query: str, answers: Sequence[Document]) -> bool:
    """Whether several words of a query stand in a row in an answer, or all words of a shorter query."""
    words = plain_words(query)
    length = min(COPIED_WORDS, len(words))
    if length < 2:
        return False
    runs = [" ".join(words[at : at + length]) for at in range(len(words) - length + 1)]
    texts = [f" {normalised(f'{d.title} {d.text}')} " for d in answers]
    return any(f" {run} " in text for run in runs for text in texts)
