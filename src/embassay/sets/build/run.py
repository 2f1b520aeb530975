"""An index run: files to rows, incremental, and safe to kill at any moment.

Three threads: one reads, cuts and tokenises; the engine infers; one writes. Rows and bookkeeping are written
in checkpoints: the sources concerned are marked pending, rows are upserted by content-derived keys, stale
rows are deleted, then the sources are settled. Whatever moment the run dies at, the next one repeats what is
pending and arrives at the same rows.
"""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Any

from embassay.errors import CacheError, NotText, ReadError
from embassay.ingest.base import Source
from embassay.ingest.chunk import Chunker, Memory
from embassay.ingest.read import read
from embassay.sets.build.plan import Plan, Task
from embassay.sets.build.progress import Progress
from embassay.sets.state import Generation, State
from embassay.sets.build.tally import Checkpoint, Entry, Tally, as_read
from embassay.space import check_space
from embassay.vectors import comparable
from embassay.stores.base import Snapshot, Store
from embassay.stores.values import VECTOR
from embassay.types import NO_USAGE, Chunk, Document

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings

CHECKPOINT_ROWS = 4096
CHECKPOINT_SECONDS = 5.0
FOLD_ROWS = 16_384
"""New rows after which indexes are extended during a run, so that searches beside it stay fast."""
GROUP_FILES = 128
GROUP_DOCUMENTS = 512
GROUP_CHARS = 1_000_000
"""Documents are cut in groups of at most so many: the tokenizer works on a group at once."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What an index run did."""

    set: str
    space: str
    files: int
    """Files read in this run."""
    unchanged: int
    removed: int
    """Files whose rows went because the file is gone."""
    embedded: int
    """Chunks whose text was new."""
    chunks: int
    """In the set, after the run."""
    skipped: tuple[tuple[str, str], ...]
    """(path, reason) of files that were left out on purpose."""
    quarantined: tuple[tuple[str, str], ...]
    """(path, reason) of files, or records of files, that could not be read."""
    seconds: float
    cached: int = 0
    """Of `embedded`, those whose vectors were in the cache."""
    usd: float | None = 0.0
    """Paid to providers; None where one did not say how much it counted."""

    def to_dict(self) -> dict[str, Any]:
        pairs = {"skipped": self.skipped, "quarantined": self.quarantined}
        plain = {
            name: getattr(self, name)
            for name in ("set", "space", "files", "unchanged", "removed", "embedded", "cached", "chunks", "usd")
        }
        listed = {name: [{"path": p, "reason": r} for p, r in rows] for name, rows in pairs.items()}
        return plain | listed | {"seconds": round(self.seconds, 3)}


