"""BEIR: ``corpus.jsonl``, ``queries.jsonl``, ``qrels/<split>.tsv``."""

from __future__ import annotations

from pathlib import Path

from embassay.evaluate.data import layout
from embassay.evaluate.data.base import JudgedFiles
from embassay.evaluate.data.lines import malformed

EXPECTED = "a folder with corpus.jsonl, queries.jsonl and qrels/<split>.tsv"


def claims(path: Path) -> bool:
    """Whether the folder at `path` is laid out like a set of BEIR."""
    return layout.is_layout(path)


def read(path: Path, split: str | None) -> JudgedFiles:
    """The judgments of `split`, with the queries that are judged in it or in no split at all."""
    file = layout.chosen_qrels_file(path, split)
    qrels = layout.read_qrels(file)
    other_files = [layout.qrels_file(path, name) for name in layout.splits_of(path)]
    others = {query for other in other_files if other != file for query in layout.read_qrels(other)}
    queries: dict[str, str] = {}
    sources: dict[str, str] = {}
    for number, name, text, row in layout.read_records(path / layout.QUERIES):
        if name in queries:
            raise malformed(path / layout.QUERIES, number, "every _id once", name)
        if name in others and name not in qrels:
            continue  # judged, but for another split
        queries[name] = text
        if (source := layout.source_of(row)) is not None:
            sources[name] = source
    documents = layout.read_corpus(path / layout.CORPUS)
    return JudgedFiles(f"{path.resolve().name}/{file.stem}", documents, queries, qrels, file, sources)
