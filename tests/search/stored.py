"""Rows of an exact store, as stages see them: for tests of stages that read vectors or texts."""

from collections.abc import Sequence
from contextlib import contextmanager

import numpy as np

from embassay.search.base import Candidates, Found
from embassay.search.context import Context
from embassay.search.stages.dense import Dense
from embassay.stores.opening import EXACT, open_collection
from embassay.stores.values import VECTOR, Collection, Scored
from embassay.types import Chunk


def row(at: int, text: str = "", document: str = "") -> Chunk:
    name = document or f"doc-{at}"
    return Chunk(f"key-{at}", name, name.partition("#")[0], "", text or f"text {at}", 0, (1, 1), (at, at + 1), 3)


@contextmanager
def opened(chunks: Sequence[Chunk], vectors, tmp_path=None):
    """A snapshot whose refs are the places of `chunks`. A store in memory asks nothing of a folder."""
    vectors = np.asarray(vectors, np.float32)
    store = open_collection(EXACT, tmp_path, Collection.single("rows", vectors.shape[1]), create=True)
    store.upsert(chunks, {VECTOR: vectors})
    with store.snapshot() as version:
        yield version


def on(version, query: str = "the query", vector=None, **options) -> Context:
    """A context over a snapshot. `vector` is that of the query."""
    made = np.asarray(vector if vector is not None else [1.0, 0.0], np.float32)
    return Context(query, lambda: version, lambda text, role: made, **options)


def ranked(*refs: int, scores: Sequence[float] | None = None) -> Candidates:
    """One arm that found these rows, best first."""
    given = scores or [1 - at / 1000 for at in range(len(refs))]
    scored = [Scored(ref, score) for ref, score in zip(refs, given, strict=True)]
    return Candidates({"dense": Found(Dense(), scored)}, scored)


def refs(candidates: Candidates) -> list[int]:
    return [one.ref for one in candidates.ranking]


def everyone(candidates: Candidates) -> list[int]:
    """Each that stays or stands behind one."""
    behind = [one.ref for ref in refs(candidates) for one in candidates.behind.get(ref, ())]
    return sorted([*refs(candidates), *behind])
