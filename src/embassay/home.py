"""The public face: a home with its sets, and what a user does with them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Unpack

from embassay.arguments import check, checked, checks_arguments, shown
from embassay.errors import UsageError
from embassay.session import Session
from embassay.sets.upkeep import Upkeep

if TYPE_CHECKING:
    from embassay.columns.doctor.report import VectorReport
    from embassay.embedders.base import Embedder
    from embassay.embedding_set import EmbeddingSet
    from embassay.reranking.base import Reranked
    from embassay.search.index import Index
    from embassay.search.result import SearchResult
    from embassay.sets.build.report import IndexReport
    from embassay.sets.coverage import Coverage
    from embassay.sets.description import SetDescription
    from embassay.sets.examine import Finding
    from embassay.sets.exchange.report import ImportedSet
    from embassay.sets.folder import HomeFolder
    from embassay.sets.log.entry import LoggedQuery
    from embassay.sets.log.querylog import QueryLog
    from embassay.sets.manage import DeletedSet
    from embassay.sets.migration.status import MigrationStatus
    from embassay.sets.monitoring.table import MonitoringTables
    from embassay.sets.options import IndexOptions, MakingOptions, MigrateOptions, SearchOptions, WatchOptions
    from embassay.sets.status import SetStatus
    from embassay.sets.watching.watcher import Watcher
    from embassay.types import Embeddings, OnLong, Role


@checks_arguments
class Home(Upkeep):
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
        self._sets = OpenSets(folder, lambda: self.session.models, self.session.events, lambda: self.session.config)

    def set(self, name: str | None = None, *, writing: bool = False) -> EmbeddingSet:
        """The set of this name, which need not be there yet; without one that which is meant, see `default_set`.

        `writing`: it is to be written, for which no set is taken that nobody named or chose but ``default``.
        """
        from embassay.embedding_set import EmbeddingSet

        return EmbeddingSet(self._sets.default(writing=writing) if name is None else name, self._sets)

    def index(
        self,
        paths: Iterable[str | os.PathLike[str]] | None = None,
        *,
        set: str | None = None,
        **options: Unpack[IndexOptions],
    ) -> IndexReport:
        """`EmbeddingSet.index` of the set of this name; without `paths`, all that it was indexed from."""
        return self.set(set, writing=paths is not None).index(paths, **options)

    def watch(
        self,
        paths: Iterable[str | os.PathLike[str]] | None = None,
        *,
        set: str | None = None,
        **options: Unpack[WatchOptions],
    ) -> Watcher:
        """`EmbeddingSet.watch` of the set of this name; without `paths`, all that it was indexed from."""
        return self.set(set, writing=paths is not None).watch(paths, **options)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        set: str | Sequence[str] | None = None,
        **options: Unpack[SearchOptions],
    ) -> SearchResult:
        """`EmbeddingSet.search` of the set of this name, or of several sets whose spaces are equal: ``set=["a", "b"]``.

        Raises SpaceMismatch where they are not.
        """
        if set is None or isinstance(set, str):
            return self.set(set).search(query, k, **options)
        first, *others = [*set] or [self._sets.default()]
        return self.set(first).search(query, k, **options | {"beside": others})

    def import_set(
        self,
        place: str | os.PathLike[str],
        *,
        set: str,
        id_field: str | None = None,
        text_field: str | None = None,
        vector_field: str | None = None,
        **making: Unpack[MakingOptions],
    ) -> ImportedSet:
        """Make a new set out of an export, or of a table of vectors that something else has made; nothing is embedded
        but a sample.

        `place` is a folder that `EmbeddingSet.export` wrote, or Parquet, JSON lines, a NumPy matrix with JSON lines
        beside it, or the folder of a Lance table, of which the fields say where ids, texts and vectors stand. The
        vectors are taken where the model, by default that of the export, makes a sample of them again (cosine at least
        0.99). An export comes back with all of its chunks as they were; of a foreign table each row becomes a record.
        A run that was killed is gone on with by the same call.

        Raises SpaceMismatch, with the cosine, for vectors of another model, UsageError for a set that is there
        already, ReadError for what is damaged, ModelError, ProviderError, HomeError, StoreError. What is refused
        leaves no set.
        """
        from embassay.columns.opening import ColumnNames
        from embassay.sets.exchange.importing import import_set
        from embassay.sets.spec import Wishes
        from embassay.sets.views.own import own_name

        names = ColumnNames(id_field, text_field, vector_field)
        return import_set(self._sets, own_name(self._sets, set, "import"), Path(place), Wishes(**making), names)

    def migrate(
        self, to: str | None = None, *, set: str | None = None, **options: Unpack[MigrateOptions]
    ) -> MigrationStatus:
        """`EmbeddingSet.migrate` of the set of this name."""
        return self.set(set).migrate(to, **options)

    def embed(
        self, texts: Sequence[str], role: Role, *, set: str | None = None, on_long: OnLong = "truncate"
    ) -> Embeddings:
        """`EmbeddingSet.embed` in the space of the set of this name."""
        return self.set(set).embed(texts, role, on_long=on_long)

    def rerank(self, query: str, texts: Sequence[str], *, model: str = "") -> Reranked:
        """Scores of `texts` for `query` by a reranker; see `embassay.rerank`."""
        return self.session.rerank(query, texts, model=model)

    def status(self) -> list[SetStatus]:
        """Counts of every set. Raises HomeNotFound, StoreError."""
        return [self.set(name).status() for name in self.sets()]

    def sets(self) -> list[str]:
        """Names of all sets, views included. Raises HomeNotFound where nothing was indexed yet."""
        state = self._sets.state
        return sorted([*state.sets(), *(view.name for view in state.views.all())])

    @property
    def default_set(self) -> str:
        """The set that is searched where none is named: the chosen one, else ``default``, else the only one there is.

        `index` writes to the chosen one, else to ``default``. To assign a name chooses that set, None undoes the
        choice; a chosen set that is renamed stays chosen. Raises SetNotFound for a set that is not there.
        """
        return self._sets.default()

    @default_set.setter
    def default_set(self, name: str | None) -> None:
        if name is not None:
            check("name", name)
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
        """What a set is made with, and what it holds, as the state has it: no store is opened. Raises SetNotFound."""
        return self.set(set).describe()

    def describe_all(self) -> list[SetDescription]:
        """The same of every set, ordered by name. Raises HomeNotFound."""
        from embassay.sets.description import describe_all

        return describe_all(self._sets)

    def doctor(self, set: str | None = None) -> list[Finding]:
        """What is wrong with one set, or with all; problems first. Raises SetNotFound.

        What a process that died left of a deleted set is cleared away.
        """
        from embassay.sets.examine import of_garbage
        from embassay.sets.gc import collect, sweep

        sweep(self._sets)
        found = [finding for name in ([set] if set else self.sets()) for finding in self.set(name).doctor()]
        return [*found, *of_garbage(collect(self._sets).found, set)]

    @property
    def query_log(self) -> QueryLog:
        """What was searched for here, where ``query_log`` is on. Raises HomeNotFound where nothing was indexed yet."""
        return self._sets.query_log

    @property
    def monitoring(self) -> MonitoringTables:
        """What `embassay.monitor` keeps of the sets. Raises HomeNotFound where nothing was indexed yet."""
        return self._sets.monitoring

    def feedback(
        self,
        search: SearchResult | str,
        *,
        clicked: Sequence[int | str] = (),
        thumbs: str | None = None,
        about: Sequence[int | str] = (),
    ) -> LoggedQuery:
        """Note what came of a logged search, given as its result or its id; the search as the log has it then.

        `clicked`: the hits that somebody opened, by rank or document. `thumbs`: ``up`` or ``down``, for the documents
        that `about` names (ranks, or ids, also of what was not found), or for the answer as a whole. Raises UsageError
        for a search that is not in the log, a hit that there is not, or nothing to note; HomeError.
        """
        name = search if isinstance(search, str) else getattr(search, "id", None)
        if name is None:
            raise UsageError(f"search is {shown(search)}; it must be a result, or the id of one.")
        return self.query_log.give(name, clicked=clicked, thumbs=thumbs, about=about)

    def coverage(self, set: str | None = None) -> Coverage:
        """`EmbeddingSet.coverage` of the set of this name."""
        return self.set(set).coverage()

    def embedder(self, set: str | None = None) -> Embedder:
        """`EmbeddingSet.embedder` of the set of this name."""
        return self.set(set).embedder()

    def searcher(self, set: str | None = None) -> AbstractContextManager[Index]:
        """A set, ready to be searched many times: ``with home.searcher("docs") as index``. Raises SetNotFound."""
        return self.set(set).searcher()

    def sources(self, set: str | None = None) -> dict[str, str]:
        """`EmbeddingSet.sources` of the set of this name."""
        return self.set(set).sources()

    def holds(self, set: str) -> bool:
        """Whether there is a set of this name; False as well where nothing was indexed yet."""
        return self.set(set).exists

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


@checked
def examine_vectors(
    place: str | os.PathLike[str],
    *,
    model: str | None = None,
    format: str | None = None,
    text_field: str | None = None,
    vector_field: str | None = None,
    sample: int = 200,
    seed: int = 0,
    session: Session | None = None,
) -> VectorReport:
    """Whether the vectors of a table are those that `model` makes of its texts; nothing is written.

    `place` is Parquet, JSON lines, a NumPy matrix with JSON lines beside it, or the folder of a Lance table. All rows
    are read, and `sample` of them, drawn by `seed`, are embedded again. Raises UsageError where the columns cannot be
    told, ReadError, ModelError, ProviderError.
    """
    from contextlib import nullcontext

    from embassay.columns.doctor.examine import examine_table
    from embassay.columns.opening import ColumnNames
    from embassay.warm import SESSIONS

    names = ColumnNames(text=text_field, vector=vector_field)
    with nullcontext(session) if session else SESSIONS.using((model, "auto")) as opened:
        embedder = opened.models.get(model or opened.models.default_name)
        return examine_table(Path(place), embedder, names, format=format, sample=sample, seed=seed)
