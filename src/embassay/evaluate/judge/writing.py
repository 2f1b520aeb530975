"""Judged sets on disk, in the layout of BEIR. Files are replaced whole: a kill leaves the old one or the new one."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embassay.errors import HomeNotWritable, JudgedSetError
from embassay.evaluate.data.files import write_whole
from embassay.evaluate.data.formats import beir
from embassay.evaluate.data.formats.beir import MOST_GRADE, ROW, read_qrels, splits
from embassay.evaluate.data.judged import format_of, json_lines
from embassay.evaluate.judge.make import NOTHING, Draft, Existing, Query, passages_at, query_id, sources

SPLIT = "test"
LOCK = ".lock"
_NAME = re.compile(r"[\w-][\w.-]*")


def existing(folder: Path) -> Existing:
    """What a folder holds already; nothing, where it holds no judged set. Raises JudgedSetError."""
    corpus, queries = folder / "corpus.jsonl", folder / "queries.jsonl"
    if not corpus.is_file():
        return NOTHING
    rows = {str(row.get("_id")): row for _, row in json_lines(corpus, ROW)}
    asked = (str(row.get("text")) for _, row in json_lines(queries, ROW)) if queries.is_file() else ()
    return Existing(rows, frozenset(map(query_id, asked)))


def write(folder: Path, draft: Draft, *, split: str = SPLIT, force: bool = False) -> int:
    """Write a judged set, or add what is new to one of the same documents; returns how many queries were added.

    Raises JudgedSetError where the folder holds a set of other documents, unless `force` replaces it. What people
    judged and what was paid for is carried over then, as far as its passages are still there.
    """
    with _writing(folder):
        if not force:
            check_same(existing(folder), draft, folder)
        kept = _by_people(folder, [row["_id"] for row in draft.corpus], split) if force else []
        write_whole(folder / "corpus.jsonl", "".join(_line(row) for row in draft.corpus))
        added = _add(folder, [*kept, *draft.queries], split, afresh=force) - len(kept)
        for other in splits(folder) if force else ():
            if other != split:  # they judge documents that are gone
                (folder / "qrels" / f"{other}.tsv").unlink()
        return added


def _by_people(folder: Path, ids: Sequence[str], split: str) -> list[Query]:
    """Queries that no maker can make again, with the passages that stand where theirs stood."""
    queries = folder / "queries.jsonl"
    rows = [row for _, row in json_lines(queries, ROW)] if queries.is_file() else []
    file = folder / "qrels" / f"{split}.tsv"
    qrels = read_qrels(file) if file.is_file() else {}
    kept = []
    for row in rows:
        source = str((row.get("metadata") or {}).get("source", "label"))
        judged = qrels.get(str(row.get("_id")), {}).items()
        relevant = {found: grade for place, grade in judged for found in passages_at(place, ids)}
        if source not in sources() and relevant:
            kept.append(Query(str(row.get("text")), relevant, source))
    return kept


def add(folder: Path, query: str, places: Sequence[str], *, grade: int = 1, split: str = SPLIT) -> list[str]:
    """Judge `places` for `query`, which is added if it is new; returns the documents that were meant.

    Raises JudgedSetError for a place that is not in the corpus.
    """
    if not query.strip() or not _NAME.fullmatch(split) or abs(grade) > MOST_GRADE:
        raise JudgedSetError(
            f"query {query[:40]!r}, split {split!r}, grade {grade}: write a query, a split without slashes, and a "
            f"grade of at most {MOST_GRADE}."
        )
    corpus = folder / "corpus.jsonl"
    if not corpus.is_file():
        raise JudgedSetError(
            f"{folder} has no corpus.jsonl.", remedy=f"Make one: embassay judge new FOLDER --out {folder} -n 0"
        )
    if not splits(folder) and format_of(folder).__name__ != beir.__name__:
        raise JudgedSetError(f"{folder} is not in the layout of BEIR.", remedy="Add to its own file of judgments.")
    with _writing(folder):
        ids = [str(row.get("_id")) for _, row in json_lines(corpus, ROW)]
        meant: list[str] = []
        for place in (place.removeprefix("./") for place in places):
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
        listed = ", ".join(inside[:5])
        return f"Its passages are {listed}{' and others' if len(inside) > 5 else ''}."
    paths = sorted({name.partition("#L")[0] for name in ids})
    close = difflib.get_close_matches(path, paths, 1, 0.4)
    return f"Did you mean {close[0]}?" if close else f"It holds, for instance, {', '.join(paths[:3])}."


def _add(folder: Path, queries: Sequence[Query], split: str, *, afresh: bool = False) -> int:
    """Queries first: one without judgments is passed over, a judgment without its query is an error."""
    for document in (document for query in queries for document in query.relevant):
        if any(c in document for c in "\t\r\n"):
            raise JudgedSetError(f"the id {document!r} cannot stand in a .tsv file.", remedy="Give it another id.")
    file, qrels_file = folder / "queries.jsonl", folder / "qrels" / f"{split}.tsv"
    rows = {str(row.get("_id")): row for _, row in json_lines(file, ROW)} if file.is_file() and not afresh else {}
    qrels = read_qrels(qrels_file) if qrels_file.is_file() and not afresh else {}
    by_text = {str(row.get("text")): name for name, row in rows.items()}
    before = len(qrels)
    for query in queries:
        name = by_text.get(query.text, query.id)
        rows.setdefault(name, {"_id": name, "text": query.text, "metadata": {"source": query.source}})
        qrels.setdefault(name, {}).update(query.relevant)
    write_whole(file, "".join(_line(row) for row in rows.values()))
    lines = [f"{q}\t{d}\t{grade}\n" for q, judged in qrels.items() for d, grade in judged.items()]
    (folder / "qrels").mkdir(exist_ok=True)
    write_whole(qrels_file, "query-id\tcorpus-id\tscore\n" + "".join(lines))
    return len(qrels) - before


def check_same(old: Existing, draft: Draft, folder: Path) -> None:
    """Raises JudgedSetError for a set of other documents, by what stood in them before queries were taken out."""
    if not old.rows:
        return
    new = {row["_id"]: row["metadata"]["digest"] for row in draft.corpus}
    before = {name: (row.get("metadata") or {}).get("digest") for name, row in old.rows.items()}
    names = before.keys() | new.keys()
    differing = sum(before.get(name) != new.get(name) for name in names)
    if differing:
        raise JudgedSetError(
            f"{folder} holds other documents: {differing:,} of {len(names):,} differ.",
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


def _line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, ensure_ascii=False) + "\n"
