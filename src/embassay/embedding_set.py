"""An embedding set: a named, searchable collection of documents, and what one does with it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from embassay.arguments import check, checks_arguments
from embassay.asynchronous import AsyncVerbs
from embassay.sets.moving import Moving

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.errors import ReadError
    from embassay.ingest.base import RawRecord
    from embassay.ingest.limits import ReadLimits
    from embassay.ingest.rows import RecordFields
    from embassay.search.index import Index
    from embassay.search.pipeline import Pipeline
    from embassay.search.result import SearchResult
    from embassay.search.stages.cascade import Cascade
    from embassay.search.stages.rerank import Rerank
    from embassay.sets.build.report import IndexReport
    from embassay.sets.coverage import Coverage
    from embassay.sets.examine import Finding
    from embassay.sets.exchange.exporting import ExportReport
    from embassay.sets.history import Happening
    from embassay.sets.opened import OpenSets
    from embassay.sets.options import MakingOptions, WatchOptions
    from embassay.sets.records.deleting import Deletion
    from embassay.sets.records.importing import ImportReport
    from embassay.sets.records.listing import DocumentInfo
    from embassay.sets.records.report import RecordsReport
    from embassay.sets.status import SetStatus
    from embassay.sets.watching.watcher import Watcher
    from embassay.space import Space
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Embeddings, OnLong, Precision, Record, Role

    Records = Iterable[Record | Mapping[str, Any]]


@checks_arguments
class EmbeddingSet(Moving, AsyncVerbs):
    """One set of a home, from `Home.set`; it need not be there before something is indexed or added.

    Threads may share it, and any number of processes may use the same set: one of them writes at a time, the others
    wait, and searches never do. It is usable until its home is closed.

    >>> with embassay.open() as home:                        # doctest: +SKIP
    ...     faq = home.set("faq")
    ...     faq.upsert([{"id": "17", "text": "Rotate a key with `keyctl rotate`.", "metadata": {"lang": "en"}}])
    ...     print(faq.search("how do I rotate a key", k=3, where='lang = "en"').hits)
    ...     faq.delete(ids=["17"])
    """

    def __init__(self, name: str, sets: OpenSets) -> None:
        self.name = name
        self._sets = sets

    @property
    def exists(self) -> bool:
        """Whether anything was ever indexed into it, or added."""
        return self._sets.exists and self.name in self._sets.state.roster.names()

    def index(
        self,
        paths: Iterable[str | os.PathLike[str]] | None = None,
        *,
        model: str | None = None,
        precision: Precision | None = None,
        chunk_tokens: int | None = None,
        language: str | None = None,
        retry_failed: bool = False,
        checksum: bool = False,
        max_file_mb: float | None = None,
        read_limits: ReadLimits | None = None,
        exclude: Sequence[str] = (),
        include: Sequence[str] = (),
        tokens: bool | None = None,
    ) -> IndexReport:
        """Bring the set up to date with files and folders; only what changed is embedded. Its records stay as they are.

        The set remembers them: without `paths`, all that it was indexed from is looked at. A folder that is not there
        any more is passed over then, with a notice; what was indexed of it goes where it is named.

        The first run fixes what the set is made with: the model (default: the configured one, else all-MiniLM-L6-v2),
        the precision (``auto``), `chunk_tokens` (default: 512, or the model's limit where that is lower) and the
        `language` that its words are told apart by (a code such as ``de``, or ``mul`` for several; default: the
        configured one, else that of the documents); later runs must agree. A file whose reading exceeds `read_limits`
        is quarantined. Files that a pattern of `exclude` names, as a .gitignore beside the home would, leave the set
        and stay out of it in later runs, too; `include` takes such patterns back. With `tokens` the set
        keeps the vectors of its tokens, too, for ``maxsim``, until False takes them away. One process writes a set at a
        time, the others wait. The session's events tell the progress. Raises UsageError for a missing path, for none
        where the set remembers none, an unknown language or a pattern that names nothing, SpaceMismatch for another
        model, and ModelError, HomeError or StoreError; whatever was stored before an error stays.
        """
        from embassay.ingest.defaults import MAX_FILE_MB
        from embassay.ingest.limits import DEFAULT_LIMITS
        from embassay.sets.indexing import Reading, index_files
        from embassay.sets.spec import Wishes

        wishes = Wishes(model, precision, chunk_tokens, language)
        files = None if paths is None else [*paths]
        check("paths", files or ())
        most = MAX_FILE_MB if max_file_mb is None else max_file_mb
        reading = Reading(retry_failed, checksum, most, read_limits or DEFAULT_LIMITS, exclude, include, tokens=tokens)
        return index_files(
            self._sets, self._own("index"), None if files is None else [*map(Path, files)], wishes, reading
        )

    def watch(self, paths: Iterable[str | os.PathLike[str]] | None = None, **options: Unpack[WatchOptions]) -> Watcher:
        """Keep the set up to date with files and folders, or with all that it was indexed from, while they change.

        What this returns is iterated over: it first indexes what had changed before, as `index` does with the same
        options, and then each change soon after a file was saved, until its `stop` is called. The system tells of
        changes; with `poll`, or where it does not, all files are looked at each so many seconds. No change is lost
        while a model does not answer. Raises UsageError for a missing path, and for none where the set remembers none,
        HomeNotFound, SetNotFound; the iteration raises as `index` does, except for what passes, such as an outage:
        that is told, and tried again.
        """
        from embassay.sets.watching.opening import watcher_of

        return watcher_of(self._sets, self._own("watch"), None if paths is None else [*paths], options)

    def add(self, records: Records, *, space: Space | None = None, **making: Unpack[MakingOptions]) -> RecordsReport:
        """Add records whose ids the set does not have yet; see `upsert`.

        Raises UsageError, which names them, where it has some; nothing is added then.
        """
        from embassay.sets.records.writing import add

        return add(self._sets, self._own("add"), records, _wishes(making), space)

    def upsert(self, records: Records, *, space: Space | None = None, **making: Unpack[MakingOptions]) -> RecordsReport:
        """Add records, and replace those whose ids the set has; what says the same as before is left alone.

        A record is a `Record`, or a mapping with ``id`` and ``text``, and ``title``, ``metadata`` and ``vector`` where
        it has them. Its text is cut as the text of a file is. An iterator is consumed as it is written, so that it may
        be of any length. The first call makes the set, as `index` does, with the same options.

        Raises UsageError for what is no record, for an id that comes twice or is that of a file, SpaceMismatch for
        vectors of another space, and ModelError, ProviderError, HomeError or StoreError; whatever was stored before
        an error stays.
        """
        from embassay.sets.records.writing import upsert

        return upsert(self._sets, self._own("add"), records, _wishes(making), space)

    def import_rows(
        self,
        sources: Iterable[tuple[str, Iterable[RawRecord | ReadError]]],
        fields: RecordFields,
        *,
        replace: bool = False,
        dry_run: bool = False,
        **making: Unpack[MakingOptions],
    ) -> ImportReport:
        """Add the rows of files as records: names of files with what `embassay.ingest.rows.rows_of` gives of each.

        `fields` says which fields of a row are its id and its text. What makes no record is told with its line, and the
        rest goes on. A row of whose id the set has another record is left out, unless it is to `replace` that. With
        `dry_run` nothing is written, and all is counted. The first call makes the set, as `index` does. Raises
        SpaceMismatch, ModelError, ProviderError, HomeError or StoreError; whatever was stored before an error stays.
        """
        from embassay.sets.records.importing import import_rows

        wishes = _wishes(making)
        return import_rows(self._sets, self._own("add"), sources, fields, wishes, replace=replace, dry_run=dry_run)

    def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: str | Filter | None = None,
        path: str | None = None,
    ) -> int:
        """Remove documents: those of these `ids`, those of which a chunk passes `where`, or those whose path matches
        the glob `path`; the number of them. Exactly one of the three is given. Unknown ids are passed over.

        Raises SetNotFound, FilterError, UsageError, HomeError, StoreError.
        """
        from embassay.sets.records.deleting import Choice, delete

        return delete(self._sets, self._own("delete"), Choice.of(ids, where, path))

    def deletion(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: str | Filter | None = None,
        path: str | None = None,
    ) -> Deletion:
        """What `delete` with these arguments would remove: documents, chunks, files, and ids that are not there.

        Raises SetNotFound, FilterError, UsageError, HomeError, StoreError.
        """
        from embassay.sets.records.deleting import Choice, foreseen

        return foreseen(self._sets, self._own("delete"), Choice.of(ids, where, path))

    def get(self, ids: Iterable[str]) -> Sequence[Record]:
        """The records of these ids, in that order, as they were given, without their vectors; unknown ones are left
        out. Raises SetNotFound, StoreError."""
        from embassay.sets.records.listing import get

        return get(self._sets, self.name, ids)

    def list(
        self, glob: str | None = None, *, where: str | Filter | None = None, behind: tuple[str, str] = ("", "")
    ) -> Iterator[DocumentInfo]:
        """Every document, files and records alike, by path: those whose path matches `glob`, of which a chunk passes
        `where`, and that come `behind` a (path, id). Raises SetNotFound, FilterError, StoreError."""
        from embassay.sets.records.listing import documents

        return documents(self._sets, self.name, glob, _parsed(where), behind)

    def chunks(self, glob: str | None = None, *, where: str | Filter | None = None) -> Iterator[Chunk]:
        """Every chunk of the set, in the order of `list`: those whose path matches `glob`, and which pass `where`.

        Raises SetNotFound, FilterError, StoreError.
        """
        from embassay.sets.records.listing import chunks

        return chunks(self._sets, self.name, glob, _parsed(where))

    def why_nothing(self, where: str | Filter | None = None, *, glob: str | None = None) -> Sequence[str]:
        """Sentences that say why no document is found: the set is empty, no path matches `glob`, no chunk passes
        `where`, or the filter names fields that none of them has. None where some are found.

        Raises SetNotFound, FilterError, StoreError.
        """
        from embassay.sets.records.listing import nothing

        return nothing(self._sets, self.name, _parsed(where), glob)

    def export(
        self, folder: str | os.PathLike[str], *, format: str = "parquet", overwrite: bool = False
    ) -> ExportReport:
        """Write all of it as it is now, with its vectors, to `folder`: whole or not at all. `format` is ``parquet``,
        ``numpy`` or ``jsonl``; `overwrite` replaces an export. Searches and writes go on meanwhile.

        Raises SetNotFound, UsageError, HomeNotWritable, StoreError.
        """
        from embassay.sets.exchange.exporting import export_set

        return export_set(self._sets, self.name, Path(folder), format, overwrite=overwrite)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        mode: str = "hybrid",
        where: str | Filter | None = None,
        pipeline: str | Pipeline | None = None,
        group_by: str | None = None,
        parent: str | int | None = None,
        min_score: Mapping[str, float] | None = None,
        context: int = 0,
        cascade: bool | Cascade = False,
        rerank: str | Rerank | None = None,
        expand: str | Sequence[str] = (),
        query_model: str | None = None,
        beside: Sequence[str] = (),
    ) -> SearchResult:
        """The k chunks that answer `query` best.

        `mode` is ``hybrid``, ``dense`` or ``lexical``; a `pipeline`, as a value or in words such as ``dense(50) >>
        top(5)``, replaces both it and `k`. `where` filters before the top k, such as ``path ~ "docs/*.md"``. With
        ``group_by="document"`` a hit is the best chunk of its document; with `parent` it is shown in its ``section`` or
        ``document``, or in so many tokens around it. `min_score`, such as ``{"dense": 0.3}``, leaves out what none of
        the arms named gave so high a raw score. A hit has the text of `context` chunks around it. While the set is
        migrated, with `cascade` the live space recalls and the new one ranks. `rerank`, the name of a reranker or the
        stage, scores the first candidates anew; `expand`, such as ``prf``, asks for more than the query says. With a
        `query_model`, another model that shares the space of the set makes the vector of the query. Sets named by
        `beside` are searched too. Raises QueryError, FilterError, UsageError, SetNotFound, SpaceMismatch, also for sets
        and query models of other spaces, ModelError, StoreError.
        """
        from embassay.search.modes import refined
        from embassay.sets.searching import as_pipeline, search

        names = [self.name, *beside]
        chosen = as_pipeline(self._sets, names, pipeline, mode, k)
        chosen = refined(
            chosen, min_score=min_score, cascade=cascade, rerank=rerank, expand=expand, group_by=group_by, parent=parent
        )
        return search(self._sets, names, query, chosen, _parsed(where), context=context, query_model=query_model)

    def searcher(self) -> AbstractContextManager[Index]:
        """The set, ready to be searched many times: ``with docs.searcher() as index``. Raises SetNotFound."""
        return self._sets.index(self.name)

    def embed(self, texts: Sequence[str], role: Role, *, on_long: OnLong = "truncate") -> Embeddings:
        """Vectors of `texts` in the space of the set: float32 (len(texts), dimensions).

        `role` is ``query`` or ``document``. Raises SetNotFound, ModelError, and TextTooLong under
        ``on_long="error"``.
        """
        return self.embedder().embed(texts, role, on_long)

    def embedder(self) -> Embedder:
        """The model of the set, usable until the session is closed. Raises SetNotFound, ModelError."""
        return self._sets.embedder(self._sets.content(self.name).generation)

    def status(self) -> SetStatus:
        """Counts of what it holds. Raises SetNotFound, StoreError."""
        from embassay.sets.status import status_of

        return status_of(self._sets, self.name)

    def history(self, limit: int | None = None) -> Sequence[Happening]:
        """What happened to it, the newest first; at most `limit` rows. Calls of one kind that follow each other closely
        are one row, and of each kind the last thousand rows are kept. Raises SetNotFound, UsageError."""
        self._sets.state.roster.check(self.name)
        return self._sets.state.history.of(self.name, limit)

    def doctor(self) -> Sequence[Finding]:
        """What is wrong with it; problems first. Raises SetNotFound."""
        from embassay.sets.examine import examine

        return examine(self._sets, self.name)

    def coverage(self) -> Coverage:
        """How much was read of what its files hold, and which files give less. Raises SetNotFound."""
        from embassay.sets.coverage import coverage

        return coverage(self._sets.sources(self.name))

    def sources(self) -> dict[str, str]:
        """Path to digest of every file that it was made of, and id to digest of every record. Raises SetNotFound."""
        return {row.path: row.digest for row in self._sets.sources(self.name) if row.state == "ok"}

    def __repr__(self) -> str:
        return f"EmbeddingSet({self.name!r})"


def _wishes(making: MakingOptions) -> Any:
    from embassay.sets.spec import Wishes

    return Wishes(**making)


def _parsed(where: str | Filter | None) -> Filter | None:
    from embassay.stores.filters.parser import read_filter

    return read_filter(where)
