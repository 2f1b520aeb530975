"""The query log as saved queries: JSON lines that judged sets are made from, and sets are compared on.

Equal queries are one line. Where a thumb went up on a document, the line has ``relevant_docs``: grade 1, and 0 where it
went down. Else the documents that were opened are ``clicked``, without those on which a thumb went down. Only queries
whose text was kept can be exported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from embassay import jsontext
from embassay.files import write_whole
from embassay.sets.log.entry import LoggedQuery

GRADES = {"up": 1, "down": 0}


@dataclass(frozen=True, slots=True)
class Exported:
    """What an export wrote, and what it left out."""

    queries: int
    judged: int
    """Of these, those with thumbs or clicks."""
    unjudged: int
    """Queries that were left out because nobody said anything of their hits."""
    without_text: int
    """Searches whose text was hashed, or too long to be kept."""

    def to_dict(self) -> dict[str, object]:
        """The counts as JSON has them."""
        return {name: getattr(self, name) for name in ("queries", "judged", "unjudged", "without_text")}


@dataclass(slots=True)
class _Query:
    id: str
    thumbs: dict[str, int] = field(default_factory=dict)
    clicked: dict[str, None] = field(default_factory=dict)

    def add(self, entry: LoggedQuery, of_set: str | None = None) -> None:
        """What was given last of a document counts: entries come with the newest first."""
        here = {hit.place for hit in entry.hits if of_set in (None, hit.set)}
        elsewhere = {hit.place for hit in entry.hits} - here
        for given in reversed(entry.feedback):
            if given.document in elsewhere:
                continue
            if given.kind == "clicked":
                self.clicked.setdefault(given.document)
            elif given.document:
                self.thumbs.setdefault(given.document, GRADES[given.kind])

    @property
    def judged(self) -> dict[str, object]:
        """What a line says of documents; empty where nobody said that any is right."""
        if any(self.thumbs.values()):
            return {"relevant_docs": self.thumbs}
        opened = [document for document in self.clicked if document not in self.thumbs]
        return {"clicked": opened} if opened else {}


def export(
    entries: Iterable[LoggedQuery], file: Path | TextIO, *, of_set: str | None = None, unjudged: bool = False
) -> Exported:
    """Write the queries of `entries`, which come with the newest first, to a private file, or into an open one.

    `unjudged`: also those of whose hits nobody said anything. `of_set`: of a search of several sets, only what was said
    of hits of this one counts. Raises HomeNotWritable.
    """
    queries: dict[str, _Query] = {}
    without_text = 0
    for entry in entries:
        if entry.form != "kept":
            without_text += 1
            continue
        queries.setdefault(entry.query, _Query(entry.id)).add(entry, of_set)
    rows = [{"id": query.id, "query": text, **query.judged} for text, query in queries.items()]
    judged = [row for row in rows if len(row) > 2]
    written = rows if unjudged else judged
    lines = "".join(f"{jsontext.dumps(row)}\n" for row in written)
    if isinstance(file, Path):
        write_whole(file, lines, private=True)
    else:
        file.write(lines)
    return Exported(len(written), len(judged), len(rows) - len(written), without_text)
