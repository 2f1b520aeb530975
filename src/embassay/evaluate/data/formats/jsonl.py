"""One JSON object a query, ``{"query": "...", "relevant_docs": [...]}``, beside a ``corpus.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embassay.errors import JudgedSetError
from embassay.evaluate.data.formats.beir import MOST_GRADE, read_corpus
from embassay.evaluate.data.judged import Files, json_lines, malformed

NAME = "judged.jsonl"
EXPECTED = f"{NAME} of {{query, relevant_docs}}, or another .jsonl file of them, beside corpus.jsonl"
ROW = '{"query": "...", "relevant_docs": ["id", ...] or {"id": grade}}'
KEYS = ("relevant_docs", "clicked")
"""A saved query names what was clicked."""


def claims(path: Path) -> bool:
    return (path / NAME).is_file() or (path.is_file() and path.suffix == ".jsonl")


def read(path: Path, split: str | None) -> Files:
    file = path if path.is_file() else path / NAME
    if split is not None:
        raise JudgedSetError(f"{file} has no splits, so no {split!r}.")
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    for name, query, relevant in saved_queries(file):
        if name in queries:
            raise JudgedSetError(f"{file}: the id {name!r} stands on two lines.", remedy="Write every id once.")
        queries[name] = query
        if relevant:
            qrels[name] = dict(relevant)
    documents = read_corpus(file.parent / "corpus.jsonl")
    return Files(f"{file.parent.resolve().name}/{file.stem}", documents, queries, qrels, file)


def saved_queries(file: Path) -> list[tuple[str, str, Mapping[str, int]]]:
    """(id, query, document to grade) of each line; none judged where a line has only a query. Raises JudgedSetError."""
    found: list[tuple[str, str, Mapping[str, int]]] = []
    for number, row in json_lines(file, ROW):
        relevant = _relevant(next((row[key] for key in KEYS if key in row), {}))
        if not isinstance(row.get("query"), str) or not row["query"].strip() or relevant is None:
            raise malformed(file, number, ROW, row)
        name = row.get("id") if row.get("id") is not None else row.get("_id")
        found.append((f"q{number}" if name is None else str(name), row["query"], relevant))
    return found


def _relevant(value: Any) -> dict[str, int] | None:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return dict.fromkeys(value, 1)
    if isinstance(value, dict) and all(type(grade) is int and abs(grade) <= MOST_GRADE for grade in value.values()):
        return value
    return None
