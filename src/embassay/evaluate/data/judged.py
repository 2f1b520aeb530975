"""Judged sets: documents, queries and which documents answer them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from embassay import jsontext, plugins, remedy
from embassay.errors import JudgedSetError
from embassay.evaluate.data.base import JudgedFiles, JudgedFormat, Qrels
from embassay.text import composed
from embassay.types import Document

FORMATS = "embassay.evaluate.data.formats"
_LISTED = remedy.command("judge check", say="{} lists them.")


@dataclass(frozen=True, slots=True, repr=False)
class JudgedSet:
    """Documents, the queries that are asked about them, and the judgments: which documents answer which query."""

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
    def language(self) -> str:
        """Code of the language of the documents, as an index run would find it out (`embassay.words.detection`)."""
        from embassay.words.detection import detect_in

        return detect_in([f"{document.title}\n{document.text}" for document in self.documents])

    @property
    def by_id(self) -> dict[str, Document]:
        """Document id to document."""
        return {document.id: document for document in self.documents}

    def relevant(self, query: str) -> set[str]:
        """Ids of the documents that answer the query of this id."""
        return {document for document, grade in self.qrels[query].items() if grade > 0}

    @property
    def digest(self) -> str:
        """A short hash of queries, judgments and documents: equal for equal sets, wherever they are stored."""
        made = hashlib.blake2b(digest_size=8)
        for document in sorted(self.documents, key=lambda d: d.id):
            made.update(jsontext.dumps([document.id, document.title, document.text], ascii_only=True).encode())
        for query in sorted(self.queries):
            asked = [query, self.queries[query], sorted(self.qrels[query].items())]
            made.update(jsontext.dumps(asked, ascii_only=True).encode())
        return made.hexdigest()


def read_judged(path: Path, split: str | None = None, *, strict: bool = True) -> JudgedSet:
    """Read a folder or file in any known format.

    Raises JudgedSetError with file and line for what cannot be read, and for judgments that name queries or documents
    which are not there; with ``strict=False`` such judgments are left out and listed in `JudgedSet.unknown`.
    """
    files = _in_one_form(format_of(path).read(path, split))
    lost = [query for query in files.qrels if query not in files.queries]
    unknown = _unknown_documents(files)
    if strict:
        _check_known(files, lost, unknown)
    gone = {*unknown, *((query, document) for query in lost for document in files.qrels[query])}
    kept = {q: {d: g for d, g in judged.items() if (q, d) not in gone} for q, judged in files.qrels.items()}
    qrels = {query: judged for query, judged in kept.items() if any(grade > 0 for grade in judged.values())}
    _check_asked(files, qrels)
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


def format_of(path: Path) -> JudgedFormat:
    """The module of `formats/` that reads the folder or file at `path`. Raises JudgedSetError if none does."""
    formats: dict[str, JudgedFormat] = plugins.load_all(FORMATS)
    for module in formats.values():
        if module.claims(path):
            return module
    if not path.exists():
        raise JudgedSetError(
            f"{path} does not exist.", remedy=remedy.command("judge new", "FOLDER", out="DIR", say="Make one")
        )
    known = "; ".join(f"{name}: {module.EXPECTED}" for name, module in formats.items())
    raise JudgedSetError(f"{path} holds no judged data.", remedy=f"Expected one of these. {known}.")


def _in_one_form(files: JudgedFiles) -> JudgedFiles:
    """The same with each id of a judgment spelled as its query or document has it: editors and file systems write
    accents in different forms."""
    queries = {composed(query): query for query in files.queries}
    documents = {composed(document.id): document.id for document in files.documents}
    ids = {document.id for document in files.documents}

    def judged(query: str) -> dict[str, int]:
        grades = files.qrels[query].items()
        return {d if d in ids else documents.get(composed(d), d): grade for d, grade in grades}

    qrels = {q if q in files.queries else queries.get(composed(q), q): judged(q) for q in files.qrels}
    return replace(files, qrels=qrels)


def _unknown_documents(files: JudgedFiles) -> tuple[tuple[str, str], ...]:
    """(query, document) of every judgment that calls a document relevant which is not in the corpus."""
    known = {document.id for document in files.documents}
    return tuple(
        (query, document)
        for query, judged in files.qrels.items()
        for document, grade in judged.items()
        if grade > 0 and document not in known
    )


def _check_known(files: JudgedFiles, lost: Sequence[str], unknown: Sequence[tuple[str, str]]) -> None:
    """Raises JudgedSetError for judgments of queries without a text, or of documents that are not in the corpus."""
    if lost:
        raise JudgedSetError(
            f"{files.judgments} judges {len(lost)} queries whose text is missing, first {lost[0]!r}.", remedy=_LISTED
        )
    if unknown:
        raise JudgedSetError(
            f"{files.judgments} names {len(unknown)} documents that the corpus lacks, first {unknown[0][1]!r}.",
            remedy=_LISTED,
        )


def _check_asked(files: JudgedFiles, qrels: Qrels) -> None:
    """Raises JudgedSetError where nothing is left to ask, or a query to be asked says nothing."""
    if not qrels:
        found = "no judgments" if not files.qrels else "no judgment of a relevant document"
        raise JudgedSetError(
            f"{files.judgments} holds {found}.", remedy=remedy.command("judge add", say="{} makes one.")
        )
    blank = [query for query in qrels if not files.queries[query].strip()]
    if blank:
        raise JudgedSetError(f"{files.judgments} judges {len(blank)} queries without any text, first {blank[0]!r}.")
