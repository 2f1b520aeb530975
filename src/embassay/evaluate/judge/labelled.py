"""People's own judgments: which passages they mean by the places that they name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embassay.evaluate.data.lines import malformed
from embassay.evaluate.data.places import Place, covering
from embassay.evaluate.data.saved import saved_queries
from embassay.evaluate.judge.draft import Query, query_id

EXPECTED = '{"query": "...", "relevant_docs": ["docs/a.md#L10-40", ...]} or "clicked"'


def passages_at(place: str, ids: Sequence[str]) -> list[str]:
    """The passages among `ids` that a user means by ``docs/a.md#L10-40``, by a whole file, or by a passage's id."""
    if place in ids:
        return [place]
    wanted = Place.parse(place.removeprefix("./"))
    return [found.name for found in covering(wanted, [Place.parse(name) for name in ids if wanted.path in name])]


def read_labels(file: Path, ids: Sequence[str]) -> tuple[list[Query], list[str]]:
    """The user's own judgments or saved queries, from JSON lines: the queries, and places that are not among `ids`.

    A query that comes again is merged with the first one. Raises JudgedSetError with file and line.
    """
    merged: dict[str, tuple[str, dict[str, int], str]] = {}
    unknown: list[str] = []
    for saved in saved_queries(file, EXPECTED):
        if not saved.judged_by:
            raise malformed(file, saved.line, EXPECTED, {"query": saved.text})
        relevant = merged.setdefault(query_id(saved.text), (saved.text.strip(), {}, saved.judged_by))[1]
        for place, grade in saved.relevant.items():
            found = passages_at(place, ids)
            unknown += [] if found else [place]
            relevant.update(dict.fromkeys(found, grade))
    return [Query(text, relevant, source) for text, relevant, source in merged.values() if relevant], unknown
