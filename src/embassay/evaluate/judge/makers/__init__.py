"""Where queries come from when nobody has written any: one file a source, its name is the source's name.

    def propose(passages: Passages) -> Iterator[Proposal]        # in any order, as many as there are

A query is written by somebody who knows the answer, so that these sets are easier than people's questions: every
query says how it was made, and what it was taken from is taken out of its passage. Other packages join through the
entry-point group ``embassay.makers``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.search.snippet import PLAIN

if TYPE_CHECKING:
    from embassay.evaluate.judge.passages import Passage
    from embassay.types import Document, Heading

LEAST = 20
"""Words that an answer has to have beside its heading: one over a list of links answers nothing."""
MOST = 5
"""Passages of an answer: the title of a long page asks for nothing in particular."""
WORDS = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A query and what answers it."""

    query: str
    relevant: tuple[str, ...]
    """Ids of passages."""
    document: str
    """Id of the document it was taken from: a sample is spread over documents."""
    hides: tuple[tuple[str, str], ...] = ()
    """(passage id, text) to be taken out: the passage must not answer by repeating the query."""


_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^)]*\)")
_NOT_PROSE = re.compile(r"<!--[\s\S]*?-->|<[^>]{1,200}>|^#{1,6} .*$|^\[[^\]]+\]: \S+$", re.MULTILINE)
"""Comments, tags, headings and the addresses of links."""
_MARKS = re.compile(r"[`*]+|(?<!\w)_+|_+(?!\w)")


def plain(text: str) -> str:
    """Without the marks of Markdown: nobody types them into a search box."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


_JOINERS = dict.fromkeys(map(ord, "\u200c\u200d\u200e\u200f"))


def telling(text: str) -> list[str]:
    """The words of `text` that say what it is about, in lower case."""
    return [word for word in WORDS.findall(text.lower()) if word not in PLAIN and not word.isdigit()]


def is_answer(section: Sequence[Passage]) -> bool:
    """Whether passages say enough, and little enough, to be what somebody looks for."""
    prose = _NOT_PROSE.sub(" ", "\n".join(passage.text for passage in section))
    return len(section) <= MOST and len(prose.split()) >= LEAST


def hidden_heading(document: Document, heading: Heading, section: Sequence[Passage]) -> tuple[tuple[str, str], ...]:
    """The line of a heading, to be taken out where it stands."""
    line = document.text[heading.at :].partition("\n")[0]
    return tuple((passage.id, line) for passage in section if line.strip() and line in passage.text)


def usable(query: str) -> bool:
    """Whether somebody could search for it: two words that say something, and not a page of them."""
    return len(telling(query)) >= 2 and 8 <= len(query) <= 300 and is_printable(query)


def is_printable(text: str) -> bool:
    """One line, with the marks that join and turn letters in some scripts."""
    return text.translate(_JOINERS).isprintable()
