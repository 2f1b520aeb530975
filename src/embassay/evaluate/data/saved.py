"""Saved queries: one a line as text, or JSON lines that also say what was relevant or clicked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import JudgedSet
from embassay.evaluate.data.layout import MOST_GRADE, id_of
from embassay.evaluate.data.lines import json_lines, lines_of, malformed

LABELS, CLICKS = "relevant_docs", "clicked"
"""The two keys under which a line names documents: somebody judged them, or somebody opened them."""
LINE = '{"query": "...", "relevant_docs": ["id", ...] or {"id": grade}}'


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """One line of a file of queries."""

    line: int
    id: str
    """As the line says it, otherwise ``q`` and the number of the line."""
    text: str
    relevant: Mapping[str, int] = field(default_factory=dict)
    """Document id to grade."""
    judged_by: Literal["label", "log", ""] = ""
    """Whether people labelled its documents or a log says that they were clicked; empty where it names none."""


def saved_queries(file: Path, expected: str = LINE) -> Iterator[SavedQuery]:
    """The queries of a file of JSON lines, in order. Raises JudgedSetError, which says what was `expected`."""
    for number, row in json_lines(file, expected):
        key = next((key for key in (LABELS, CLICKS) if key in row), None)
        query, relevant = row.get("query"), _grades(row[key]) if key else {}
        if not isinstance(query, str) or not query.strip() or relevant is None:
            raise malformed(file, number, expected, row)
        name = row.get("id") if row.get("id") is not None else row.get("_id")
        judged_by: Literal["label", "log", ""] = "" if key is None else "log" if key == CLICKS else "label"
        yield SavedQuery(number, f"q{number}" if name is None else str(name), query, relevant, judged_by)


def read_queries(file: Path) -> list[str] | JudgedSet:
    """The queries of a file; as a judged set if it is a ``.jsonl`` file in which any query has a relevant document.

    Raises JudgedSetError for a file that cannot be read or holds no query.
    """
    if file.suffix != ".jsonl":
        queries = [line.strip() for _, line in lines_of(file)]
        if not queries:
            raise JudgedSetError(f"{file} holds no queries.", remedy="Write one on each line.")
        return list(dict.fromkeys(queries))
    rows = list(saved_queries(file))
    if not rows:
        raise JudgedSetError(f"{file} holds no queries.")
    qrels = {row.id: row.relevant for row in rows if any(grade > 0 for grade in row.relevant.values())}
    if not qrels:
        return list(dict.fromkeys(row.text for row in rows))
    unjudged = tuple(row.id for row in rows if row.id not in qrels)
    asked = {row.id: row.text for row in rows if row.id in qrels}
    sources = {row.id: row.judged_by for row in rows if row.id in qrels and row.judged_by}
    return JudgedSet(file.stem, (), asked, qrels, sources, unjudged)


def _grades(value: object) -> dict[str, int] | None:
    """Document id to grade, from a list of ids or an object; None for anything else."""
    if isinstance(value, list):
        names = [name for name in map(id_of, value) if name is not None]
        return dict.fromkeys(names, 1) if len(names) == len(value) else None
    if isinstance(value, dict) and all(type(grade) is int and abs(grade) <= MOST_GRADE for grade in value.values()):
        return value
    return None
