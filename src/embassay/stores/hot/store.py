"""A store whose searches are answered by a hot index that stands beside it.

The store keeps the rows, and is what counts. The hot index is a copy in files that are mapped into memory: it is
written along with the rows, and says which version of the store it shows. Where that is not the latest one, because a
process was killed between both, or the store is older than hot indexes are, the store itself is searched, and the hot
index is made anew.
"""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embassay.errors import HomeNotWritable, StoreError
from embassay.stores.base import Derivable, RowStore, Snapshot, Store
from embassay.stores.hot.errors import BuildGivenUp, HotIndexDamaged
from embassay.stores.hot.manifest import NAME
from embassay.stores.hot.mirror import Mirror
from embassay.stores.hot.snapshot import HotSnapshot
from embassay.stores.hot.turn import turn
from embassay.stores.hot.view import HotView
from embassay.stores.hot.writer import HotWriter

if TYPE_CHECKING:
    from embassay.stores.values import Collection
    from embassay.types import Chunk, Vectors

MOST_ROWS = 5_000_000
"""A store of more rows is searched by its own indexes."""
AT_ONCE = 50_000
"""Rows of which a hot index is made before the search that found none goes on; for more of them, beside it."""
LAST_BLOCK = 10.0
"""Seconds that whoever closes the store waits for a hot index which is being made to be given up."""


