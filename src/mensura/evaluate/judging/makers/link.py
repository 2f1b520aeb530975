"""The text of a link asks for what it leads to: somebody described a page in the words of another one."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from mensura.evaluate.judging.makers import Proposal, plain, usable
from mensura.evaluate.judging.passages import Passage, Passages

_LINK = re.compile(r"(?<!!)\[([^\[\]]{4,200})\]\(\s*<?([^)\s>]+)>?(?:\s+[\"'(][^)]*)?\)")
_ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:|^//", re.IGNORECASE)


def propose(passages: Passages) -> Iterator[Proposal]:
    """Links of Markdown to other documents of the folder, or to headings in them."""
    slugs = {document.id: _anchors(passages, document.id) for document in passages.documents}
    seen = set()
    for document in passages.documents:
        if document.kind != "markdown":
            continue
        for link in _LINK.finditer(document.text):
            query = plain(link[1])
            target = _target(passages, slugs, document.id, link[2])
            if target is None or not usable(query) or (query.lower(), target.id) in seen:
                continue
            seen.add((query.lower(), target.id))
            yield Proposal(query, (target.id,), document.id)


def _target(passages: Passages, slugs: dict[str, dict[str, int]], document: str, address: str) -> Passage | None:
    """The passage that a link leads to; None for one that leaves the folder or stays in its own page."""
    path, _, anchor = address.partition("#")
    if _ELSEWHERE.match(address) or not path:
        return None
    folder = posixpath.dirname(document)
    for name in (path, f"{path.rstrip('/')}.md", f"{path.rstrip('/')}/index.md"):
        goal = posixpath.normpath(posixpath.join(folder, name))
        if goal in passages.of and goal != document:
            if anchor and anchor.lower() not in slugs[goal]:
                return None
            return passages.at(goal, slugs[goal][anchor.lower()] if anchor else 0)
    return None


def _anchors(passages: Passages, document: str) -> dict[str, int]:
    """Anchor to character, as GitHub and most site generators form them."""
    found: dict[str, int] = {}
    for heading in passages.outlines[document].headings:
        slug = re.sub(r"[^\w\- ]", "", heading.title.lower()).strip().replace(" ", "-")
        found.setdefault(slug, heading.at)
    return found
