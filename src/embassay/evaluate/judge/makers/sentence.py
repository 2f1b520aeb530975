"""A sentence asks for the passage that it was taken out of (the inverse cloze task: Lee, Chang and Toutanova, 2019)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.phrases import plain, telling, usable
from embassay.types import Document
from embassay.words.analyser import count_words

_OPENING = "\"'(«„“"
"""Marks that may stand before the first word of a sentence."""
_SENTENCE = re.compile(rf"(?<=[.!?؟۔।])\s+(?=[{_OPENING}]*[^\W\d_])|(?<=[。！？｡])(?=[^\s”’」』）)])")
"""Between two sentences, if the second one does not begin with a small letter."""
_BLOCK = re.compile(r"(?:.*\S.*(?:\n|\Z))+")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(r"^[^\W\d_].*[.!?؟۔।。！？｡]$", re.DOTALL)
_NOT_PROSE = re.compile(r"[{}<>|=;`\\\[\]]|https?:|^\s*(?:[-*+#>|]|\d+\.)", re.MULTILINE)
_DANGLING = re.compile(
    r"(?:they|this|these|those|it|its|he|she|him|her|here|there|that|such|them|both|again|now|then|so|but|and|or|however|"
    r"also|otherwise|instead|see|let['’]s|for example|up to|you may|you are|we|our|in this|as (?:we|you|mentioned))\b",
    re.IGNORECASE,
)
"""How sentences begin that mean nothing without the ones before them."""
_POINTING = re.compile(
    r"\b(?:listing|chapter|appendix|figure|table|section|page|above|below|previous|next|earlier|later|following|them|"
    r"copyright|licen[cs]e[ds]?)\b",
    re.IGNORECASE,
)
"""What points elsewhere, or is there for lawyers."""
LEAST_WORDS, MOST_WORDS = 6, 30
LEFT = 30
"""Words that have to be left in the passage."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """The most telling sentence of each passage of prose."""
    code = {document.id: _fenced(document) for document in passages.documents}
    for passage in passages.all:
        if passage.document.kind.startswith("code:"):
            continue
        found = [s for s in _sentences(passage, code[passage.document.id]) if _fits(passage, s, passages.language)]
        if found:
            chosen = max(found, key=lambda sentence: len(set(telling(sentence, passages.language))))
            query = plain(chosen)
            yield Proposal(query, (passage.id,), passage.document.id, ((passage.id, chosen),))


def _fenced(document: Document) -> list[tuple[int, int]]:
    """Where code stands in Markdown."""
    return [match.span() for match in _FENCE.finditer(document.text)] if document.kind == "markdown" else []


def _sentences(passage: Passage, code: Sequence[tuple[int, int]]) -> Iterator[str]:
    for block in _BLOCK.finditer(passage.text):
        at = passage.start + block.start()
        if not _NOT_PROSE.search(block[0]) and not any(start <= at < end for start, end in code):
            yield from _split(block[0].strip())


def _split(prose: str) -> Iterator[str]:
    start = 0
    for between in _SENTENCE.finditer(prose):
        if not prose[between.end() :].lstrip(_OPENING)[:1].islower():
            yield prose[start : between.start()]
            start = between.end()
    yield prose[start:]


def _fits(passage: Passage, sentence: str, language: str) -> bool:
    words = count_words(sentence)
    left = count_words(passage.text) - words
    prose = bool(_PROSE.match(sentence)) and passage.text.count(sentence) == 1
    if sentence[:1].islower() or _DANGLING.match(sentence) or _POINTING.search(sentence):
        return False
    return prose and LEAST_WORDS <= words <= MOST_WORDS and left >= LEFT and usable(plain(sentence), language)
