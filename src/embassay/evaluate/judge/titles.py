"""Headings as queries: those of sections, and the titles of articles."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from embassay.evaluate.judge.answers import hidden_heading, is_answer
from embassay.evaluate.judge.asking import question_of_heading
from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.phrases import keyword, plain, usable


def proposals(passages: Passages) -> Iterator[Proposal]:
    """Headings that occur once: a second one of the same words would be answered as well.

    A heading is taken out of its section, and asked as a question where a rule knows which.
    """
    found = [
        (document, heading) for document in passages.documents for heading in passages.outlines[document.id].headings
    ]
    times = Counter(plain(heading.title).lower() for _, heading in found)
    for document, heading in found:
        title = plain(heading.title)
        if heading.level == 0 or document.kind.startswith("code:") or times[title.lower()] > 1:
            continue
        if not usable(title, passages.language):
            continue
        question = question_of_heading(title, passages.language)
        section = passages.section(document.id, heading)
        if (question or keyword(title, heading.title, passages.language)) and is_answer(section):
            hides = hidden_heading(document, heading, section)
            kind = _kind(question or title, asked=bool(question))
            yield Proposal(question or title, tuple(p.id for p in section), document.id, hides, kind, title)


def _kind(query: str, *, asked: bool) -> str:
    if query.startswith("what is"):
        return "concept"
    return "how-to" if asked or query.endswith(("?", "？", "؟")) else "keyword"
