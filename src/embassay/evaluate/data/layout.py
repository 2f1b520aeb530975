"""The layout of BEIR: ``corpus.jsonl``, ``queries.jsonl``, and ``qrels/<split>.tsv`` for the judgments of each split.

Judged sets are written in this layout, and other formats borrow its corpus.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from embassay import remedy
from embassay.errors import JudgedSetError
from embassay.evaluate.data.lines import json_lines, lines_of, malformed
from embassay.types import Document

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"
RECORD = '{"_id": "...", "text": "..."}'
"""A line of the corpus and of the queries, for messages."""
QRELS_HEADER = "query-id\tcorpus-id\tscore\n"
MOST_GRADE = 1_000
"""A grade, whatever its sign, is at most this: trec_eval computes with small numbers."""
DEFAULT_SPLITS = ("test", "dev", "train")
"""Tried in this order when no split is named."""


def is_layout(folder: Path) -> bool:
    """Whether `folder` is laid out like this."""
    return (folder / QRELS).is_dir() or ((folder / QUERIES).is_file() and (folder / CORPUS).is_file())


def splits_of(folder: Path) -> list[str]:
    """The names of the splits that have judgments, sorted."""
    return sorted(file.stem for file in (folder / QRELS).glob("*.tsv"))


def qrels_file(folder: Path, split: str) -> Path:
    """Where the judgments of `split` are, or would be."""
    return folder / QRELS / f"{split}.tsv"


def chosen_qrels_file(folder: Path, split: str | None) -> Path:
    """The judgments of `split`, by default of test, dev, train or the only one. Raises JudgedSetError for none."""
    available = splits_of(folder)
    only = available[0] if len(available) == 1 else None
    chosen = split or next((name for name in DEFAULT_SPLITS if name in available), only)
    if chosen is None or chosen not in available:
        listed = remedy.say(f"There are: {', '.join(available)}.")
        found = listed if available else remedy.command("judge add", say="qrels/ holds no .tsv file")
        raise JudgedSetError(f"no judgments {split or 'test'!r} in {folder}.", remedy=found)
    return qrels_file(folder, chosen)


def read_corpus(file: Path) -> tuple[Document, ...]:
    """The documents in the order of the file. Raises JudgedSetError, also for an id that stands on two lines."""
    found: dict[str, Document] = {}
    for number, name, text, row in read_records(file):
        if name in found:
            raise malformed(file, number, "every _id once", name)
        title, metadata = row.get("title"), row.get("metadata")
        found[name] = Document(
            name,
            name,
            text,
            title=title if isinstance(title, str) else "",
            metadata=metadata if isinstance(metadata, dict) else {},
        )
    return tuple(found.values())


def read_records(file: Path) -> Iterator[tuple[int, str, str, dict[str, object]]]:
    """(line number, id, text, the whole object) of each line. Raises JudgedSetError for one without id or text.

    An id that is an integer is its digits, as judgments have it.
    """
    for number, row in json_lines(file, RECORD):
        name, text = id_of(row.get("_id")), row.get("text")
        if name is None or not isinstance(text, str):
            raise malformed(file, number, RECORD, row)
        yield number, name, text, row


def id_of(value: object) -> str | None:
    """An id as a string; None for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def read_qrels(file: Path) -> dict[str, dict[str, int]]:
    """Query id to document id to grade.

    Raises JudgedSetError for a line that is no judgment, and for one that contradicts another.
    """
    judgments = Judgments(file)
    for number, line in lines_of(file):
        cells = line.split("\t")
        grade = _grade(cells[2]) if len(cells) == 3 else None
        if number == 1 and len(cells) == 3 and grade is None:
            continue  # the header
        if grade is None:
            raise malformed(file, number, "query, document and grade between tabs", line)
        judgments.add(number, cells[0], cells[1], grade)
    return judgments.qrels


class Judgments:
    """Collects the judgments of a file, each pair of query and document with one grade."""

    def __init__(self, file: Path) -> None:
        self.qrels: dict[str, dict[str, int]] = {}
        self._file = file

    def add(self, line: int, query: str, document: str, grade: int) -> None:
        """Take a judgment in; the same one may stand on several lines.

        Raises JudgedSetError for one that contradicts an earlier one: which of them counts would be a guess, and
        programs that read qrels guess differently.
        """
        grades = self.qrels.setdefault(query, {})
        if grades.setdefault(document, grade) != grade:
            raise JudgedSetError(
                f"{self._file}:{line}: query {query!r} and document {document!r} are judged {grade} here and "
                f"{grades[document]} above.",
                remedy="Keep one of the lines.",
            )


def _grade(cell: str) -> int | None:
    """An integer, also one written as a float such as ``1.0``; None for anything else."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() and abs(value) <= MOST_GRADE else None


def source_of(row: Mapping[str, object]) -> str | None:
    """How a query was made, as its record says it; None where it does not."""
    metadata = row.get("metadata")
    source = metadata.get("source") if isinstance(metadata, dict) else None
    return source if isinstance(source, str) else None
