"""From files to chunks: walk, read, chunk. Whoever needs documents or chunks of files takes them from here.

    find(paths)                       -> the files under some paths
    read_file(owner, file, isolation) -> Loaded | Omitted | Unreadable | NoText, in the order of the file, then FileEnd
    chunked(steps, chunker)           -> the same steps, with Chunked (or Uncut) in the place of Loaded

Each step names its owner: whatever the caller wants to know the file by. An index run keeps its bookkeeping of a file
there. Nothing that is wrong with one file or one document stops the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from embassay.errors import CacheError, NotText, ReadError
from embassay.ingest.base import LeftOut, Read, SourceFile
from embassay.ingest.chunk import Chunker
from embassay.ingest.defaults import MAX_FILE_MB
from embassay.ingest.exclude import NOTHING, Exclusions
from embassay.ingest.isolation import Isolation
from embassay.ingest.read import streams
from embassay.ingest.scope import Scope
from embassay.ingest.walk import FoundFile, walk
from embassay.types import Chunk, Document

if TYPE_CHECKING:
    from embassay.types import Counts

GROUP_DOCUMENTS = 512
GROUP_CHARS = 50_000
GROUP_SECONDS = 1.0
"""Documents are cut in groups, because a tokenizer works on many texts at once. A group ends after so many steps or
characters, or when reading has taken so long, so that slow files do not hold back what was read before them, and the
first chunks come soon: a million characters take no less work together than in parts, but all come at the end."""

Owner = TypeVar("Owner")


@dataclass(frozen=True, slots=True)
class Loaded(Generic[Owner]):
    """A document was read."""

    owner: Owner
    document: Document


@dataclass(frozen=True, slots=True)
class Chunked(Generic[Owner]):
    """A document was read and cut."""

    owner: Owner
    document: Document
    chunks: list[Chunk]


@dataclass(frozen=True, slots=True)
class Uncut(Generic[Owner]):
    """A document was read, but cutting it failed."""

    owner: Owner
    document: Document
    error: Exception


@dataclass(frozen=True, slots=True)
class Unreadable(Generic[Owner]):
    """The file, or one record of it, could not be read."""

    owner: Owner
    error: ReadError


@dataclass(frozen=True, slots=True)
class Omitted(Generic[Owner]):
    """A part of the file gives no text, though nothing failed."""

    owner: Owner
    part: LeftOut


@dataclass(frozen=True, slots=True)
class NoText(Generic[Owner]):
    """The file holds no text: it is no document at all."""

    owner: Owner
    reason: str


@dataclass(frozen=True, slots=True)
class FileEnd(Generic[Owner]):
    """Nothing more comes from this owner."""

    owner: Owner


ReadStep = Loaded[Owner] | Omitted[Owner] | Unreadable[Owner] | NoText[Owner] | FileEnd[Owner]
CutStep = Chunked[Owner] | Uncut[Owner] | Omitted[Owner] | Unreadable[Owner] | NoText[Owner] | FileEnd[Owner]


def find(
    paths: Iterable[Path],
    *,
    max_file_mb: float = MAX_FILE_MB,
    exclude: Exclusions = NOTHING,
    only: Scope | None = None,
) -> Iterator[FoundFile]:
    """The files under `paths`, those that are left out with the reason; with `only`, those of them that it holds.

    Raises UsageError for a path that is none.
    """
    return walk(paths, max_bytes=int(max_file_mb * 1e6), streams=streams(), exclude=exclude, only=only)


def read_file(owner: Owner, file: SourceFile, isolation: Isolation) -> Iterator[ReadStep[Owner]]:
    """What reading a file brings, step by step; the last step is FileEnd, whatever happened before.

    `isolation` reads it within limits; one serves all files of a run.
    """
    try:
        for read in isolation.read(file):
            yield _step(owner, read)
    except NotText as error:
        yield NoText(owner, error.message)
    except ReadError as error:
        yield Unreadable(owner, error)
    yield FileEnd(owner)


def _step(owner: Owner, read: Read) -> ReadStep[Owner]:
    if isinstance(read, ReadError):
        return Unreadable(owner, read)
    return Omitted(owner, read) if isinstance(read, LeftOut) else Loaded(owner, read)


def chunked(
    steps: Iterable[ReadStep[Owner]], chunker: Chunker, *, seconds: float = GROUP_SECONDS
) -> Iterator[CutStep[Owner]]:
    """The same steps in the same order, each document with its chunks. Raises CacheError of the chunker's memory.

    `seconds`: how long documents may be waited for before those that are there are cut.
    """
    for group in _groups(steps, seconds):
        cut = iter(_cut(chunker, [step.document for step in group if isinstance(step, Loaded)]))
        for step in group:
            if not isinstance(step, Loaded):
                yield step
            elif isinstance(chunks := next(cut), Exception):
                yield Uncut(step.owner, step.document, chunks)
            else:
                yield Chunked(step.owner, step.document, chunks)


def read_all(
    paths: Iterable[Path],
    *,
    max_file_mb: float = MAX_FILE_MB,
    name: Callable[[Path], str] = Path.as_posix,
    skip: Callable[[Path], bool] = lambda _: False,
    exclude: Exclusions = NOTHING,
) -> Iterator[ReadStep[FoundFile]]:
    """What reading every file under `paths` brings; files that are left out bring nothing.

    `name` is what a file is called in the ids of its documents; `skip` and `exclude` leave files out. Raises
    UsageError for a path that does not exist.
    """
    with Isolation() as isolation:
        for found in find(paths, max_file_mb=max_file_mb, exclude=exclude):
            if not found.skip and not skip(found.file):
                yield from read_file(found, SourceFile(found.file, name(found.file)), isolation)


def documents_of(
    paths: Iterable[Path],
    *,
    name: Callable[[Path], str] = Path.as_posix,
    skip: Callable[[Path], bool] = lambda _: False,
    exclude: Exclusions = NOTHING,
) -> Iterator[Document]:
    """Every document under `paths` that can be read, in order; the arguments are those of `read_all`."""
    for step in read_all(paths, name=name, skip=skip, exclude=exclude):
        if isinstance(step, Loaded):
            yield step.document


def cut_all(documents: Iterable[Document], chunker: Chunker) -> Iterator[tuple[Document, list[Chunk]]]:
    """Each of the documents that can be cut, with its chunks, in order."""
    for step in chunked((Loaded(None, document) for document in documents), chunker):
        if isinstance(step, Chunked):
            yield step.document, step.chunks


def chunks_of(paths: Iterable[Path], tokens: Counts, *, prompt: str = "") -> Iterator[Chunk]:
    """The chunks of every document under `paths` that can be read, in order, as an index run would cut them.

    Raises UsageError for a path that does not exist.
    """
    for step in chunked(read_all(paths), Chunker(tokens, prompt=prompt)):
        if isinstance(step, Chunked):
            yield from step.chunks


def _groups(steps: Iterable[ReadStep[Owner]], seconds: float) -> Iterator[list[ReadStep[Owner]]]:
    group: list[ReadStep[Owner]] = []
    chars, since = 0, time.monotonic()
    for step in steps:
        group.append(step)
        chars += len(step.document.text) if isinstance(step, Loaded) else 0
        if len(group) >= GROUP_DOCUMENTS or chars >= GROUP_CHARS or time.monotonic() - since > seconds:
            yield group
            group, chars, since = [], 0, time.monotonic()
    if group:
        yield group


def _cut(chunker: Chunker, documents: list[Document]) -> list[list[Chunk] | Exception]:
    """The chunks of each document, or what kept it from being cut.

    Where a group fails, each of its documents is cut alone, so that the others do not suffer. A failing memory is no
    document's fault and is raised.
    """
    try:
        return list(chunker.chunk(documents)) if documents else []
    except CacheError:
        raise
    except Exception as error:  # the splitter and the grammars are not ours
        if len(documents) == 1:
            return [error]
        return [result for document in documents for result in _cut(chunker, [document])]
