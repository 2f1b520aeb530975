"""Judged sets: documents, queries and which documents answer them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embassay import plugins
from embassay.errors import JudgedSetError
from embassay.types import Document

Qrels = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; above 0 is relevant."""


@dataclass(frozen=True, slots=True)
class Files:
    """What a format's reader found, before it is held together."""

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    qrels: Qrels
    judgments: Path
    """The file of the judgments, for messages."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Query id to how the query was made, where the file says it."""


@dataclass(frozen=True, slots=True, repr=False)
class JudgedSet:
    """Documents, queries with judgments, and the judgments."""

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    """Id to text; only queries that have judgments."""
    qrels: Qrels
    sources: Mapping[str, str] = field(default_factory=dict)
    """Query id to how it was made: ``label``, ``heading``, ``llm``, ...; empty where nobody says."""
    unjudged: tuple[str, ...] = ()
    """Ids of queries without any judgment; they are not asked."""
    unanswered: tuple[str, ...] = ()
    """Ids of queries whose judged documents are all irrelevant: no ranking could score, so they are not asked."""
    unknown: tuple[tuple[str, str], ...] = ()
    """(query, document) of judgments whose document is not here; only in a set read with ``strict=False``."""

    def __repr__(self) -> str:
        return f"<JudgedSet {self.name}: {len(self.queries)} queries, {len(self.documents)} documents>"

    @property
    def by_id(self) -> dict[str, Document]:
        return {document.id: document for document in self.documents}

    def relevant(self, query: str) -> set[str]:
        """Ids of the documents that answer it."""
        return {document for document, grade in self.qrels[query].items() if grade > 0}

    @property
    def digest(self) -> str:
        """Of queries, judgments and documents: equal for equal sets, wherever they lie."""
        made = hashlib.blake2b(digest_size=8)
        for document in sorted(self.documents, key=lambda d: d.id):
            made.update(json.dumps([document.id, document.title, document.text]).encode())
        for query in sorted(self.queries):
            made.update(json.dumps([query, self.queries[query], sorted(self.qrels[query].items())]).encode())
        return made.hexdigest()


def read_judged(path: Path, split: str | None = None, *, strict: bool = True) -> JudgedSet:
    """Read a folder or file in any known format.

    Raises JudgedSetError with file and line for what cannot be read, and for judgments that name queries or documents
    which are not there; with ``strict=False`` such judgments are left out and listed.
    """
    files = format_of(path).read(path, split)
    lost = [query for query in files.qrels if query not in files.queries]
    if lost and strict:
        raise JudgedSetError(
            f"{files.judgments} judges {len(lost)} queries whose text is missing, first {lost[0]!r}.",
            remedy="embassay judge check lists them.",
        )
    known = {document.id for document in files.documents}
    unknown = tuple(
        (query, document)
        for query, judged in files.qrels.items()
        for document, grade in judged.items()
        if grade > 0 and document not in known
    )
    if unknown and strict:
        raise JudgedSetError(
            f"{files.judgments} names {len(unknown)} documents that the corpus lacks, first {unknown[0][1]!r}.",
            remedy="embassay judge check lists them.",
        )
    gone = {*unknown, *((query, document) for query in lost for document in files.qrels[query])}
    kept = {q: {d: g for d, g in judged.items() if (q, d) not in gone} for q, judged in files.qrels.items()}
    qrels = {query: judged for query, judged in kept.items() if any(grade > 0 for grade in judged.values())}
    if not qrels:
        found = "no judgments" if not files.qrels else "no judgment of a relevant document"
        raise JudgedSetError(f"{files.judgments} holds {found}.", remedy="embassay judge add makes one.")
    blank = [query for query in qrels if not files.queries[query].strip()]
    if blank:
        raise JudgedSetError(f"{files.judgments} judges {len(blank)} queries without any text, first {blank[0]!r}.")
    return JudgedSet(
        files.name,
        files.documents,
        {query: files.queries[query] for query in qrels},
        qrels,
        files.sources,
        tuple(query for query in files.queries if not kept.get(query)),
        tuple(query for query, judged in kept.items() if judged and query not in qrels and query not in lost),
        unknown + tuple((query, document) for query in lost for document in files.qrels[query]),
    )


def format_of(path: Path) -> Any:
    """The module of `formats/` that reads a folder or file. Raises JudgedSetError."""
    formats = plugins.load_all("embassay.evaluate.data.formats")
    for module in formats.values():
        if module.claims(path):
            return module
    if not path.exists():
        raise JudgedSetError(f"{path} does not exist.", remedy="Make one: embassay judge new FOLDER --out DIR")
    known = "; ".join(f"{name}: {module.EXPECTED}" for name, module in formats.items())
    raise JudgedSetError(f"{path} holds no judged data.", remedy=f"Expected one of these. {known}.")


def lines_of(file: Path) -> Iterator[tuple[int, str]]:
    """(number, line) of every line that is not blank. Raises JudgedSetError."""
    try:
        with file.open(encoding="utf-8-sig") as stream:
            for number, line in enumerate(stream, 1):
                if line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise JudgedSetError(f"{file} cannot be read: {reason}.") from error


def json_lines(file: Path, expected: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """(number, object) of every line. Raises JudgedSetError that says what was `expected`."""
    for number, line in lines_of(file):
        try:
            row = json.loads(line)
            if "\\u" in line:  # half of a pair of surrogates is JSON, and no text
                json.dumps(row, ensure_ascii=False).encode()
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise malformed(file, number, expected, line)
        yield number, row


def malformed(file: Path, number: int, expected: str, found: object) -> JudgedSetError:
    shown = found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)
    return JudgedSetError(f"{file}:{number}: expected {expected}, found {shown[:60]!r}.")
