"""Where queries come from when nobody has written any: one file a source, its name is the source's name.

    def propose(passages: Passages) -> Iterator[Proposal]        # in any order, as many as there are

A query is written by somebody who knows the answer, so that these sets are easier than people's questions: every
query says how it was made, and what it was taken from is taken out of its passage. Other packages join through the
entry-point group ``mensura.makers``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

WORDS = re.compile(r"\w+")
PLAIN = frozenset(
    "a an and are as at be by can do for from has have how i if in into is it its my not of on or our so that the "
    "their this to was we what when where which with you your".split()
)


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
_MARKS = re.compile(r"[`*]+|(?<!\w)_+|_+(?!\w)")


def plain(text: str) -> str:
    """Without the marks of Markdown: nobody types them into a search box."""
    return " ".join(_MARKS.sub("", _LINK.sub(r"\1", text)).split())


def telling(text: str) -> list[str]:
    """The words of `text` that say what it is about, in lower case."""
    return [word for word in WORDS.findall(text.lower()) if word not in PLAIN and not word.isdigit()]


def usable(query: str) -> bool:
    """Whether somebody could search for it: two words that say something, and not a page of them."""
    return len(telling(query)) >= 2 and 8 <= len(query) <= 300 and query.isprintable()
