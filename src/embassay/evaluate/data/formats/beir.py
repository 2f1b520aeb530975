"""The layout of BEIR: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/<split>.tsv``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embassay.errors import JudgedSetError
from embassay.evaluate.data.judged import Files, json_lines, lines_of, malformed
from embassay.types import Document

EXPECTED = "a folder with corpus.jsonl, queries.jsonl and qrels/<split>.tsv"
ROW = '{"_id": "...", "text": "..."}'
MOST_GRADE = 1_000
"""trec_eval computes with small numbers."""
SPLITS = ("test", "dev", "train")
"""Tried in this order when no split is named."""


def claims(path: Path) -> bool:
    return (path / "qrels").is_dir() or ((path / "queries.jsonl").is_file() and (path / "corpus.jsonl").is_file())


def read(path: Path, split: str | None) -> Files:
    qrels_file = _qrels_file(path, split)
    qrels = read_qrels(qrels_file)
    files = [path / "qrels" / f"{name}.tsv" for name in splits(path)]
    others = {query for file in files if file != qrels_file for query in read_qrels(file)}
    queries: dict[str, str] = {}
    sources = {}
    for number, row in _numbered(path / "queries.jsonl"):
        if row["_id"] in queries:
            raise malformed(path / "queries.jsonl", number, "every _id once", row["_id"])
        if row["_id"] in others and row["_id"] not in qrels:
            continue  # judged, but for another split
        queries[row["_id"]] = row["text"]
        metadata = row.get("metadata")
        if isinstance(metadata, dict) and isinstance(metadata.get("source"), str):
            sources[row["_id"]] = metadata["source"]
    name = f"{path.resolve().name}/{qrels_file.stem}"
    return Files(name, read_corpus(path / "corpus.jsonl"), queries, qrels, qrels_file, sources)


def splits(path: Path) -> list[str]:
    return sorted(file.stem for file in (path / "qrels").glob("*.tsv"))


def read_corpus(file: Path) -> tuple[Document, ...]:
    """Documents in the order of the file. Raises JudgedSetError, also for an id that comes twice."""
    seen: dict[str, Document] = {}
    for number, row in _numbered(file):
        name = row["_id"]
        if name in seen:
            raise malformed(file, number, "every _id once", name)
        title = row.get("title")
        seen[name] = Document(name, name, row["text"], title=title if isinstance(title, str) else "")
    return tuple(seen.values())


def _qrels_file(folder: Path, split: str | None) -> Path:
    available = splits(folder)
    chosen = (
        split or next((s for s in SPLITS if s in available), None) or (available[0] if len(available) == 1 else None)
    )
    if chosen is None or chosen not in available:
        found = f"There are: {', '.join(available)}." if available else "qrels/ holds no .tsv file: embassay judge add"
        raise JudgedSetError(f"no judgments {split or 'test'!r} in {folder}.", remedy=found)
    return folder / "qrels" / f"{chosen}.tsv"


def _numbered(file: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, row in json_lines(file, ROW):
        if not isinstance(row.get("_id"), str) or not isinstance(row.get("text"), str):
            raise malformed(file, number, ROW, row)
        yield number, row


def read_qrels(file: Path) -> dict[str, dict[str, int]]:
    """Query to document to grade. Raises JudgedSetError."""
    qrels: dict[str, dict[str, int]] = {}
    for number, line in lines_of(file):
        cells = line.split("\t")
        grade = _grade(cells[2]) if len(cells) == 3 else None
        if number == 1 and len(cells) == 3 and grade is None:
            continue  # the header
        if grade is None:
            raise malformed(file, number, "query, document and grade between tabs", line)
        qrels.setdefault(cells[0], {})[cells[1]] = grade
    return qrels


def _grade(cell: str) -> int | None:
    """An integer, also one written as a float."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) <= MOST_GRADE else None
