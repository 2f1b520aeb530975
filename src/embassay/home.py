"""The public face: a home with its sets, and what a user does with them."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, get_args

from embassay.errors import SpaceMismatch, UsageError
from embassay.events import SILENCE, Events, Noted
from embassay.space import describe_difference
from embassay.stores.filters.parser import parse
from embassay.stores.filters.values import Filter
from embassay.types import Precision

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.search.index import Index, SearchResult
    from embassay.search.pipeline import Pipeline
    from embassay.sets.build.report import IndexReport
    from embassay.sets.examine import Finding
    from embassay.sets.folder import HomeFolder
    from embassay.sets.state import Generation, State
    from embassay.space import Space
    from embassay.types import Embeddings, OnLong, Role

DEFAULT_SET = "default"
CACHE_FILE = "cache.db"
MAX_FILE_MB = 32.0


@dataclass(frozen=True, slots=True)
class SetStatus:
    """Counts of one set."""

    set: str
    space: str
    documents: int
    chunks: int
    quarantined: int
    bytes: int
    truncated_chunks: int
    quarantine: tuple[tuple[str, str], ...]
    """(path, reason) of what could not be read."""

    def to_dict(self) -> dict[str, Any]:
        names = ("set", "space", "documents", "chunks", "quarantined", "bytes", "truncated_chunks")
        listed = [{"path": path, "reason": reason} for path, reason in self.quarantine]
        return {name: getattr(self, name) for name in names} | {"quarantine": listed}


class Home:
    """A ``.embassay/`` folder: index files into its sets and search them.

    Threads may share it. Use it as a context manager, or call `close`.

    >>> with embassay.open() as home:                        # doctest: +SKIP
    ...     home.index(["docs"])
    ...     for hit in home.search("how do I rotate a key", k=5).hits:
    ...         print(hit.chunk.path, hit.chunk.lines, hit.chunk.text)
    """

    def __init__(self, folder: HomeFolder, registry: Registry | None = None) -> None:
        self.folder = folder.folder
        self._registry = registry
        self._home = folder
        self._lock = threading.RLock()
        self._state: State | None = None
        self._indexes: dict[int, Index] = {}

    def index(
        self,
        paths: Iterable[str | os.PathLike[str]],
        *,
        set: str = DEFAULT_SET,
        model: str | None = None,
        precision: Precision | None = None,
        chunk_tokens: int | None = None,
        retry_failed: bool = False,
        checksum: bool = False,
        max_file_mb: float = MAX_FILE_MB,
        progress: Events = SILENCE,
    ) -> IndexReport:
        """Bring `set` up to date with files and folders; only what changed is embedded.

        The first run fixes the set's model (default: the configured one, else all-MiniLM-L6-v2), precision (``auto``)
        and `chunk_tokens` (default: 512, at most what the model takes); later runs must agree. One process writes a set
        at a time, others wait. Raises UsageError for a missing path, SpaceMismatch for another model, and
        ModelError, HomeError or StoreError; whatever was stored before an error stays.
        """
        from embassay.ingest.chunk import Chunker
        from embassay.sets.build.files import Files
        from embassay.sets.build.plan import make_plan
        from embassay.sets.build.run import build
        from embassay.sets.build.writer import Writer

        files = [Path(path) for path in paths]
        if chunk_tokens is not None and chunk_tokens < 16:
            raise UsageError(f"chunk_tokens is {chunk_tokens}; at least 16 make a chunk.")
        if not 0 < max_file_mb < 1e6:
            raise UsageError(f"max_file_mb is {max_file_mb}; it must be between 0 and 1,000,000.")
        generation, embedder = self._generation_for_writing(set, files, model, precision, chunk_tokens)
        state = self._opened()
        waiting = Noted("waiting for another process to finish")
        with self._home.writing(generation, lambda: progress.tell(waiting)):
            known = {row.path: row for row in state.sources(generation)}
            store = self._home.open_store(generation.store, generation.name, generation.space.dimensions, create=True)
            with closing(store):
                totals = state.totals(generation)
                with store.snapshot() as stored:
                    lost = not totals["pending"] and stored.count() != totals["chunks"]
                plan = make_plan(
                    self._home,
                    files,
                    known,
                    max_file_mb=max_file_mb,
                    retry_failed=retry_failed,
                    checksum=checksum or lost,
                )
                cuts = self.models.cuts(with_precision(generation.model, generation.precision))
                most = generation.settings.get("chunk_tokens")
                prompt = embedder.space.document_prompt
                source = Files(plan, store, lambda: Chunker(embedder.tokens, most, prompt, cuts))
                return build(source, Writer(state, generation, store), embedder, progress)

    def search(
        self,
        query: str,
        k: int = 10,
        *,
        mode: str = "hybrid",
        where: str | Filter | None = None,
        set: str = DEFAULT_SET,
        pipeline: Pipeline | None = None,
    ) -> SearchResult:
        """The k chunks that answer `query` best.

        `mode` is ``hybrid``, ``dense`` or ``lexical``; a `pipeline` replaces both it and `k`. `where` filters
        before the top k, for instance ``path ~ "docs/*.md" and year >= 2024``. Raises QueryError, FilterError,
        SetNotFound, SpaceMismatch, ModelError, StoreError.
        """
        from embassay.search.modes import pipeline as make

        chosen = pipeline or make(mode, k)
        return self.searcher(set).search(query, chosen, parse(where) if isinstance(where, str) else where)

    def embed(
        self, texts: Sequence[str], role: Role, *, set: str = DEFAULT_SET, on_long: OnLong = "truncate"
    ) -> Embeddings:
        """Vectors of `texts` in the space of `set`: float32 (len(texts), dimensions).

        `role` is ``query`` or ``document``. Raises SetNotFound, ModelError, and TextTooLong under
        ``on_long="error"``.
        """
        return self.embedder(set).embed(texts, role, on_long)

    def status(self) -> list[SetStatus]:
        """Counts of every set."""
        return [self._status(name) for name in self.sets()]

    def sets(self) -> list[str]:
        with self._lock:
            return self._opened().sets()

    def doctor(self, set: str | None = None) -> list[Finding]:
        """What is wrong with one set, or with all; problems first. Raises SetNotFound."""
        from embassay.sets.examine import examine

        findings = []
        for name in [set] if set else self.sets():
            generation = self._live(name)
            opener = self._opener(generation)
            findings += examine(self._home, self._opened(), generation, opener)
        return findings

    @property
    def models(self) -> Registry:
        """The models of ``embassay.yaml``, with this home's cache. Raises ConfigError."""
        from embassay.models.registry import Registry

        with self._lock:
            if self._registry is None:
                self._registry = Registry(cache_file=self.folder / CACHE_FILE)
            return self._registry

    def embedder(self, set: str = DEFAULT_SET) -> Embedder:
        """The embedder of a set's live generation. Raises SetNotFound or ModelError."""
        return self._opener(self._live(set))()

    def searcher(self, set: str = DEFAULT_SET) -> Index:
        """A set's live generation, looked up anew each time: a switch is seen by the next search."""
        from embassay.search.index import Index

        with self._lock:
            generation = self._live(set)
            if generation.id not in self._indexes:
                self._indexes[generation.id] = Index(
                    set, generation.space, lambda: self._home.store(generation), self._opener(generation)
                )
            return self._indexes[generation.id]

    def sources(self, set: str = DEFAULT_SET) -> dict[str, str]:
        """Path to digest of every file that a set was made of. Raises SetNotFound."""
        generation = self._live(set)
        return {row.path: row.digest for row in self._opened().sources(generation) if row.state == "ok"}

    def close(self) -> None:
        with self._lock:
            for index in self._indexes.values():
                index.close()
            self._indexes.clear()
            if self._state:
                self._state.close()
                self._state = None
            if self._registry:
                self._registry.close()

    def __enter__(self) -> Home:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _status(self, name: str) -> SetStatus:
        with self._lock:
            generation = self._live(name)
            state = self._opened()
            totals = state.totals(generation)
            failed = tuple((row.path, row.reason) for row in state.sources(generation) if row.reason)
        with closing(self._home.store(generation)) as store, store.snapshot() as stored:
            stats = stored.stats()
        return SetStatus(
            name,
            str(generation.space),
            totals["documents"],
            stats.rows,
            len(failed),
            stats.bytes,
            totals["truncated"],
            failed,
        )

    def _generation_for_writing(
        self, name: str, files: Sequence[Path], model: str | None, precision: Precision | None, chunk_tokens: int | None
    ) -> tuple[Generation, Embedder]:
        with self._lock:
            if self._state is None and self._home.state_file.is_file():
                self._state = self._home.create()
            if self._state is None or name not in self._state.sets():
                return self._new_set(name, files, model, precision, {"chunk_tokens": chunk_tokens})
            generation = self._state.live(name)
        self._check(generation, model, precision, {"chunk_tokens": chunk_tokens})
        embedder = self._embedder(generation.model, generation.precision, generation.space)
        return generation, self._same_space(generation, embedder)

    def _new_set(
        self,
        name: str,
        files: Sequence[Path],
        model: str | None,
        precision: Precision | None,
        settings: Mapping[str, Any],
    ) -> tuple[Generation, Embedder]:
        """Whatever can be wrong is found before anything is made."""
        from embassay.sets.folder import STORE
        from embassay.sets.state import new_collection

        _check_name(name)
        for file in files:
            if not file.exists():
                raise UsageError(f"{file}: no such file or folder.")
        chosen = _absolute(model or self.models.default_name)
        embedder = self._embedder(chosen, precision or "auto")
        space = embedder.space
        if self._state is None:
            self._state = self._home.create()
        collection = new_collection()
        store = self._home.open_store(STORE, collection, space.dimensions, create=True)  # before anyone asks for it
        generation = self._state.create(
            name, collection, store=STORE, space=space, model=chosen, precision=precision or "auto", settings=settings
        )
        if generation.name != collection:  # another process made the set meanwhile
            store.drop()
            self._check(generation, model, precision, settings)
        store.close()
        return generation, self._same_space(generation, embedder)

    def _check(
        self, generation: Generation, model: str | None, precision: str | None, settings: Mapping[str, Any]
    ) -> None:
        """An existing set keeps what it was made with."""
        elsewhere = "Index into another set: --set NAME"
        if model is not None and _absolute(model) != generation.model:
            self._same_space(generation, self._embedder(_absolute(model), precision or "auto"))
        if precision not in (None, generation.precision):
            raise UsageError(
                f"set {generation.set_name!r} is indexed at precision {generation.precision}, not {precision}.",
                remedy=elsewhere,
            )
        for key, value in settings.items():
            if value is not None and value != generation.settings.get(key):
                raise UsageError(
                    f"set {generation.set_name!r} was made with {key} {generation.settings.get(key)}, not {value}.",
                    remedy=elsewhere,
                )

    def _same_space(self, generation: Generation, embedder: Embedder) -> Embedder:
        if embedder.space != generation.space:
            raise SpaceMismatch(
                f"set {generation.set_name!r} holds vectors of {generation.space}, the model makes {embedder.space}: "
                f"{describe_difference(generation.space, embedder.space)}.",
                remedy="Index into another set: --set NAME",
            )
        return embedder

    def _opener(self, generation: Generation) -> Callable[[], Embedder]:
        return lambda: self._embedder(generation.model, generation.precision, generation.space)

    def _embedder(self, model: str, precision: str, space: Space | None = None) -> Embedder:
        return self.models.resilient(with_precision(model, precision), space)

    def _live(self, name: str) -> Generation:
        with self._lock:
            return self._opened().live(name)

    def _opened(self) -> State:
        with self._lock:
            if self._state is None:
                self._state = self._home.state()
            return self._state


