"""Whether a section of a document answers anything, and what of it would give the answer away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from embassay.words.analyser import count_words

if TYPE_CHECKING:
    from embassay.evaluate.judge.passages import Passage
    from embassay.types import Document, Heading

LEAST_WORDS = 20
"""Words that an answer has beside its heading, at least: one over a list of links answers nothing."""
MOST_PASSAGES = 5
"""Passages of an answer, at most: the title of a long page asks for nothing in particular."""
_NOT_PROSE = re.compile(r"<!--[\s\S]*?-->|<[^>]{1,200}>|^#{1,6} .*$|^\[[^\]]+\]: \S+$", re.MULTILINE)
"""Comments, tags, headings and the addresses of links."""


def is_answer(section: Sequence[Passage]) -> bool:
    """Whether passages say enough, and little enough, to be what somebody looks for."""
    prose = _NOT_PROSE.sub(" ", "\n".join(passage.text for passage in section))
    return len(section) <= MOST_PASSAGES and count_words(prose) >= LEAST_WORDS


def hidden_heading(document: Document, heading: Heading, section: Sequence[Passage]) -> tuple[tuple[str, str], ...]:
    """(passage id, line) of a heading wherever it stands in `section`: it is to be taken out of there."""
    line = document.text[heading.at :].partition("\n")[0]
    return tuple((passage.id, line) for passage in section if line.strip() and line in passage.text)
