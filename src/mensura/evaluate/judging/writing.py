"""Judged sets on disk, in the layout of BEIR. Files are replaced whole: a kill leaves the old one or the new one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mensura.errors import HomeNotWritable, JudgedSetError
from mensura.evaluate.formats.beir import read_qrels, splits
from mensura.evaluate.judged import json_lines
from mensura.evaluate.judging.make import Draft, Query, passages_at

SPLIT = "test"
LOCK = ".lock"


def write(folder: Path, draft: Draft, *, split: str = SPLIT, force: bool = False) -> int:
    """Write a judged set, or add what is new to one of the same documents; returns how many queries were added.

    Raises JudgedSetError where the folder holds a set of other documents, unless `force` replaces it.
    """
    with _writing(folder):
        corpus = folder / "corpus.jsonl"
        if corpus.exists() and splits(folder) and not force:
            _check_same(corpus, draft.corpus, folder)
        else:
            for old in ("queries.jsonl", *(f"qrels/{name}.tsv" for name in splits(folder))):
                (folder / old).unlink(missing_ok=True)
            _replace(corpus, "".join(_line(row) for row in draft.corpus))
        return _add(folder, draft.queries, split)


def add(folder: Path, query: str, places: Sequence[str], *, grade: int = 1, split: str = SPLIT) -> list[str]:
    """Judge `places` for `query`, which is added if it is new; returns the documents that were meant.

    Raises JudgedSetError for a place that is not in the corpus.
    """
    if not query.strip():
        raise JudgedSetError("the query is empty.")
    with _writing(folder):
        corpus = folder / "corpus.jsonl"
        if not corpus.is_file():
            raise JudgedSetError(
                f"{folder} has no corpus.jsonl.", remedy=f"Make one: mensura judge new FOLDER --out {folder} -n 0"
            )
        ids = [str(row.get("_id")) for _, row in json_lines(corpus, "documents")]
        meant: list[str] = []
        for place in places:
            found = passages_at(place, ids)
            if not found:
                raise JudgedSetError(f"{place!r} is not in {corpus}.", remedy=_near(place, ids))
            meant += found
        _add(folder, [Query(" ".join(query.split()), dict.fromkeys(meant, grade), "label")], split)
        return meant


def _near(place: str, ids: Sequence[str]) -> str:
    import difflib

    path = place.partition("#L")[0]
    inside = [name for name in ids if name.startswith(f"{path}#")]
    if inside:
        return f"Its passages are {', '.join(inside[:5])}{', ...' if len(inside) > 5 else ''}."
    paths = sorted({name.partition("#L")[0] for name in ids})
    close = difflib.get_close_matches(path, paths, 1, 0.4)
    return f"Did you mean {close[0]}?" if close else f"It holds, for instance, {', '.join(paths[:3])}."


def _add(folder: Path, queries: Sequence[Query], split: str) -> int:
    """Queries first: one without judgments is passed over, a judgment without its query is an error."""
    file, qrels_file = folder / "queries.jsonl", folder / "qrels" / f"{split}.tsv"
    rows = {str(row.get("_id")): row for _, row in json_lines(file, "queries")} if file.is_file() else {}
    qrels = read_qrels(qrels_file) if qrels_file.is_file() else {}
    by_text = {str(row.get("text")): name for name, row in rows.items()}
    before = len(qrels)
    for query in queries:
        name = by_text.get(query.text, query.id)
        rows.setdefault(name, {"_id": name, "text": query.text, "metadata": {"source": query.source}})
        qrels.setdefault(name, {}).update(query.relevant)
    _replace(file, "".join(_line(row) for row in rows.values()))
    lines = [f"{q}\t{d}\t{grade}\n" for q, judged in qrels.items() for d, grade in judged.items()]
    (folder / "qrels").mkdir(exist_ok=True)
    _replace(qrels_file, "query-id\tcorpus-id\tscore\n" + "".join(lines))
    return len(qrels) - before


def _check_same(corpus: Path, rows: Sequence[Mapping[str, str]], folder: Path) -> None:
    old = {str(row.get("_id")): row for _, row in json_lines(corpus, "documents")}
    new = {row["_id"]: row for row in rows}
    names = old.keys() | new.keys()
    differing = sum(old.get(name) != new.get(name) for name in names)
    if differing:
        raise JudgedSetError(
            f"{folder} holds a judged set of other documents: {differing:,} of {len(names):,} differ.",
            remedy="Choose another --out, or replace it with --force.",
        )


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """One process at a time. Raises HomeNotWritable."""
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        with lock:
            yield
    except OSError as error:
        raise HomeNotWritable(f"{folder} cannot be written: {error.strerror or error}.") from error


def _replace(file: Path, text: str) -> None:
    """All of it or nothing."""
    new = file.with_name(f".{file.name}.new")
    try:
        with new.open("w", encoding="utf-8", errors="replace") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
