"""Judged sets on disk, in the layout of BEIR. Files are replaced whole: a kill leaves the old one or the new one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from embassay import jsontext, remedy
from embassay.errors import HomeNotWritable, JudgedSetError
from embassay.evaluate.data import layout
from embassay.evaluate.data.judged import format_of
from embassay.evaluate.data.layout import MOST_GRADE
from embassay.evaluate.data.lines import json_lines
from embassay.evaluate.judge.draft import NOTHING, Existing, JudgedDraft, Query, digest_of, query_id
from embassay.evaluate.judge.labelled import passages_at
from embassay.evaluate.judge.make import sources
from embassay.files import write_whole
from embassay.text import did_you_mean

SPLIT = layout.DEFAULT_SPLITS[0]
LOCK = ".lock"
LOOSELY_ALIKE = 0.4
"""Least similarity of a path to the one that is offered for it: people leave out folders and endings."""
_NAME = re.compile(r"[\w-][\w.-]*")
Row = Mapping[str, object]


def read_existing(folder: Path) -> Existing:
    """What a folder holds already, which is nothing where it holds no judged set. Raises JudgedSetError."""
    if not (folder / layout.CORPUS).is_file():
        return NOTHING
    rows = _rows(folder / layout.CORPUS)
    asked = (str(row.get("text")) for row in _rows(folder / layout.QUERIES).values())
    return Existing(rows, frozenset(map(query_id, asked)))


def write_judged_set(folder: Path, draft: JudgedDraft, *, split: str = SPLIT, force: bool = False) -> int:
    """Write a judged set, or add what is new to one of the same documents; returns how many queries were added.

    Raises JudgedSetError where the folder holds a set of other documents, unless `force` replaces it. What people
    judged and what was paid for is then carried over, as far as its passages are still there.
    """
    with _locked(folder):
        if not force:
            check_same_documents(read_existing(folder), draft, folder)
        kept = _not_made_again(folder, [row["_id"] for row in draft.corpus], split) if force else []
        write_whole(folder / layout.CORPUS, "".join(map(_line, draft.corpus)))
        added = _add(folder, [*kept, *draft.queries], split, afresh=force) - len(kept)
        for other in layout.splits_of(folder) if force else ():
            if other != split:  # they judge documents that are gone
                layout.qrels_file(folder, other).unlink()
        return added


def add_judgment(folder: Path, query: str, places: Sequence[str], *, grade: int = 1, split: str = SPLIT) -> list[str]:
    """Judge `places` for `query`, which is added if it is new; returns the ids of the documents that were meant.

    Raises JudgedSetError for a place that is not in the corpus.
    """
    if not query.strip() or abs(grade) > MOST_GRADE:
        raise JudgedSetError(
            f"query {query[:40]!r}, grade {grade}: write a query, and a grade of at most {MOST_GRADE}."
        )
    check_judgeable(folder, split)
    corpus = folder / layout.CORPUS
    with _locked(folder):
        ids = list(_rows(corpus))
        meant: list[str] = []
        for place in (place.removeprefix("./") for place in places):
            found = passages_at(place, ids)
            if not found:
                raise JudgedSetError(f"{place!r} is not in {corpus}.", remedy=_near(place, ids))
            meant += found
        _add(folder, [Query(" ".join(query.split()), dict.fromkeys(meant, grade), "label")], split)
        return meant


def write_labels(folder: Path, query: Query, split: str = SPLIT) -> None:
    """Write what somebody said of the passages of one query, which is added if it is new, and take back what is
    `retracted`. Raises JudgedSetError, HomeNotWritable."""
    with _locked(folder):
        _add(folder, [query], split)


def judgments_of(folder: Path, split: str = SPLIT) -> dict[str, dict[str, int]]:
    """Text of each query to what is judged of it; empty where nothing is. Raises JudgedSetError."""
    file = layout.qrels_file(folder, split)
    qrels = layout.read_qrels(file) if file.is_file() else {}
    rows = _rows(folder / layout.QUERIES)
    return {str(row.get("text")): qrels[name] for name, row in rows.items() if name in qrels}


def check_judgeable(folder: Path, split: str) -> None:
    """Raises JudgedSetError unless judgments can be added to the set in `folder`."""
    if not _NAME.fullmatch(split):
        raise JudgedSetError(f"split {split!r}: write a split without slashes.")
    corpus = folder / layout.CORPUS
    if not corpus.is_file():
        raise JudgedSetError(
            f"{folder} has no corpus.jsonl.",
            remedy=remedy.command("judge new", "FOLDER", out=str(folder), n=0, say="Make one"),
        )
    if not layout.splits_of(folder) and not layout.is_layout(folder):
        format_of(folder)  # raises for a folder without any judged data
        raise JudgedSetError(f"{folder} is not in the layout of BEIR.", remedy="Add to its own file of judgments.")


def check_same_documents(old: Existing, draft: JudgedDraft, folder: Path) -> None:
    """Raise JudgedSetError if `old` was made of other documents than `draft`, before queries were taken out of them."""
    if not old.rows:
        return
    new = {row["_id"]: row["metadata"]["digest"] for row in draft.corpus}
    before = {name: digest_of(row) for name, row in old.rows.items()}
    names = before.keys() | new.keys()
    differing = sum(before.get(name) != new.get(name) for name in names)
    if differing:
        raise JudgedSetError(
            f"{folder} holds other documents: {differing:,} of {len(names):,} differ.",
            remedy=remedy.option("out", "DIR", say="Choose another, {},")
            + remedy.option("force", say="or replace it with {}."),
        )


def _not_made_again(folder: Path, ids: Sequence[str], split: str) -> list[Query]:
    """Queries that no maker can make again, with the passages that stand where theirs stood."""
    file = layout.qrels_file(folder, split)
    qrels = layout.read_qrels(file) if file.is_file() else {}
    kept = []
    for name, row in _rows(folder / layout.QUERIES).items():
        source = layout.source_of(row) or "label"
        judged = qrels.get(name, {}).items()
        relevant = {found: grade for place, grade in judged for found in passages_at(place, ids)}
        if source not in sources() and relevant:
            kept.append(Query(str(row.get("text")), relevant, source))
    return kept


def _near(place: str, ids: Sequence[str]) -> str:
    """What the user may have meant by a place that is not there, as a sentence."""
    path = place.partition("#L")[0]
    inside = [name for name in ids if name.startswith(f"{path}#")]
    if inside:
        listed = ", ".join(inside[:5])
        return f"Its passages are {listed}{' and others' if len(inside) > 5 else ''}."
    paths = sorted({name.partition("#L")[0] for name in ids})
    instance = f"It holds, for instance, {', '.join(paths[:3])}."
    return did_you_mean(path, paths, cutoff=LOOSELY_ALIKE, otherwise=instance)


def _add(folder: Path, queries: Sequence[Query], split: str, *, afresh: bool = False) -> int:
    """Write queries and then their judgments; returns how many queries are judged that were not.

    A kill between the two leaves queries without judgments, which readers pass over; the other way round it would
    leave judgments without their query, which is an error.
    """
    _check_ids(queries)
    file, qrels_file = folder / layout.QUERIES, layout.qrels_file(folder, split)
    rows: dict[str, Row] = {} if afresh else _rows(file)
    qrels = layout.read_qrels(qrels_file) if qrels_file.is_file() and not afresh else {}
    by_text = {str(row.get("text")): name for name, row in rows.items()}
    before = len(qrels)
    for query in queries:
        name = by_text.get(query.text, query.id)
        about = {"source": query.source} | ({"kind": query.kind} if query.kind else {})
        rows.setdefault(name, {"_id": name, "text": query.text, "metadata": about})
        qrels[name] = {d: g for d, g in qrels.get(name, {}).items() if d not in query.retracted} | dict(query.relevant)
    write_whole(file, "".join(map(_line, rows.values())))
    lines = [f"{q}\t{d}\t{grade}\n" for q, judged in qrels.items() for d, grade in judged.items()]
    qrels_file.parent.mkdir(exist_ok=True)
    write_whole(qrels_file, layout.QRELS_HEADER + "".join(lines))
    return len(qrels) - before


def _check_ids(queries: Sequence[Query]) -> None:
    """Raises JudgedSetError for an id that would break a line of judgments."""
    for document in (document for query in queries for document in query.relevant):
        if any(c in document for c in "\t\r\n"):
            raise JudgedSetError(f"the id {document!r} cannot stand in a .tsv file.", remedy="Give it another id.")


def _rows(file: Path) -> dict[str, Row]:
    """Id to record, of a corpus or of queries; empty where there is no file."""
    return {str(row.get("_id")): row for _, row in json_lines(file, layout.RECORD)} if file.is_file() else {}


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """The folder, held by one process at a time. Raises HomeNotWritable."""
    from filelock import FileLock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK)
        with lock:
            yield
    except OSError as error:
        raise HomeNotWritable(f"{folder} cannot be written: {error.strerror or error}.") from error


def _line(row: Mapping[str, object]) -> str:
    return jsontext.dumps(row) + "\n"
