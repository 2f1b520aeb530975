"""`.embassay/`: found by walking up from the working folder, as git finds its own.

A home may have come with a checkout. Nothing in it is written through a link, so that no checkout can aim it at files
elsewhere, and what it holds is private to the user.
"""

from __future__ import annotations

import os
import re
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from embassay import remedy
from embassay.config.values import CACHE_FILE, HOME_FOLDER
from embassay.errors import HomeCorrupt, HomeNotFound, HomeNotWritable
from embassay.files import (
    OTHERS,
    PRIVATE_FILE,
    expanded,
    make_private,
    not_writable,
    private_folder,
    refuse_links,
    write_new,
)
from embassay.sets.spec import SetSpec
from embassay.sets.state import Generation, State
from embassay.space import Space
from embassay.stores.base import Store
from embassay.stores.opening import open_collection
from embassay.stores.tokens.file import SUFFIX, TokenFile
from embassay.stores.tokens.store import StoreWithTokens
from embassay.stores.values import Collection
from embassay.text import composed

LOCKS, VECTORS = "locks", "vectors"
POLL_SECONDS = 0.01
"""How often a process that waits for another one asks whether it has ended; a call writes a record in not much more."""
_OURS = re.compile(r"(state|cache|ledger|keys)\.db.*|keys\.use|audit\.jsonl.*|locks|vectors|scratch|\.gitignore")
"""Whatever a home may hold."""
OTHER_FORM = "~2"
"""Behind the name of a file whose name differs from another one's only in how accents are written."""
_NAME = re.compile(r"\w[\w-]*", re.ASCII)
"""Of a collection: it becomes the name of a file."""


