"""One JSON object a query, ``{"query": "...", "relevant_docs": [...]}``, beside a ``corpus.jsonl``."""

from __future__ import annotations

from pathlib import Path

from embassay.errors import JudgedSetError
from embassay.evaluate.data.base import JudgedFiles
from embassay.evaluate.data.layout import CORPUS, read_corpus
from embassay.evaluate.data.saved import saved_queries

NAME = "judged.jsonl"
EXPECTED = f"{NAME} of {{query, relevant_docs}}, or another .jsonl file of them, beside corpus.jsonl"


def claims(path: Path) -> bool:
    """Whether `path` is a ``.jsonl`` file, or a folder with one of the name that this format looks for."""
    return (path / NAME).is_file() or (path.is_file() and path.suffix == ".jsonl")


def read(path: Path, split: str | None) -> JudgedFiles:
    """The queries and judgments of the file; it has no splits."""
    file = path if path.is_file() else path / NAME
    if split is not None:
        raise JudgedSetError(f"{file} has no splits, so no {split!r}.")
    queries: dict[str, str] = {}
    qrels: dict[str, dict[str, int]] = {}
    sources: dict[str, str] = {}
    for saved in saved_queries(file):
        if saved.id in queries:
            raise JudgedSetError(f"{file}: the id {saved.id!r} stands on two lines.", remedy="Write every id once.")
        queries[saved.id] = saved.text
        if saved.relevant:
            qrels[saved.id] = dict(saved.relevant)
            sources[saved.id] = saved.judged_by
    documents = read_corpus(file.parent / CORPUS)
    return JudgedFiles(f"{file.parent.resolve().name}/{file.stem}", documents, queries, qrels, file, sources)
