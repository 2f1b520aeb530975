"""Stores by the name of their backend: lasting ones, and those that live as long as an evaluation.

This is the only place that loads a backend, so that nothing is opened which the backend does not declare to be able
to keep.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Protocol

from embassay import plugins
from embassay.errors import HomeNotWritable
from embassay.files import PRIVATE_FILE, private_folder, refuse_links
from embassay.space import Similarity
from embassay.stores.base import Backend, LastingBackend, MirroredBackend, Settings, Store
from embassay.stores.values import Collection, KeptCollection
from embassay.words.languages import DEFAULT

BACKENDS = "embassay.stores.backends"
EXACT = "memory"
"""The backend without an index or a file: every search is exact, and the others are compared with it."""
SCRATCH = "scratch"
"""The folder, in a home or in the user's cache, that holds the stores of evaluations."""


def open_collection(backend: str, folder: Path, collection: Collection, *, create: bool = False) -> Store:
    """The collection in the store `backend` of `folder`, a home; with `create` it is made where it is missing.

    Raises PluginError for an unknown backend, and StoreError for a collection that is missing or asks for more than
    the backend can do.
    """
    module: Backend[object] = plugins.load(BACKENDS, backend)
    return open_checked(backend, module, module.settings_in(folder), collection, create=create)


def open_checked(
    name: str, backend: Backend[Settings], settings: Settings, collection: Collection, *, create: bool = False
) -> Store:
    """The same with a backend and settings that are already at hand; `name` is for messages."""
    backend.CAPABILITIES.check(name, collection)
    if not isinstance(backend, MirroredBackend):
        return backend.open_store(settings, collection, create=create)
    from embassay.stores.hot.store import HotStore

    mirrored: MirroredBackend[Settings] = backend
    return HotStore(
        mirrored.hot_folder(settings, collection.name),
        collection,
        lambda: mirrored.open_store(settings, collection, create=create),
        lambda: mirrored.version(settings, collection.name),
        lambda: mirrored.vector_files(settings, collection.name),
        lambda: mirrored.size(settings, collection.name),
        create=create,
    )


def collections_in(backend: str, folder: Path) -> Mapping[str, KeptCollection]:
    """The collections that a store keeps in `folder`, a home, by name; none where it does not tell."""
    module = plugins.load(BACKENDS, backend)
    return module.collections(module.settings_in(folder)) if isinstance(module, LastingBackend) else {}


def remove_collection(backend: str, folder: Path, name: str) -> None:
    """Remove one of `collections_in`. Raises StoreError, HomeNotWritable."""
    module = plugins.load(BACKENDS, backend)
    if isinstance(module, LastingBackend):
        module.remove(module.settings_in(folder), name)


class NewStore(Protocol):
    """Opens an empty store."""

    def __call__(self, dimensions: int, similarity: Similarity = "cosine", language: str = DEFAULT) -> Store:
        """One for vectors of so many dimensions that are compared so, and words of a language, by its code.

        Raises StoreError for what it cannot keep.
        """


def exact_store(dimensions: int, similarity: Similarity = "cosine", language: str = DEFAULT) -> Store:
    """An empty store in memory, for rows that nobody keeps."""
    wanted = Collection.single("exact", dimensions, language, similarity)
    return open_collection(EXACT, Path(), wanted, create=True)


@contextmanager
def temporary_stores(backend: str, folder: Path) -> Iterator[NewStore]:
    """Yields what opens an empty store; all of them are closed and removed at the end.

    A backend that keeps its rows on disk gets a folder of its own in ``scratch`` below `folder`, a home or the user's
    cache. Raises PluginError, and HomeNotWritable where the folder cannot be made.
    """
    module: Backend[object] = plugins.load(BACKENDS, backend)
    number = count(1)
    with ExitStack() as stack:
        place = stack.enter_context(_scratch(folder)) if module.CAPABILITIES.persistent else Path()

        def new_store(dimensions: int, similarity: Similarity = "cosine", language: str = DEFAULT) -> Store:
            collection = Collection.single(f"evaluation{next(number)}", dimensions, language, similarity)
            store = open_collection(backend, place, collection, create=True)
            stack.callback(store.close)
            stack.callback(store.drop)
            return store

        yield new_store


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A new folder, removed at the end; if this process is killed, by the next one that asks for such a folder.

    The lock beside each folder tells whether its owner still lives: the system releases it with the process.
    """
    from filelock import FileLock

    scratch = folder / SCRATCH
    name = f"{os.getpid()}-{secrets.token_hex(4)}"
    try:
        private_folder(scratch)
        refuse_links((scratch, *scratch.iterdir()))
        with FileLock(
            scratch / "making.lock", mode=PRIVATE_FILE
        ):  # else another process could take a new folder for an abandoned one
            _remove_abandoned(scratch)
            owned = FileLock(scratch / f"{name}.lock", mode=PRIVATE_FILE)
            owned.acquire()
            (scratch / name).mkdir()
    except OSError as error:
        raise HomeNotWritable(f"{scratch} cannot be written: {error.strerror}.") from error
    try:
        yield scratch / name
    finally:
        shutil.rmtree(scratch / name, ignore_errors=True)
        owned.release()
        (scratch / f"{name}.lock").unlink(missing_ok=True)


def _remove_abandoned(scratch: Path) -> None:
    """Remove the folders whose owners no longer hold their lock."""
    from filelock import FileLock, Timeout

    for file in scratch.glob("*-*.lock"):
        try:
            with FileLock(file, timeout=0):
                shutil.rmtree(file.with_suffix(""), ignore_errors=True)
        except Timeout:
            continue
        file.unlink(missing_ok=True)
