"""Judged sets in BEIR layout: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/<split>.tsv``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mensura.errors import JudgedSetError
from mensura.types import Document

SPLITS = ("test", "dev", "train")
"""Tried in this order when no split is named."""


@dataclass(frozen=True, slots=True)
class JudgedSet:
    """Documents, queries with judgments, and the judgments."""

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    """Id to text; only queries that have judgments."""
    qrels: Mapping[str, Mapping[str, int]]
    """Query id to document id to grade; above 0 is relevant."""


def read_judged(folder: Path, split: str | None = None) -> JudgedSet:
    """Read a folder. Raises JudgedSetError with file and line for whatever does not hold together."""
    if not folder.is_dir():
        raise JudgedSetError(f"{folder} is not a folder.", remedy="Expected corpus.jsonl, queries.jsonl and qrels/.")
    qrels_file = _qrels_file(folder, split)
    documents = tuple(
        Document(row["_id"], row["_id"], row["text"], title=row.get("title") or "")
        for row in _records(folder / "corpus.jsonl")
    )
    qrels = _qrels(qrels_file)
    texts = {row["_id"]: row["text"] for row in _records(folder / "queries.jsonl")}
    unknown = [query for query in qrels if query not in texts]
    if unknown:
        raise JudgedSetError(
            f"{qrels_file} judges {len(unknown)} queries that queries.jsonl lacks, first {unknown[0]!r}."
        )
    known = {document.id for document in documents}
    strangers = [d for judged in qrels.values() for d, grade in judged.items() if grade > 0 and d not in known]
    if strangers:
        raise JudgedSetError(
            f"{qrels_file} names {len(strangers)} documents that corpus.jsonl lacks, first {strangers[0]!r}."
        )
    name = f"{folder.resolve().name}/{qrels_file.stem}"
    return JudgedSet(name, documents, {query: texts[query] for query in qrels}, qrels)


def _qrels_file(folder: Path, split: str | None) -> Path:
    available = sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))
    chosen = (
        split or next((s for s in SPLITS if s in available), None) or (available[0] if len(available) == 1 else None)
    )
    if chosen is None or chosen not in available:
        found = f"There are: {', '.join(available)}." if available else f"{folder / 'qrels'} holds no .tsv file."
        raise JudgedSetError(f"no judgments {split or 'test'!r} in {folder}.", remedy=found)
    return folder / "qrels" / f"{chosen}.tsv"


def _records(file: Path) -> Iterator[dict[str, Any]]:
    for number, line in _lines(file):
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict) or not isinstance(row.get("_id"), str) or not isinstance(row.get("text"), str):
            raise JudgedSetError(f'{file}:{number}: expected {{"_id": "...", "text": "..."}}, found {line[:60]!r}.')
        yield row


def _qrels(file: Path) -> dict[str, dict[str, int]]:
    qrels: dict[str, dict[str, int]] = {}
    for number, line in _lines(file):
        cells = line.split("\t")
        if number == 1 and len(cells) == 3 and not cells[2].lstrip("-").isdigit():
            continue  # the header
        if len(cells) != 3 or not cells[2].lstrip("-").isdigit():
            raise JudgedSetError(
                f"{file}:{number}: expected query, document and grade between tabs, found {line[:60]!r}."
            )
        qrels.setdefault(cells[0], {})[cells[1]] = int(cells[2])
    if not qrels:
        raise JudgedSetError(f"{file} holds no judgments.")
    return qrels


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise JudgedSetError(f"{file} cannot be read: {reason}.") from error