def open_home(home: str | os.PathLike[str] | None = None) -> Home:
    """Open the home at `home`, at EMBASSAY_HOME, or the nearest ``.embassay`` here or above; else one to be made here.

    Nothing is written until something is indexed.
    """
    from embassay.sets.folder import find_home

    return Home(find_home(Path(home) if home is not None else None, create=True))


def embed(
    texts: Sequence[str],
    role: Role,
    *,
    model: str | None = None,
    precision: Precision = "auto",
    on_long: OnLong = "truncate",
) -> Embeddings:
    """Vectors of `texts` without any home: float32 (len(texts), dimensions).

    `model` is a name of ``embassay.yaml``, ``provider/model``, a Hugging Face id or a folder; by default the configured
    one, else all-MiniLM-L6-v2. Raises ModelError, ProviderError, and TextTooLong under ``on_long="error"``.
    """
    from embassay.models.registry import Registry

    with Registry() as models:
        return models.get(with_precision(model or models.default_name, precision)).embed(texts, role, on_long)


def with_precision(model: str, precision: str | None) -> str:
    """A model's reference at a precision; ``auto`` leaves it as it is configured. Raises UsageError."""
    known = get_args(Precision)
    if precision is not None and precision not in known:
        raise UsageError(f"precision {precision!r} is not one of {', '.join(known)}.")
    return model if precision in (None, "auto") else f"{model}@{precision}"


def _check_name(name: str) -> None:
    if not name or len(name) > 100 or not name.isprintable() or "/" in name or not name.strip():
        raise UsageError(f"{name!r} cannot name a set: 1 to 100 printable characters without a slash.")


def _absolute(model: str) -> str:
    """A folder is remembered by its absolute path, an id as it is."""
    return os.path.abspath(Path(model).expanduser()) if Path(model).expanduser().is_dir() else model
