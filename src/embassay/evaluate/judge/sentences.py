"""Sentences of prose that mean something without the ones around them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.phrases import plain, telling, usable
from embassay.types import Document
from embassay.words.analyser import count_words
from embassay.words.pointing import needs_neighbours

_OPENING = "\"'(«„“"
"""Marks that may stand before the first word of a sentence."""
_SENTENCE = re.compile(rf"(?<=[.!?؟۔।])\s+(?=[{_OPENING}]*[^\W\d_])|(?<=[。！？｡])(?=[^\s”’」』）)])")
"""Between two sentences, if the second one does not begin with a small letter."""
_BLOCK = re.compile(r"(?:.*\S.*(?:\n|\Z))+")
_FENCE = re.compile(r"^ {0,3}(```+|~~~+).*?(?:^ {0,3}\1|\Z)", re.MULTILINE | re.DOTALL)
_PROSE = re.compile(r"^[^\W\d_].*[.!?؟۔।。！？｡]$", re.DOTALL)
_NOT_PROSE = re.compile(r"[{}<>|=;`\\\[\]]|https?:|^\s*(?:[-*+#>|]|\d+\.)", re.MULTILINE)
_POINTING = re.compile(
    r"\b(?:listing|chapter|appendix|figure|table|section|page|above|below|previous|next|earlier|later|following|them|"
    r"copyright|licen[cs]e[ds]?)\b",
    re.IGNORECASE,
)
"""What points elsewhere, or is there for lawyers."""
_LISTED = re.compile(r"^\s*(?:[-*+#>|/]|\d+\.|    )", re.MULTILINE)
LEAST_WORDS, MOST_WORDS = 6, 30
LEFT = 20
"""Words that have to be left in the passage, or as many as the sentence has: tokens of some scripts are short."""
LEAST_TELLING = 4
"""Words of a statement that say something."""
CLAUSE_WORDS = 8
_WITHOUT_STOPS = ("th", "lo")
"""Languages that put spaces between clauses, and no mark at the end of a sentence."""


def proposals(passages: Passages) -> Iterator[Proposal]:
    """The most telling sentence of each passage of prose, which it is taken out of."""
    code = {document.id: fenced(document) for document in passages.documents}
    for passage in passages.all:
        if passage.document.kind.startswith("code:"):
            continue
        sentences = _sentences(passage, code[passage.document.id], passages.language)
        found = [s for s in sentences if _fits(passage, s, passages.language)]
        if found:
            chosen = max(found, key=lambda sentence: len(set(telling(sentence, passages.language))))
            query = plain(chosen)
            yield Proposal(query, (passage.id,), passage.document.id, ((passage.id, chosen),), "statement")


def prose_of(passages: Passages) -> Iterator[tuple[Passage, str]]:
    """(passage, sentence) of all prose, sentences with code or links in them among it."""
    for passage in passages.all:
        if passage.document.kind.startswith("code:"):
            continue
        code = fenced(passage.document)
        for block in _BLOCK.finditer(passage.text):
            at = passage.start + block.start()
            if not _LISTED.search(block[0]) and not any(start <= at < end for start, end in code):
                for sentence in split_sentences(block[0].strip()):
                    yield passage, sentence


def fenced(document: Document) -> list[tuple[int, int]]:
    """Where code stands in Markdown."""
    return [match.span() for match in _FENCE.finditer(document.text)] if document.kind == "markdown" else []


def _sentences(passage: Passage, code: Sequence[tuple[int, int]], language: str) -> Iterator[str]:
    for block in _BLOCK.finditer(passage.text):
        at = passage.start + block.start()
        if not _NOT_PROSE.search(block[0]) and not any(start <= at < end for start, end in code):
            split = _clauses if language in _WITHOUT_STOPS else split_sentences
            yield from split(block[0].strip())


def _clauses(prose: str) -> Iterator[str]:
    """What stands between spaces, joined until it is as long as a sentence."""
    held = ""
    for piece in prose.split():
        held = f"{held} {piece}" if held else piece
        if count_words(held) >= CLAUSE_WORDS:
            yield held
            held = ""


def split_sentences(prose: str) -> Iterator[str]:
    """The sentences of a block of prose, in their order."""
    start = 0
    for between in _SENTENCE.finditer(prose):
        if not prose[between.end() :].lstrip(_OPENING)[:1].islower():
            yield prose[start : between.start()]
            start = between.end()
    yield prose[start:]


def _fits(passage: Passage, sentence: str, language: str) -> bool:
    words = count_words(sentence)
    left = count_words(passage.text) - words
    ended = language in _WITHOUT_STOPS or bool(_PROSE.match(sentence))
    prose = ended and passage.text.count(sentence) == 1
    if sentence[:1].islower() or needs_neighbours(sentence, language) or _POINTING.search(sentence):
        return False
    if len(set(telling(sentence, language))) < LEAST_TELLING:
        return False
    return (
        prose and LEAST_WORDS <= words <= MOST_WORDS and left >= min(LEFT, words) and usable(plain(sentence), language)
    )