class HotStore(Store):
    """A store with a hot index in a folder beside it. The store is opened when it is first needed."""

    def __init__(
        self,
        folder: Path,
        collection: Collection,
        open_store: Callable[[], RowStore],
        version: Callable[[], int | None],
        files: Callable[[], Sequence[Path]],
        size: Callable[[], int],
        *,
        create: bool = False,
    ) -> None:
        """`version` tells that of the store without opening it, `files` those in which it keeps vectors, and `size` the
        bytes of all that it keeps.

        With `create` `open_store` makes the store where it is missing, and its hot index is made along with it. Raises
        StoreError as `open_store` does.
        """
        self.collection = collection
        self._folder, self._open_store, self._version, self._files = folder, open_store, version, files
        self._size_of_store = size
        self._lock, self._writing = threading.RLock(), threading.RLock()
        self._mirror = Mirror(folder, collection)
        self._own = Mirror(folder, collection)
        """What writes are made by, so that searches beside them do not wait."""
        self._inner: RowStore | None = None
        self._closed = False
        self._building: threading.Thread | None = None
        self._given_up = False
        """Whether what is being built is no longer wanted."""
        if create or self._in_step(self._mirror) is None:
            self._begin()

    @property
    def store(self) -> RowStore:
        """The store itself, open. Raises StoreError."""
        with self._lock:
            if self._inner is None:
                self._inner = self._open_store()
                if self._closed:
                    self._inner.close()
            return self._inner

    def snapshot(self) -> Snapshot:
        """The latest version. It is of the store itself where there is no hot index of it."""
        with self._lock:
            if self._closed:
                return self.store.snapshot()  # which says so
            view = self._in_step(self._mirror) or self._built()
        return self._shown(view) if view else self.store.snapshot()

    def upsert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], stale: Sequence[str] = ()) -> None:
        written = {chunk.key for chunk in chunks}
        with self._written() as hot:
            if hot and chunks and not stale and len(written) == len(chunks) and hot.has_none(written):
                self.store.insert(chunks, vectors)
            else:
                self.store.upsert(chunks, vectors, stale)
            if hot:
                hot.take_in(chunks, vectors, [key for key in stale if key not in written])

    def delete(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        with self._written() as hot:
            self.store.delete(keys)
            if hot:
                hot.take_in([], {}, keys)

    def take_over(self, version: Snapshot, derive: Callable[[Vectors], Vectors], paths: AbstractSet[str]) -> bool:
        """As the store does it, for a version that another such store shows. The hot index is made anew later."""
        inner = version.stored() if isinstance(version, HotSnapshot) else version
        return inner is not None and isinstance(self.store, Derivable) and self.store.take_over(inner, derive, paths)

    def optimise(self, *, thorough: bool = False) -> None:
        """Compact the store, and join the parts of the hot index."""
        before = self._version()
        if before is None:
            self.store.optimise(thorough=thorough)
            return
        with self._writing, turn(self._made_folder(), before) as ours:
            view = self._in_step(self._own) if ours else None
            if (view.rows if view else self.store.snapshot().count()) > MOST_ROWS:
                self.store.optimise(thorough=thorough)
                return
            self.store.compact(thorough=thorough)
            if ours:
                with suppress(HomeNotWritable):  # a full disk: the store is searched itself
                    self._bring_forward(view, thorough)

    def drop(self) -> None:
        import shutil

        self.store.drop()
        with self._lock, self._writing:
            self._mirror.close()
            self._own.close()
            shutil.rmtree(self._folder, ignore_errors=True)

    def close(self) -> None:
        with self._lock:
            self._closed = True
        self._give_up_building()
        with self._lock:
            self._mirror.close()
            self._own.close()
            if self._inner is not None:
                self._inner.close()

    def _begin(self) -> None:
        """Open the store, and make the hot index of one that is still empty, so that it grows with it."""
        if not self._folder.exists() and not self.store.snapshot().count():
            self._build()

    def _in_step(self, mirror: Mirror) -> HotView | None:
        """What the hot index shows, where that is the latest version."""
        try:
            return mirror.view(self._version())
        except HotIndexDamaged:
            return None

    def _shown(self, view: HotView) -> HotSnapshot:
        return HotSnapshot(view, self.collection, self._size, self._stored, self._give_up)

    def _stored(self, version: int) -> Snapshot | None:
        found = self.store.snapshot()
        return found if getattr(found, "version", None) == version else None

    def _give_up(self) -> None:
        """Whoever asks next finds no hot index, and makes one."""
        with suppress(OSError):
            (self._folder / NAME).unlink()

    def _size(self) -> int:
        own = (file.stat().st_size for file in self._folder.glob("*") if file.is_file())
        return self._size_of_store() + sum(own)

    @contextmanager
    def _written(self) -> Iterator[HotWrite | None]:
        """The time of a write to the store; yields what tells the hot index of it, where that was in step before."""
        before = self._version()
        if before is None:
            yield None
            return
        with self._writing, turn(self._folder, before) as ours:
            view = self._in_step(self._own) if ours else None
            yield HotWrite(view, HotWriter(self._own), self._version) if view is not None else None

    def _bring_forward(self, view: HotView | None, thorough: bool) -> None:
        """Runs while this process has the turn. `view` was in step before the store was compacted."""
        writer, after = HotWriter(self._own), self._version()
        assert after is not None
        try:
            if view is not None:
                writer.stands_at(after)
                writer.join(thorough=thorough, files=self._files() if thorough else ())
                writer.keep_hold(self._files())
                return
        except HotIndexDamaged:
            pass
        if thorough:
            writer.build(after, self.store.snapshot(), self._files())

    def _built(self) -> HotView | None:
        """A new hot index of the latest version, where that takes little; else one is made beside what goes on."""
        version = self._version()
        if version is None or (self._building and self._building.is_alive()):
            return None
        rows = self.store.snapshot().count()
        if rows > MOST_ROWS:
            return None
        if rows <= AT_ONCE:
            self._build()
            return self._in_step(self._mirror)
        self._building = threading.Thread(target=self._build_beside, name="hot index", daemon=True)
        atexit.register(self._give_up_building)
        self._building.start()
        return None

    def _build_beside(self) -> None:
        try:
            with suppress(StoreError):  # what it holds is damaged: a search tells that
                self._build()
        finally:
            atexit.unregister(self._give_up_building)

    def _give_up_building(self) -> None:
        """Have nothing of the store's library at work while the process ends, which would end it by a signal."""
        self._given_up = True
        if self._building is not None:
            self._building.join(LAST_BLOCK)

    def _build(self) -> None:
        """Make it anew, where nobody else writes. What keeps it from being written keeps no search from going on."""
        with suppress(HomeNotWritable, HotIndexDamaged, BuildGivenUp):
            version = self._version()
            if version is None:
                return
            with turn(self._made_folder(), version) as ours:
                found: Any = self.store.snapshot()
                if ours and found.version == version:
                    writer = HotWriter(Mirror(self._folder, self.collection))
                    writer.build(version, found, self._files(), lambda: self._given_up)

    def _made_folder(self) -> Path:
        with suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self._folder


class HotWrite:
    """One write to a store, as its hot index follows it."""

    def __init__(self, view: HotView, writer: HotWriter, version: Callable[[], int | None]) -> None:
        """`view` is what the hot index shows before the write."""
        self._view, self._writer, self._version = view, writer, version

    def has_none(self, keys: Iterable[str]) -> bool:
        """Whether no row has one of the keys; False where that cannot be read."""
        try:
            return not self._view.has_any([*keys])
        except HotIndexDamaged:
            return False

    def take_in(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], removed: Sequence[str]) -> None:
        """Have the hot index show what was written. Where that fails it is out of step, and made anew."""
        after = self._version()
        if after is not None:
            with suppress(HotIndexDamaged, HomeNotWritable):
                self._writer.write(after, chunks, vectors, removed)
