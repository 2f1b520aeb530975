"""A heading asks for the section below it. The heading itself is taken out of the section, and of the titles below."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from mensura.evaluate.judging.makers import Proposal, plain, usable
from mensura.evaluate.judging.passages import Passage, Passages
from mensura.types import Document, Heading

LEAST = 20
"""Words that have to be left in the section: a heading over a list of links asks for nothing."""
MOST = 5
"""Passages that a section may have: the title of a long page asks for nothing in particular."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Headings that occur once: a second one of the same words would be answered as well."""
    found = [
        (document, heading) for document in passages.documents for heading in passages.outlines[document.id].headings
    ]
    times = Counter(plain(heading.title).lower() for _, heading in found)
    for document, heading in found:
        if heading.level == 0 or document.kind.startswith("code:") or times[plain(heading.title).lower()] > 1:
            continue
        section = _section(passages, document, heading)
        words = sum(len(passage.text.split()) for passage in section) - len(heading.title.split())
        query = plain(heading.title)
        if section and usable(query) and words >= LEAST and len(section) <= MOST:
            line = document.text[heading.at :].partition("\n")[0]
            hides = tuple((passage.id, line) for passage in section if line in passage.text)
            yield Proposal(query, tuple(p.id for p in section), document.id, hides)


def _section(passages: Passages, document: Document, heading: Heading) -> list[Passage]:
    """Passages below the heading, sections inside it included."""
    outline = passages.outlines[document.id]
    return [
        passage
        for passage in passages.of.get(document.id, [])
        if passage.start <= heading.at < passage.end or heading in outline.path(passage.start)
    ]
