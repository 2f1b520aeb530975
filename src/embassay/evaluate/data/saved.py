"""Saved queries: one a line as text, or JSON lines with what was relevant or clicked."""

from __future__ import annotations

from pathlib import Path

from embassay.errors import JudgedSetError
from embassay.evaluate.data.formats.jsonl import saved_queries
from embassay.evaluate.data.judged import JudgedSet, lines_of


def read_queries(file: Path) -> list[str] | JudgedSet:
    """The queries of a file; with their judgments where a ``.jsonl`` file has any. Raises JudgedSetError."""
    if file.suffix != ".jsonl":
        queries = [line.strip() for _, line in lines_of(file)]
        if not queries:
            raise JudgedSetError(f"{file} holds no queries.", remedy="Write one on each line.")
        return list(dict.fromkeys(queries))
    rows = saved_queries(file)
    if not rows:
        raise JudgedSetError(f"{file} holds no queries.")
    qrels = {name: relevant for name, _, relevant in rows if any(grade > 0 for grade in relevant.values())}
    if not qrels:
        return list(dict.fromkeys(query for _, query, _ in rows))
    unjudged = tuple(name for name, _, _ in rows if name not in qrels)
    asked = {name: query for name, query, _ in rows if name in qrels}
    return JudgedSet(file.stem, (), asked, qrels, unjudged=unjudged)