class HomeFolder:
    """The files of one home: ``state.db``, ``vectors/``, ``locks/``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder.parent
        """Source paths are kept relative to this, so that a project can move."""
        self._seen: dict[str, frozenset[str]] = {}
        """Of each collection that was written, the files that were made private."""
        self._secured = False
        """Whether all of the home was made private once; from then on a collection that is opened is."""

    @property
    def state_file(self) -> Path:
        """The database of sets, generations and sources."""
        return self.folder / "state.db"

    @property
    def cache_file(self) -> Path:
        """Where vectors are cached that were made or paid for once."""
        return self.folder / CACHE_FILE

    def state(self) -> State:
        """A new connection to the home's state. Raises HomeNotFound where nothing was indexed here yet."""
        if not self.state_file.is_file():
            raise HomeNotFound(
                f"{self.folder} holds no index yet.", remedy=remedy.command("index", "FOLDER", say="Make one")
            )
        self._secure()
        return State(self.state_file)

    def create(self) -> State:
        """A new connection to the state. Folder and state are made where they are missing. Raises HomeNotWritable."""
        with self._written_to():
            self._make()
            private_folder(self.folder / LOCKS)
            private_folder(self.folder / VECTORS)
            write_new(self.state_file, "")  # SQLite gives the files beside it the same rights
        return State(self.state_file, create=True)

    def make(self) -> None:
        """Make the folder where it is missing, for a cache or a scratch store. Raises HomeNotWritable."""
        with self._written_to():
            self._make()

    def _make(self) -> None:
        private_folder(self.folder)
        self._secure()
        write_new(self.folder / ".gitignore", "*\n")

    @contextmanager
    def _written_to(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise HomeNotWritable(
                f"{self.folder} cannot be written: {error.strerror}.",
                remedy=remedy.option("home", "DIR", say="Choose another with {}."),
            ) from error

    def store(self, generation: Generation, *, create: bool = False) -> Store:
        """Where a generation's rows are; made if it is missing with `create`, else StoreError is raised."""
        return self.open_store(generation.spec, generation.name, generation.space, create=create)

    def open_store(self, spec: SetSpec, collection: str, space: Space, *, create: bool = False) -> Store:
        """The collection of a generation that may not be known to the state yet. Raises StoreError, PluginError."""
        name = self._safe(collection)
        wanted = Collection.single(name, space.dimensions, spec.language, space.similarity, spec.dtype)
        self._secure(name)
        rows = open_collection(spec.store, self.folder, wanted, create=create)
        tokens = self._token_file(name, space)
        return StoreWithTokens(rows, tokens) if tokens.exists else rows

    def tokens(self, generation: Generation) -> TokenFile:
        """Where the token vectors of a generation are, or would be."""
        return self._token_file(self._safe(generation.name), generation.space)

    def _token_file(self, collection: str, space: Space) -> TokenFile:
        return TokenFile(self.folder / VECTORS / f"{collection}{SUFFIX}", space.digest)

    @contextmanager
    def writing(self, generation: Generation, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Hold the right to write a generation for the time of the block: one process has it, others wait.

        A killed process gives it back. `waiting` is called once when another process has it.
        """
        from filelock import FileLock, Timeout

        self._secure(self._safe(generation.name))
        lock = FileLock(self.lock_file(generation, "lock"), mode=PRIVATE_FILE)
        try:
            try:
                lock.acquire(timeout=0)
            except Timeout:
                if waiting:
                    waiting()
                lock.acquire(poll_interval=POLL_SECONDS)
        except OSError as error:
            raise not_writable(self.lock_file(generation, "lock"), error.strerror or str(error)) from error
        try:
            yield
        finally:
            make_private(self._written(generation.name))
            lock.release()

    def lock_file(self, generation: Generation, kind: str) -> Path:
        """The file of a lock: of whoever writes (``lock``), or of those who read (``read``, `embassay.sets.holds`)."""
        return self.folder / LOCKS / f"{self._safe(generation.name)}.{kind}"

    def forget(self, generation: Generation) -> None:
        """Remove the locks of a generation that is no more, what was said in the background while it was built, and its
        token vectors."""
        for kind in ("lock", "read", "log"):
            self.lock_file(generation, kind).unlink(missing_ok=True)
        self.tokens(generation).remove()

    def _secure(self, collection: str = "") -> None:
        """Make private what is the home's own. Raises HomeNotWritable for a link where a file of its own would be.

        All of the home is looked at once; later what belongs to `collection`, so that the thousandth set of a home is
        opened as fast as its first.
        """
        only = f"{collection}." if collection and self._secured else ""
        try:
            there = [*os.scandir(self.folder)]
            entries = [entry for entry in there if _OURS.fullmatch(entry.name)]
            inner = [e for name in (LOCKS, VECTORS) for e in _entries(self.folder / name, only)]
            parts = [e for table in inner if table.is_dir(follow_symlinks=False) for e in _entries(Path(table.path))]
        except OSError as error:
            raise HomeNotWritable(f"{self.folder} cannot be read: {error.strerror}.") from error
        named = (entry for entry in (*entries, *inner, *parts) if entry.name != ".gitignore")  # never written again
        refuse_links(Path(entry.path) for entry in named if entry.is_symlink())
        only_a_home = self.folder.name == HOME_FOLDER or len(entries) == len(there)
        loose = (Path(entry.path) for entry in (*entries, *inner) if _is_open_to_others(entry))
        make_private([*([self.folder] if only_a_home else []), *loose])
        self._secured = True

    def _safe(self, name: str) -> str:
        """The name of a collection, which a state that came with a checkout may say. Raises HomeCorrupt."""
        if not _NAME.fullmatch(name):
            raise HomeCorrupt(f"{self.state_file} is damaged: {name!r} is no name of a generation.")
        return name

    def _written(self, collection: str) -> Iterable[Path]:
        """What a store has written for a collection since this was asked last: many small writes leave many files."""
        known, there = self._seen.get(collection, frozenset()), set()
        folders = (entry.path for entry in _entries(self.folder / VECTORS, f"{collection}."))
        for folder, _, files in (found for top in folders for found in os.walk(top)):
            there.add(folder)
            there.update(os.path.join(folder, file) for file in files)
        self._seen[collection] = frozenset(there)
        return map(Path, there - known)

    def sizes(self) -> dict[str, int]:
        """Bytes of each collection that lies in files of this home, by its name; no store is opened for it."""
        found: Counter[str] = Counter()
        for table in _entries(self.folder / VECTORS):
            found[table.name.partition(".")[0]] += _size(table)
        return dict(found)

    def name_of(self, file: Path) -> str:
        """A source's name: relative to the root where it lies inside, with ``/``; else absolute.

        Names follow the path as given; links are resolved only where that shows that a file lies inside. Accents and
        syllables are composed, whatever form the file system keeps them in (see `file_on_disk`); where that is the
        name of another file, `OTHER_FORM` stands behind it.
        """
        given, root = Path(os.path.abspath(file)), Path(os.path.abspath(self.root))
        if not given.is_relative_to(root):
            real, real_root = given.parent.resolve() / given.name, root.resolve()
            given, root = (real, real_root) if real.is_relative_to(real_root) else (given, root)
        spelled = (given.relative_to(root) if given.is_relative_to(root) else given).as_posix()
        name = composed(spelled)
        return name + OTHER_FORM if name != spelled and _is_another(self.file_of(name), file) else name

    def file_of(self, name: str) -> Path:
        """The absolute path of a source, from the name that `name_of` gave it."""
        return Path(os.path.abspath(self.root)) / name

    def file_on_disk(self, name: str) -> Path:
        """The same, spelled as the file system does, which may keep accents and syllables in parts."""
        file = self.file_of(name)
        if name.isascii() or file.exists():
            return file
        other = name.endswith(OTHER_FORM)
        file = self.file_of(name.removesuffix(OTHER_FORM))
        found = Path(file.anchor)
        for part in file.parts[1:]:
            exact = found / part
            if not exact.exists() or (other and exact == file):
                exact = next(
                    (Path(e.path) for e in _entries(found) if e.name != part and composed(e.name) == composed(part)),
                    exact,
                )
            found = exact
        return found


def is_named(given: str | Path | None) -> bool:
    """Whether the user says which home is meant, by an argument or by EMBASSAY_HOME."""
    return bool(given or os.environ.get("EMBASSAY_HOME"))


def made_home(given: str | Path | None = None) -> HomeFolder:
    """The home that is named, made where it is missing. Raises HomeNotWritable."""
    home = find_home(given, create=True)
    if not home.folder.is_dir():
        home.make()
    return home


def find_home(given: str | Path | None = None, *, create: bool = False) -> HomeFolder:
    """`given`, else EMBASSAY_HOME, else the nearest ``.embassay`` here or above, else (with `create`) one here.

    Raises HomeNotFound.
    """
    chosen = given or os.environ.get("EMBASSAY_HOME")
    if chosen:
        folder = expanded(chosen).absolute()
        if folder.exists() and not folder.is_dir():
            raise HomeNotWritable(
                f"{folder} is a file, not a folder.", remedy=remedy.option("home", "DIR", say="Choose another with {}.")
            )
        if create or folder.is_dir():
            return HomeFolder(folder)
        raise HomeNotFound(
            f"there is no home at {folder}.", remedy=remedy.command("index", "FOLDER", home="DIR", say="Make one")
        )
    here = Path.cwd()
    for parent in (here, *here.parents):
        folder = parent / HOME_FOLDER
        if folder.is_symlink():
            mend = remedy.option("home", os.path.realpath(folder), say="Name the home that is meant: {}")
            raise HomeNotFound(f"{folder} is a link, which is only followed where a home is named.", remedy=mend)
        if folder.is_dir():
            return HomeFolder(folder)
    if create:
        return HomeFolder(here / HOME_FOLDER)
    raise HomeNotFound(
        f"no {HOME_FOLDER}/ in {here} or above.", remedy=remedy.command("index", "FOLDER", say="Make one")
    )


def _is_open_to_others(entry: os.DirEntry[str]) -> bool:
    try:
        return bool(entry.stat(follow_symlinks=False).st_mode & OTHERS)
    except OSError:  # SQLite removes the files beside a database when it is closed
        return False


def _is_another(one: Path, file: Path) -> bool:
    """Whether `one` is there and is not `file`: some file systems find a file by either form of its name."""
    try:
        return one.exists() and not one.samefile(file)
    except OSError:  # `file` is gone
        return True


def _entries(folder: Path, start: str = "") -> list[os.DirEntry[str]]:
    """What a folder holds whose name begins with `start`; nothing where it is none, or is a link."""
    try:
        if not stat.S_ISDIR(folder.lstat().st_mode):
            return []
        return [entry for entry in os.scandir(folder) if entry.name.startswith(start)]
    except OSError:
        return []


def _size(entry: os.DirEntry[str]) -> int:
    """Bytes of a file, or of all files of a folder; no link is followed."""
    try:
        if entry.is_dir(follow_symlinks=False):
            with os.scandir(entry.path) as inner:
                return sum(map(_size, inner))
        return entry.stat(follow_symlinks=False).st_size
    except OSError:  # it is being removed, or compacted
        return 0