class Build:
    """One run over one generation. The caller holds the right to write it."""

    def __init__(
        self,
        state: State,
        generation: Generation,
        store: Store,
        embedder: Embedder,
        progress: Progress | None = None,
        cuts: Memory | None = None,
    ) -> None:
        self._state, self._generation, self._store, self._embedder = state, generation, store, embedder
        self._progress, self._cuts = progress or Progress(), cuts
        self._entries: deque[Entry] = deque()
        self._stopping = False
        self._skipped: list[tuple[str, str]] = []
        self._usage = NO_USAGE
        self._done_bytes = self._stored = self._embedded = self._unfolded = 0
        self._writing: Future[None] | None = None

    def run(self, plan: Plan) -> IndexReport:
        """Carry out `plan`. On Ctrl-C or an error what was embedded so far is stored before it goes on."""
        started = time.monotonic()
        self._progress.start(plan.bytes, len(plan.tasks))
        with ThreadPoolExecutor(1, "write") as writer:
            self._remove(plan.gone)
            self._embed_all(plan, writer)
        changed = bool(self._stored or plan.gone or self._unfolded)
        with self._store.snapshot() as stored:
            unindexed = any(stored.stats().unindexed.values())
        if changed or unindexed:
            self._progress.note("indexing")
            self._store.optimise(thorough=True)
        return self._report(plan, time.monotonic() - started)

    def _embed_all(self, plan: Plan, writer: ThreadPoolExecutor) -> None:
        checkpoint = Checkpoint()
        since = time.monotonic()
        texts = self._texts(plan.tasks)
        try:
            with closing(self._vectors(texts)) as blocks:
                for block in blocks:
                    self._collect(checkpoint, block)
                    if checkpoint.size >= CHECKPOINT_ROWS or time.monotonic() - since > CHECKPOINT_SECONDS:
                        self._submit(writer, checkpoint)
                        checkpoint, since = Checkpoint(), time.monotonic()
            self._collect(checkpoint, None)
        except BaseException:
            self._stopping = True  # the reading thread looks at it: without it, closing would wait for a window
            raise
        finally:
            self._submit(writer, checkpoint)
            self._wait()

    def _vectors(self, texts: Iterator[str]) -> Generator[Embeddings, None, None]:
        """The texts as vectors of length 1, block by block. The model is not even loaded when there is no text."""
        first = next(texts, None)
        if first is None:
            return
        for block in self._embedder.stream(chain([first], texts), "document"):
            self._embedded += len(block)
            check_space(block.space, self._generation.space, self._generation.set_name)
            self._usage += block.usage
            yield replace(block, vectors=comparable(block.vectors, block.space))

    # -- reading: runs in the tokeniser's thread ------------------------------------------------------------

    def _texts(self, tasks: list[Task]) -> Iterator[str]:
        """Texts to embed, in order; every chunk and every end of a source is noted in `_entries` before."""
        with self._store.snapshot() as snapshot:
            yield from self._texts_beside(snapshot, tasks)

    def _texts_beside(self, snapshot: Snapshot, tasks: list[Task]) -> Iterator[str]:
        chunker = Chunker(
            self._embedder.tokens,
            self._generation.settings.get("chunk_tokens"),
            self._embedder.space.document_prompt,
            self._cuts,
        )
        for group in _groups(self._documents(tasks, snapshot)):
            if self._stopping:
                return
            documents = [document for _, document in group if document is not None]
            cut = iter(self._cut(chunker, documents))
            for tally, document in group:
                if document is None:
                    self._entries.append(Entry(tally))
                    continue
                tally.documents += 1
                chunks = next(cut)
                if isinstance(chunks, Exception):
                    tally.refuse(f"{type(chunks).__name__} while it was cut: {chunks}")
                    continue
                for chunk in chunks:
                    yield from self._note(tally, chunk)

    def _cut(self, chunker: Chunker, documents: list[Document]) -> list[list[Chunk] | Exception]:
        """Chunks of each document, or what kept it from being cut: one document must not stop the others."""
        try:
            return list(chunker.chunk(documents)) if documents else []
        except CacheError:
            raise
        except Exception as error:
            if len(documents) == 1:
                return [error]
            return [result for document in documents for result in self._cut(chunker, [document])]

    def _note(self, tally: Tally, chunk: Chunk) -> Iterator[str]:
        tally.chunks += 1
        tally.truncated += chunk.truncated
        old = tally.existing.pop(chunk.key, None)
        if old is None:
            self._entries.append(Entry(tally, chunk, embed=True))
            yield chunk.indexed
        elif old != chunk:
            self._entries.append(Entry(tally, chunk))

    def _documents(self, tasks: list[Task], snapshot: Snapshot) -> Iterator[tuple[Tally, Document | None]]:
        """Every document with its source; (source, None) ends a source."""
        for at in range(0, len(tasks), GROUP_FILES):
            tallies = [Tally(task) for task in tasks[at : at + GROUP_FILES]]
            known = {t.task.name: t for t in tallies if t.task.row}
            for chunk in snapshot.chunks(known) if known else ():
                known[chunk.path].existing[chunk.key] = chunk
            for tally in tallies:
                if self._stopping:
                    return
                yield from ((tally, document) for document in self._read(tally))
                yield tally, None

    def _read(self, tally: Tally) -> Iterator[Document]:
        task, row = tally.task, tally.task.row
        tally.read_at = time.time_ns()
        source = Source(task.found.file, task.name)
        try:
            with task.found.file.open("rb") as stream:
                tally.digest = hashlib.file_digest(stream, "sha256").hexdigest()
            if (
                row
                and row.state == "ok"
                and (row.digest, row.chunks, row.reason)
                == (
                    tally.digest,
                    len(tally.existing),
                    "",
                )
            ):
                tally.untouched = True
                return
            for document in read(source):
                if isinstance(document, ReadError):
                    tally.refuse(document.message)
                else:
                    tally.readable = True
                    yield document
        except NotText as error:
            tally.skipped = error.message
        except (ReadError, OSError) as error:
            tally.refuse(error.message if isinstance(error, ReadError) else error.strerror or str(error))

    # -- collecting: runs in the thread that called `run` ---------------------------------------------------

    def _collect(self, checkpoint: Checkpoint, block: Embeddings | None) -> None:
        """Take entries up to the last of `block`, and those behind it that need no vector."""
        used, count = 0, 0 if block is None else len(block)
        while self._entries and (used < count or not self._entries[0].embed):
            entry = self._entries.popleft()
            checkpoint.touched[entry.tally.task.name] = entry.tally
            self._done_bytes += entry.tally.advance(entry.chunk)
            if entry.chunk is None:
                checkpoint.finished.append(entry.tally)
                if entry.tally.skipped:
                    self._skipped.append((entry.tally.task.name, entry.tally.skipped))
            elif entry.embed:
                assert block is not None
                if used in block.refused:
                    entry.tally.chunks -= 1
                    entry.tally.refuse(f"lines {entry.chunk.lines[0]}-{entry.chunk.lines[1]}: {block.refused[used]}")
                else:
                    checkpoint.chunks.append(as_read(entry, cut=block.truncated[used]))
                    checkpoint.vectors.append(block.vectors[used])
                used += 1
            else:
                checkpoint.moved.append(entry.chunk)
        self._progress.advance(self._done_bytes, self._embedded)

    def _submit(self, writer: ThreadPoolExecutor, checkpoint: Checkpoint) -> None:
        """One checkpoint is written while the next is collected."""
        self._wait()
        if checkpoint.touched:
            self._writing = writer.submit(self._write, checkpoint)

    def _wait(self) -> None:
        if self._writing:
            writing, self._writing = self._writing, None
            writing.result()

    # -- writing: runs in the writer's thread ---------------------------------------------------------------

    def _write(self, checkpoint: Checkpoint) -> None:
        import numpy as np

        stale = [
            key for tally in checkpoint.finished if not (tally.failed or tally.untouched) for key in tally.existing
        ]
        if checkpoint.rows or stale:
            self._state.put(self._generation, [tally.row("pending") for tally in checkpoint.touched.values()])
        if checkpoint.moved:
            with self._store.snapshot() as before:
                stored = before.vectors([chunk.key for chunk in checkpoint.moved])
            checkpoint.chunks += checkpoint.moved
            checkpoint.vectors += [stored[chunk.key] for chunk in checkpoint.moved]
        if checkpoint.chunks:
            self._store.upsert(checkpoint.chunks, {VECTOR: np.stack(checkpoint.vectors)})
        if stale:
            self._store.delete(stale)
        states = [(tally, "failed" if tally.failed else "ok") for tally in checkpoint.finished]
        self._state.put(self._generation, [tally.row(state) for tally, state in states])
        self._stored += len(checkpoint.chunks) + len(stale)
        self._unfolded += len(checkpoint.chunks)
        if self._unfolded >= FOLD_ROWS:
            self._store.optimise()
            self._unfolded = 0

    def _remove(self, gone: list[str]) -> None:
        if not gone:
            return
        with self._store.snapshot() as stored:
            keys = [chunk.key for chunk in stored.chunks(gone)]
        self._store.delete(keys)
        self._state.forget(self._generation, gone)

    def _report(self, plan: Plan, seconds: float) -> IndexReport:
        quarantined = tuple((row.path, row.reason) for row in self._state.sources(self._generation) if row.reason)
        with self._store.snapshot() as stored:
            chunks = stored.count()
        return IndexReport(
            set=self._generation.set_name,
            space=str(self._generation.space),
            files=len(plan.tasks),
            unchanged=plan.unchanged,
            removed=len(plan.gone),
            embedded=self._embedded,
            chunks=chunks,
            skipped=(*plan.skipped, *self._skipped),
            quarantined=quarantined,
            seconds=seconds,
            cached=self._usage.cached,
            usd=self._usage.usd,
        )


def _groups(items: Iterable[tuple[Tally, Document | None]]) -> Iterator[list[tuple[Tally, Document | None]]]:
    group: list[tuple[Tally, Document | None]] = []
    chars = 0
    for item in items:
        group.append(item)
        chars += len(item[1].text) if item[1] else 0
        if len(group) >= GROUP_DOCUMENTS or chars >= GROUP_CHARS:
            yield group
            group, chars = [], 0
    if group:
        yield group
