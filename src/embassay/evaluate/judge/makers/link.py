"""The text of a link asks for what it leads to: somebody described a page in the words of another one."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator

from embassay.evaluate.judge.answers import hidden_heading, is_answer
from embassay.evaluate.judge.asking import question_of_heading
from embassay.evaluate.judge.base import Proposal
from embassay.evaluate.judge.passages import Passage, Passages
from embassay.evaluate.judge.phrases import keyword, plain, usable
from embassay.types import Document, Heading
from embassay.words.analyser import count_words

_LINK = re.compile(r"(?<!!)\[([^\[\]]{4,200})\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'(][^)]*)?\)")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//", re.IGNORECASE)
_POINTING = re.compile(
    r"\b(previous|next|above|below|later|earlier|this|here|internal|chapter|section)\b", re.IGNORECASE
)
"""Words that say where something stands and not what it is."""
BIAS = (-0.05, 0.12)
"""Links often repeat the title of the page that they lead to."""
MENU = 0.5
"""Share of the words of a passage that stand in links, above which it is a table of contents."""

Target = tuple[str, int]
"""Document, and character of a heading in it."""


def propose(passages: Passages) -> Iterator[Proposal]:
    """Links of Markdown to other documents of the folder, or to headings in them; one for each target."""
    headings = {document.id: _anchors(passages, document.id) for document in passages.documents}
    found: dict[str, set[Target]] = defaultdict(set)
    first: dict[str, tuple[str, str]] = {}
    for document in passages.documents:
        for raw, address in _links(passages, document):
            text = plain(raw)
            target = _target(passages, headings, document.id, address)
            named = usable(text, passages.language) and keyword(text, raw, passages.language)
            if target and named and not _POINTING.search(text):
                found[text.lower()].add(target)
                first.setdefault(text.lower(), (text, document.id))
    taken: set[Target] = set()
    for name, targets in found.items():
        if len(targets) > 1 or targets & taken:
            continue
        taken |= targets
        proposal = _proposal(passages, *first[name], *next(iter(targets)))
        if proposal:
            yield proposal


def _links(passages: Passages, document: Document) -> Iterator[tuple[str, str]]:
    """(text, address) of the links that stand in prose."""
    for passage in passages.of.get(document.id, []) if document.kind == "markdown" else ():
        links = _LINK.findall(passage.text)
        linked = sum(count_words(text) for text, _ in links)
        if links and linked / max(1, count_words(plain(passage.text))) < MENU:
            yield from links


def _target(passages: Passages, headings: dict[str, dict[str, Heading]], document: str, address: str) -> Target | None:
    """Where a link leads; None for one that leaves the folder or stays in its own page."""
    path, _, anchor = address.partition("#")
    if _ELSEWHERE.match(address) or not path:
        return None
    folder = posixpath.dirname(document)
    for name in (path, f"{path.rstrip('/')}.md", f"{path.rstrip('/')}/index.md"):
        goal = posixpath.normpath(posixpath.join(folder, name))
        if goal in passages.of and goal != document:
            if anchor and anchor.lower() not in headings[goal]:
                return None
            return goal, headings[goal][anchor.lower()].at if anchor else -1
    return None


def _proposal(passages: Passages, text: str, source: str, goal: str, at: int) -> Proposal | None:
    """The section below the heading, or the beginning of the page. A heading of the same words is taken out."""
    document = next(d for d in passages.documents if d.id == goal)
    known = passages.outlines[goal].headings
    heading = next((h for h in known if at < 0 or h.at == at), None)
    section: list[Passage] = passages.section(goal, heading) if heading and at >= 0 else []
    section = section or _beginning(passages.of[goal])
    if not is_answer(section):
        return None
    same = heading is not None and plain(heading.title).lower() == text.lower()
    hides = hidden_heading(document, heading, section) if heading and same else ()
    question = question_of_heading(text, passages.language)
    kind = "how-to" if question else "keyword"
    return Proposal(question or text, tuple(passage.id for passage in section), source, hides, kind, text)


def _beginning(passages: list[Passage]) -> list[Passage]:
    """The first passage, with those behind it until something is said."""
    count = next((n for n in range(1, len(passages) + 1) if is_answer(passages[:n])), len(passages))
    return passages[:count]


def _anchors(passages: Passages, document: str) -> dict[str, Heading]:
    """Anchor to heading, as GitHub and most site generators form them."""
    found: dict[str, Heading] = {}
    for heading in passages.outlines[document].headings:
        slug = re.sub(r"[^\w\- ]", "", heading.title.lower()).strip().replace(" ", "-")
        found.setdefault(slug, heading)
    return found
