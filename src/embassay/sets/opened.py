"""The sets of one home while it is open: their state, their indexes, and the models that belong to them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from embassay.canaries import Anchor
from embassay.errors import SetMoved, StoreError, UsageError
from embassay.events import SILENCE, Events, Noted
from embassay.models.reference import with_precision
from embassay.sets.cascading import SecondIndexes
from embassay.sets.content import SetContent, is_another
from embassay.sets.folder import HomeFolder
from embassay.sets.holds import Hold, Lease
from embassay.sets.projected import projection_of
from embassay.sets.state import Generation, SourceRow, State
from embassay.stores.filters.values import In

if TYPE_CHECKING:
    from embassay.config.values import Config
    from embassay.embedders.base import Embedder
    from embassay.models.registry import Registry
    from embassay.search.index import Index
    from embassay.sets.door import Door
    from embassay.sets.log.querylog import QueryLog
    from embassay.sets.log.recorder import QueryRecorder
    from embassay.sets.monitoring.table import MonitoringTables
    from embassay.stores.base import Store

DEFAULT_SET = "default"
"""The set that is meant where none is named, and none was chosen."""


class OpenSets:
    """Threads may share it. Every call looks the live generation up anew, so that a switch is seen by the next one."""

    def __init__(
        self,
        folder: HomeFolder,
        models: Callable[[], Registry],
        events: Events = SILENCE,
        config: Callable[[], Config] | None = None,
    ) -> None:
        """`models` is asked for the registry when a model is first needed, and `config`, before the first search,
        whether searches are logged; where there is none, they are not."""
        self.folder, self.events = folder, Events(within=events)
        self._models, self._config = models, config
        self._recorder: QueryRecorder | None = None
        self._asked_to_log = False
        self._lock = threading.RLock()
        self._state: State | None = None
        self._leases: dict[str, Lease] = {}
        self._doors: dict[int, Door] = {}
        self._stores: dict[int, Store] = {}
        self._seconds = SecondIndexes(folder, lambda: self.state, self.embedder)
        self._around: Callable[[Embedder], Embedder] = lambda model: model
        self._closed = False

    @property
    def models(self) -> Registry:
        """The models of the session that this home was opened in."""
        return self._models()

    def beside(self, models: Registry, around: Callable[[Embedder], Embedder] | None = None) -> OpenSets:
        """The same sets with other models, or something `around` them, for work on its own. Whoever asks closes it."""
        other = OpenSets(self.folder, lambda: models, self.events, self._config)
        other._around = around or self._around
        return other

    @property
    def state(self) -> State:
        """The home's state, opened when it is first needed.

        Raises HomeNotFound where nothing was indexed yet, and UsageError once the home is closed.
        """
        with self._lock:
            self._check_open()
            if self._state is None:
                self._state = self.folder.state()
            return self._state

    def writable_state(self) -> State:
        """The same, made if it is missing. Raises HomeNotWritable, UsageError."""
        with self._lock:
            self._check_open()
            if self._state is None:
                self._state = self.folder.create()
            return self._state

    @property
    def exists(self) -> bool:
        """Whether anything was ever indexed here."""
        with self._lock:
            return self._state is not None or self.folder.state_file.is_file()

    def default(self, *, writing: bool = False) -> str:
        """The set that is meant where none is named.

        It is the one that was chosen; else the one called ``default``; else, for reading alone, the only one there is:
        whoever writes without a name is not to mix into a set what belongs to another.
        """
        if not self.exists:
            return DEFAULT_SET
        roster = self.state.roster
        names = [] if writing else self.state.sets()
        only = names[0] if len(names) == 1 else DEFAULT_SET
        return roster.chosen() or only

    def live(self, name: str) -> Generation:
        """The generation of a set that is searched, for whoever writes it. Raises HomeNotFound, SetNotFound, and
        UsageError for a view, which has none."""
        return self.state.live(name)

    def content(self, name: str) -> SetContent:
        """What is read under the name of a set, or of a view. Raises HomeNotFound, SetNotFound."""
        return SetContent(name, *self.state.shown(name))

    def sources(self, name: str) -> list[SourceRow]:
        """What the content of a set was made of. Raises SetNotFound, StoreError."""
        return self.content(name).sources(self.state, self.folder)

    def embedder(self, generation: Generation) -> Embedder:
        """The model that a generation was made with, with its stand-ins. It hands out vectors of the generation's space
        or none: see `embassay.sets.door`. Raises ModelError."""
        return self._around(self._proven(generation))

    def _proven(self, generation: Generation) -> Embedder:
        from embassay.sets.door import SetEmbedder

        door, spec = self._door(generation), generation.spec
        name = with_precision(spec.model, spec.precision)
        if not spec.pca:
            return SetEmbedder(self.models.resilient(name, generation.space, door.anchor), door)
        from embassay.embedders.wrap.projected import Projected

        projection = projection_of(generation, self.state)
        whole = Anchor(door.anchor.own, door.anchor.own) if door.anchor else None
        inner = self.models.resilient(name, projection.whole_space(generation.space), whole)
        return SetEmbedder(Projected(inner, projection), door)

    def model(self, model: str, precision: str) -> Embedder:
        """A model at a precision, with its stand-ins, for a set that is to be made. Raises ModelError."""
        return self.models.resilient(with_precision(model, precision))

    @contextmanager
    def index(self, name: str) -> Iterator[Index]:
        """A set's live generation, ready to be searched for the time of the block.

        An index is kept open between searches. Where the set has been switched to another generation, the old index is
        closed once nobody uses it, and its generation is not removed before. Raises HomeNotFound, SetNotFound, also
        where the set is deleted meanwhile, and SetMoved where its generation was removed: `sets.moves.on_live`.
        """
        with self.searched(name) as (_, index):
            yield index

    @contextmanager
    def searched(self, name: str) -> Iterator[tuple[Generation, Index]]:
        """`index`, with the generation that it is of."""
        self._begin_log()
        lease = self._lease(name)
        try:
            yield lease.content.generation, lease.index
        except StoreError as error:
            if name not in self.state.roster.names():
                raise self.state.roster.not_found(name) from error
            if self.content(name).generation.id != lease.content.generation.id:
                raise _moved(name) from error
            raise
        finally:
            with self._lock:
                lease.users -= 1
                close = lease.retired and not lease.users
            if close:
                lease.close()

    @contextmanager
    def writing(self, generation: Generation) -> Iterator[State]:
        """Hold the right to write a generation for the time of the block: one process has it, others wait.

        Raises SetNotFound where the set was deleted while this process waited, or was given another name, and SetMoved
        where it was switched to another generation: see `embassay.sets.moves.on_live`.
        """
        waiting = partial(self.events.tell, Noted("waiting for another process to finish"))
        with self.folder.writing(generation, waiting):
            state = self.writable_state()
            of_set = state.set(generation.set_name)
            if of_set.live != generation.id:
                if generation.id in of_set.followers:
                    raise _moved(generation.set_name)
                raise state.roster.not_found(generation.set_name)
            yield state

    def store(self, generation: Generation) -> Store:
        """Where the rows of a generation are, for whoever has the right to write it. It is kept open for the next
        call, because to open it takes as long as to write a row. Raises StoreError."""
        with self._lock:
            self._check_open()
            if generation.id not in self._stores:
                self._stores[generation.id] = self.folder.store(generation, create=True)
            return self._stores[generation.id]

    def forget(self, name: str, gone: Iterable[Generation] = ()) -> None:
        """Close the index of a set that has gone, or has another name, as soon as nobody uses it any more, and the
        stores of generations that are gone."""
        self._seconds.forget(name)
        with self._lock:
            for store in [self._stores.pop(one.id) for one in gone if one.id in self._stores]:
                store.close()
            lease = self._leases.pop(name, None)
            unused = self._retire(lease) if lease else None
        if unused:
            unused.close()

    def let_go(self, generation: Generation) -> None:
        """Close what is open of a generation that is not live, as soon as nobody uses it."""
        with self._lock:
            names = [name for name, lease in self._leases.items() if lease.content.generation.id == generation.id]
            unused = [self._retire(self._leases.pop(name)) for name in names]
            store = self._stores.pop(generation.id, None)
        if store:
            store.close()
        for lease in filter(None, unused):
            lease.close()

    def close(self) -> None:
        """Give back state and indexes; an index that is in use is closed by its last user. Nothing is opened again."""
        with self._lock:
            self._closed = True
            leases, self._leases = list(self._leases.values()), {}
            unused = [self._retire(lease) for lease in leases]
            state, self._state = self._state, None
            stores, self._stores = [*self._stores.values()], {}
            recorder, self._recorder = self._recorder, None
        for store in stores:
            store.close()
        if recorder:
            recorder.close()
        for lease in filter(None, unused):
            lease.close()
        self._seconds.close()
        if state:
            state.close()

    @property
    def query_log(self) -> QueryLog:
        """What was searched for in this home. Raises HomeNotFound where nothing was indexed yet."""
        from embassay.sets.log.querylog import QueryLog
        from embassay.sets.log.recorder import in_effect

        return QueryLog(self.state.query_log, partial(in_effect, self._config), self._flush_log, self._holds)

    @property
    def monitoring(self) -> MonitoringTables:
        """What is kept of how sets are searched, with all searches so far. Raises HomeNotFound."""
        self._flush_log()
        return self.state.monitoring

    def _holds(self, name: str, document: str) -> bool:
        """Whether a set has a chunk of the document of this id. Raises SetNotFound, StoreError."""
        with closing(self.content(name).store(self.folder)) as store, store.snapshot() as version:
            return version.count(In("document", (document,))) > 0

    def _begin_log(self) -> None:
        """Log the searches from now on, if the configuration says so."""
        with self._lock:
            if self._asked_to_log or self._config is None:
                return
            self._asked_to_log = True
            from embassay.sets.log.recorder import recorder_for

            self._recorder = recorder_for(self.folder.state_file, self._config, self.events)

    def _flush_log(self) -> None:
        if self._recorder:
            self._recorder.flush()

    def _lease(self, name: str) -> Lease:
        unused = None
        with self._lock:
            content = self.content(name)
            lease = self._leases.get(name)
            if lease is None or lease.content.differs_from(content):
                unused = self._retire(lease) if lease else None
                lease = self._leases[name] = self._opened(name)
            lease.users += 1
        if unused:
            unused.close()
        return lease

    def _opened(self, name: str) -> Lease:
        """The live generation, held: it was live behind the moment from which nobody could remove it."""
        from embassay.search.index import Index
        from embassay.sets.coarse import coarse_form
        from embassay.sets.others import OtherSets

        content, hold = self._held(name)
        generation = content.generation
        index = Index(
            name,
            generation.space,
            lambda: content.store(self.folder),
            lambda: self.embedder(generation),
            self.events,
            language=generation.spec.language,
            memory=self.state.calibrations.of(generation.id),
            second=partial(self._seconds.open, content.own),
            reranker=lambda asked: self.models.rerankers.get(asked),  # noqa: PLW0108 - models are opened late
            tokens=self.folder.tokens(generation),
            chat=lambda message: self.models.chat.text(message),  # noqa: PLW0108
            coarse=lambda size: coarse_form(self.state, self.models, generation, size),
            others=OtherSets(self.index, content.view),
        )
        return Lease(content, index, hold)

    def _held(self, name: str) -> tuple[SetContent, Hold]:
        while True:
            content = self.content(name)
            hold = Hold(self.folder.lock_file(content.generation, "read"))
            if self.content(name).generation.id == content.generation.id:
                return content, hold
            hold.release()

    def _door(self, generation: Generation) -> Door:
        from embassay.sets.door import Door

        with self._lock:
            door = self._doors.get(generation.id)
            if door is None or is_another(door.generation, generation):
                door = self._doors[generation.id] = Door(generation, self.state, lambda: self.folder.store(generation))
            return door

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("the home is closed.", remedy="Open it again.")

    @staticmethod
    def _retire(lease: Lease) -> Lease | None:
        """Forget an index; it is returned where nobody uses it, to be closed."""
        lease.retired = True
        return None if lease.users else lease


def _moved(name: str) -> SetMoved:
    return SetMoved(f"set {name!r} was switched meanwhile.", remedy="Repeat the call.")
