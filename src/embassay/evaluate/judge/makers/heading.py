"""A heading asks for the section below it. The heading itself is taken out of the section, and of the titles below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from embassay.evaluate.judge.answers import hidden_heading, is_answer
from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passages
from embassay.evaluate.judge.phrases import plain, usable


def propose(passages: Passages) -> Iterator[Proposal]:
    """Headings that occur once: a second one of the same words would be answered as well."""
    found = [
        (document, heading) for document in passages.documents for heading in passages.outlines[document.id].headings
    ]
    times = Counter(plain(heading.title).lower() for _, heading in found)
    for document, heading in found:
        query = plain(heading.title)
        if heading.level == 0 or document.kind.startswith("code:") or times[query.lower()] > 1:
            continue
        section = passages.section(document.id, heading)
        if usable(query, passages.language) and is_answer(section):
            hides = hidden_heading(document, heading, section)
            yield Proposal(query, tuple(p.id for p in section), document.id, hides)
