"""The public face: a home with its sets, and what a user does with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.session import Session, using

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.ingest.limits import ReadLimits
    from embassay.search.index import Index, SearchResult
    from embassay.search.pipeline import Pipeline
    from embassay.sets.build.report import IndexReport
    from embassay.sets.coverage import Coverage
    from embassay.sets.description import SetDescription
    from embassay.sets.examine import Finding
    from embassay.sets.folder import HomeFolder
    from embassay.sets.manage import DeletedSet
    from embassay.sets.status import SetStatus
    from embassay.stores.filters.values import Filter
    from embassay.types import Embeddings, OnLong, Precision, Role


class Home:
    """A ``.embassay/`` folder: index files into its sets and search them.

    Threads may share it. Use it as a context manager, or call `close`.

    >>> with embassay.open() as home:                        # doctest: +SKIP
    ...     home.index(["docs"])
    ...     for hit in home.search("how do I rotate a key", k=5).hits:
    ...         print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)
    """

    def __init__(self, folder: HomeFolder, session: Session | None = None) -> None:
        """`session`: shared with other parts of a run, and left open; by default one of this home's own."""
        from embassay.sets.opened import OpenSets

        self.folder = folder.folder
        self._owns_session = session is None
        self.session = Session(cache_file=folder.cache_file) if session is None else session
        self._sets = OpenSets(folder, lambda: self.session.models, self.session.events)

    def index(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        set: str | None = None,
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
    ) -> IndexReport:
        """Bring `set` up to date with files and folders; only what changed is embedded.

        The first run fixes what the set is made with: the model (default: the configured one, else all-MiniLM-L6-v2),
        the precision (``auto``), `chunk_tokens` (default: 512, or the model's limit where that is lower) and the
        `language` that its words are told apart by (a code such as ``de``, or ``mul`` for several; default: the
        configured one, else that of the documents); later runs must agree. A file whose reading exceeds `read_limits`
        is quarantined. Files that a pattern of `exclude` names, as a .gitignore beside the home would, leave the set
        and stay out of it in later runs, too; `include` takes such patterns back. One process writes a set at a time,
        the others wait. The session's events tell the progress. Raises UsageError for a missing path, an unknown
        language or a pattern that names nothing, SpaceMismatch for another model, and ModelError, HomeError or
        StoreError; whatever was stored before an error stays.
        """
        from embassay.ingest.defaults import MAX_FILE_MB
        from embassay.ingest.limits import DEFAULT_LIMITS
        from embassay.sets.indexing import Reading, index_files
        from embassay.sets.spec import Wishes

        wishes = Wishes(model, precision, chunk_tokens, language)
        most = MAX_FILE_MB if max_file_mb is None else max_file_mb
        reading = Reading(retry_failed, checksum, most, read_limits or DEFAULT_LIMITS, exclude, include)
        name = self._sets.default(writing=True) if set is None else set
        return index_files(self._sets, name, [Path(path) for path in paths], wishes, reading)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        mode: str = "hybrid",
        where: str | Filter | None = None,
        set: str | None = None,
        pipeline: str | Pipeline | None = None,
    ) -> SearchResult:
        """The k chunks that answer `query` best.

        `mode` is ``hybrid``, ``dense`` or ``lexical``; a `pipeline`, as a value or in words such as ``dense(50) >>
        top(5)``, replaces both it and `k`. `where` filters before the top k, for instance ``path ~ "docs/*.md" and
        year >= 2024``. Raises QueryError, FilterError, UsageError, SetNotFound, SpaceMismatch, ModelError, StoreError.
        """
        from embassay.search.modes import pipeline as of_mode
        from embassay.search.parse import parse_pipeline
        from embassay.stores.filters.parser import parse

        chosen = parse_pipeline(pipeline) if isinstance(pipeline, str) else pipeline or of_mode(mode, k)
        with self.searcher(set) as index:
            return index.search(query, chosen, parse(where) if isinstance(where, str) else where)

    def embed(
        self, texts: Sequence[str], role: Role, *, set: str | None = None, on_long: OnLong = "truncate"
    ) -> Embeddings:
        """Vectors of `texts` in the space of `set`: float32 (len(texts), dimensions).

        `role` is ``query`` or ``document``. Raises SetNotFound, ModelError, and TextTooLong under
        ``on_long="error"``.
        """
        return self.embedder(set).embed(texts, role, on_long)

    def status(self) -> list[SetStatus]:
        """Counts of every set. Raises HomeNotFound, StoreError."""
        from embassay.sets.status import status_of

        return [status_of(self._sets, name) for name in self.sets()]

    def sets(self) -> list[str]:
        """Names of all sets. Raises HomeNotFound where nothing was indexed yet."""
        return self._sets.state.sets()

    @property
    def default_set(self) -> str:
        """The set that is searched where none is named: the chosen one, else ``default``, else the only one there is.

        `index` writes to the chosen one, else to ``default``. To assign a name chooses that set, None undoes the
        choice; a chosen set that is renamed stays chosen. Raises SetNotFound for a set that is not there.
        """
        return self._sets.default()

    @default_set.setter
    def default_set(self, name: str | None) -> None:
        self._sets.state.roster.choose(name)

    def delete_set(self, name: str, *, dry_run: bool = False) -> DeletedSet:
        """Remove a set with all that belongs to it, or only say what would go; the files that it was made of stay.

        Raises SetNotFound, and SetInUse while another process writes the set.
        """
        from embassay.sets.manage import contents_of, delete_set

        return contents_of(self._sets, name) if dry_run else delete_set(self._sets, name)

    def rename_set(self, name: str, new: str) -> None:
        """Give a set another name. Raises SetNotFound, SetInUse, and UsageError for a name that is taken."""
        from embassay.sets.manage import rename_set

        rename_set(self._sets, name, new)

    def describe(self, set: str | None = None) -> SetDescription:
        """What a set is made with, and what it holds. Raises SetNotFound, StoreError."""
        from embassay.sets.description import describe

        return describe(self._sets, self._named(set))

    def describe_all(self) -> list[SetDescription]:
        """The same of every set, ordered by name. Raises HomeNotFound, StoreError."""
        return [self.describe(name) for name in self.sets()]

    def doctor(self, set: str | None = None) -> list[Finding]:
        """What is wrong with one set, or with all; problems first. Raises SetNotFound.

        What a process that died left of a deleted set is cleared away.
        """
        from embassay.sets.examine import examine
        from embassay.sets.manage import sweep

        sweep(self._sets)
        return [finding for name in ([set] if set else self.sets()) for finding in examine(self._sets, name)]

    def coverage(self, set: str | None = None) -> Coverage:
        """How much was read of what the files of `set` hold, and which files give less. Raises SetNotFound."""
        from embassay.sets.coverage import coverage

        return coverage(self._sets.state.sources(self._sets.live(self._named(set))))

    def embedder(self, set: str | None = None) -> Embedder:
        """The model of a set, usable until the session is closed. Raises SetNotFound, ModelError."""
        return self._sets.embedder(self._sets.live(self._named(set)))

    def searcher(self, set: str | None = None) -> AbstractContextManager[Index]:
        """A set, ready to be searched many times: ``with home.searcher("docs") as index``. Raises SetNotFound."""
        return self._sets.index(self._named(set))

    def sources(self, set: str | None = None) -> dict[str, str]:
        """Path to digest of every file that a set was made of. Raises SetNotFound."""
        rows = self._sets.state.sources(self._sets.live(self._named(set)))
        return {row.path: row.digest for row in rows if row.state == "ok"}

    def holds(self, set: str) -> bool:
        """Whether there is a set of this name; False as well where nothing was indexed yet."""
        return self._sets.exists and set in self.sets()

    def _named(self, set: str | None) -> str:
        return self._sets.default() if set is None else set

    def close(self) -> None:
        """Give back files and indexes, and the session if it is this home's own. A closed home stays closed."""
        self._sets.close()
        if self._owns_session:
            self.session.close()

    def __enter__(self) -> Home:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_home(home: str | os.PathLike[str] | None = None, *, session: Session | None = None) -> Home:
    """Open the home at `home`, at EMBASSAY_HOME, or the nearest ``.embassay`` here or above; else one to be made here.

    Nothing is written until something is indexed. `session`: shared with other parts of a run, and left open.
    """
    from embassay.sets.folder import find_home

    return Home(find_home(Path(home) if home is not None else None, create=True), session)


def embed(
    texts: Sequence[str],
    role: Role,
    *,
    model: str | None = None,
    precision: Precision = "auto",
    on_long: OnLong = "truncate",
    session: Session | None = None,
) -> Embeddings:
    """Vectors of `texts` without any home: float32 (len(texts), dimensions).

    `model` is a name of ``embassay.yaml``, ``provider/model``, a Hugging Face id or a folder; by default the configured
    one, else all-MiniLM-L6-v2. Raises ModelError, ProviderError, and TextTooLong under ``on_long="error"``.
    """
    from embassay.models.reference import with_precision

    with using(session) as opened:
        chosen = with_precision(model or opened.models.default_name, precision)
        return opened.models.get(chosen).embed(texts, role, on_long)
