"""A set in memory that dies at a chosen moment, as a killed process would, and what its rows should be."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from embassay.embedders.base import Embedder
from embassay.ingest.chunk import Chunker
from embassay.sets.build.report import IndexReport
from embassay.sets.build.run import build
from embassay.sets.build.writer import Writer
from embassay.sets.spec import SetSpec
from embassay.sets.state import Generation, State
from embassay.stores.backends.memory import MemoryStore
from embassay.stores.values import VECTOR, Collection
from tests.embedders.fakes import counting
from tests.sets.build.records import Records, document

DIMENSIONS = 64


class Died(BaseException):
    """Not an Exception: nothing may catch it and go on."""


@dataclass
class Life:
    """How many operations are left before the process dies; None: it lives. The dead do nothing more."""

    left: int | None = None
    seen: list[str] = field(default_factory=list)

    def tick(self, what: str) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Died(what)
        self.seen.append(what)


class MortalStore(MemoryStore):
    def __init__(self, life: Life) -> None:
        super().__init__(Collection.single("g1", DIMENSIONS))
        self.life = life

    def upsert(self, chunks, vectors, stale=()):
        """In two versions, as a store writes that cannot do it in one: a process may die between them."""
        self.life.tick("upsert")
        super().upsert(chunks, vectors)
        self.life.tick("upserted")
        if stale:
            self.delete(stale)

    def delete(self, keys):
        self.life.tick("delete")
        super().delete(keys)
        self.life.tick("deleted")


class MortalState(State):
    life: Life

    def put(self, generation, rows, records=()):
        rows = list(rows)
        self.life.tick(f"put {'pending' if any(row.state == 'pending' for row in rows) else 'settled'}")
        super().put(generation, rows, records)
        self.life.tick("put")

    def forget(self, generation, paths):
        self.life.tick("forget")
        super().forget(generation, paths)
        self.life.tick("forgot")


class TinySet:
    """One set of records, in memory, with its bookkeeping in a real state.db."""

    def __init__(self, folder: Path) -> None:
        self.life = Life()
        self.store = MortalStore(self.life)
        self.state = MortalState(folder / "state.db", create=True)
        self.state.life = self.life
        self.generation = new_generation(self.state)
        self.chunker = Chunker(counting(DIMENSIONS).tokens, 24)

    def run(self, records: Mapping[str, str], embedder: Embedder | None = None, **parameters) -> IndexReport:
        source = Records(records, self.state.sources(self.generation), self.store, self.chunker)
        writer = Writer(self.state, self.generation, self.store, **parameters)
        return build(source, writer, embedder or counting(DIMENSIONS))

    def rows(self) -> dict[str, tuple[object, list[float]]]:
        found = {}
        with self.store.snapshot() as version:
            for chunks, by_label in version.scan():
                found |= {c.key: (c, v.tolist()) for c, v in zip(chunks, by_label[VECTOR], strict=True)}
        return found


def new_generation(state: State) -> Generation:
    space = counting(DIMENSIONS).space
    return state.create("default", "g1", space, SetSpec("hash", "f32", 24, "en", "memory"))


def expected_rows(
    records: Mapping[str, str], chunker: Chunker, refuses: str = ""
) -> dict[str, tuple[object, list[float]]]:
    """The oracle: every record cut and every chunk embedded alone, whatever was in the set before."""
    embedder = counting(DIMENSIONS)
    documents = [document(name, text) for name, text in records.items()]
    chunks = itertools.chain.from_iterable(chunker.chunk([one])[0] for one in documents)
    return {
        chunk.key: (chunk, np.asarray(embedder.embed([chunk.indexed], "document").vectors[0]).tolist())
        for chunk in chunks
        if not (refuses and refuses in chunk.indexed)
    }
