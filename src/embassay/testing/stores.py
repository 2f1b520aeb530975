"""What every store has to do, checked against the exact one in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from embassay.stores.backends.memory import MemoryStore
from embassay.stores.filters import parse
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.stores.base import Store
    from embassay.types import Vectors

WORDS = "key rotate proxy server index vector search cache token model query document chunk space graph layer".split()
FILTERS = (
    'path ~ "docs/*.md"',
    'path ~ "**/a?.md"',
    'lang = "de"',
    'lang != "de"',
    'not lang = "de"',
    "year >= 2020",
    "year < 2019.5 and draft = true",
    'lang in ("de", "it\'s") or year = 2021',
    'year in (2018, 2021, "2019")',
    'not (path ~ "docs/**" or draft = false)',
    'missing = "x"',
    'not missing = "x"',
    'section = "Top > Sub \\"quoted\\""',
    'meta.path = "inner"',
    'lang > "d"',
)


def sample_chunks(count: int, dimensions: int, seed: int = 0) -> tuple[list[Chunk], Vectors]:
    """Chunks with words, paths and metadata of all kinds, and unit vectors (count, dimensions)."""
    import numpy as np

    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(count, dimensions)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    chunks = []
    for i in range(count):
        body = " ".join(rng.choice(WORDS, size=int(rng.integers(3, 30)))) + f" unique{i}"
        folder = ("docs", "docs/deep", "notes", "it's")[i % 4]
        metadata: dict[str, str | int | float | bool] = {"year": 2015 + i % 8, "draft": i % 3 == 0}
        if i % 5:
            metadata["lang"] = ("de", "en", "it's", "日本")[i % 4]
        if i % 7 == 0:
            metadata["path"] = "inner"
        chunks.append(
            Chunk(
                key=f"{i:032x}",
                document=f"{folder}/a{i % 12}.md",
                path=f"{folder}/a{i % 12}.md",
                section='Top > Sub "quoted"' if i % 2 else "",
                indexed=f"Context\n{body}",
                body_at=8,
                lines=(i, i + 2),
                span=(10 * i, 10 * i + len(body)),
                tokens=len(body.split()),
                truncated=i % 11 == 0,
                metadata=metadata,
            )
        )
    return chunks, vectors


def check_store(make: Callable[[], Store], rows: int = 300) -> None:
    """Run the whole suite. `make` opens the same, at first empty, collection every time it is called.

    Raises AssertionError with what differs.
    """
    store = make()
    chunks, vectors = sample_chunks(rows, store.dimensions)
    oracle = MemoryStore(store.dimensions)
    _empty(store, vectors)
    for target in (store, oracle):
        target.upsert(chunks, vectors)
    _same(store, oracle, vectors)
    store.upsert(chunks[: rows // 2], vectors[: rows // 2])
    assert store.snapshot().count() == rows, "an upsert of the same rows must change nothing"
    store.optimise(thorough=True)
    _same(store, oracle, vectors)
    _words(store, chunks)
    _strange_queries(store)
    _updates(store, oracle, chunks, vectors)
    _isolation(store, chunks, vectors)
    reopened = make()
    if reopened.snapshot().count():
        _same(reopened, store, vectors)
    store.drop()


def _empty(store: Store, vectors: Vectors) -> None:
    snapshot = store.snapshot()
    assert snapshot.count() == 0
    assert snapshot.dense(vectors[0], 5) == [] and snapshot.lexical("key", 5) == []
    assert snapshot.fetch([]) == [] and snapshot.vectors(["0"]) == {} and list(snapshot.chunks(["a"])) == []
    assert all(not chunks for chunks, _ in snapshot.scan())
    store.optimise(thorough=True)


def _same(store: Store, oracle: Store, vectors: Vectors) -> None:
    """Equal contents, equal filters, equal dense rankings."""
    import numpy as np

    ours, exact = store.snapshot(), oracle.snapshot()
    assert _contents(store) == _contents(oracle)
    for text in (None, *FILTERS):
        where = parse(text) if text else None
        assert ours.count(where) == exact.count(where), f"filter {text}"
        for vector in vectors[:3]:
            left = ours.dense(vector, 10, where)
            right = exact.dense(vector, 10, where)
            keys = [c.key for c in ours.fetch([s.ref for s in left])]
            assert keys == [c.key for c in exact.fetch([s.ref for s in right])], f"dense under {text}"
            assert np.allclose([s.score for s in left], [s.score for s in right], atol=1e-4)
        found = {c.key for c in ours.fetch([s.ref for s in ours.lexical("rotate key", 10_000, where)])}
        assert found == {c.key for c in exact.fetch([s.ref for s in exact.lexical("rotate key", 10_000, where)])}


def _contents(store: Store) -> dict[str, Chunk]:
    return {chunk.key: chunk for chunks, _ in store.snapshot().scan() for chunk in chunks}


def _words(store: Store, chunks: Sequence[Chunk]) -> None:
    snapshot = store.snapshot()
    for i in (0, 7, len(chunks) - 1):
        best = snapshot.lexical(f"which one is unique{i}?", 5)
        assert snapshot.fetch([best[0].ref])[0].key == chunks[i].key, "a rare word decides"
    scores = [s.score for s in snapshot.lexical("vector search cache", 50)]
    assert scores == sorted(scores, reverse=True) and all(score > 0 for score in scores)
    assert len(snapshot.lexical("key", 7)) == 7


def _strange_queries(store: Store) -> None:
    """No string is a syntax error."""
    snapshot = store.snapshot()
    for query in (
        "",
        " ",
        "\0",
        '"unclosed',
        "a AND (b",
        "key:value^2",
        "*",
        "'; DROP TABLE",
        "日本",
        "zzzznothing",
        "\ud800",
    ):
        assert len(snapshot.lexical(query, 5)) <= 5
    assert snapshot.lexical("zzzznothing", 5) == []


def _updates(store: Store, oracle: Store, chunks: Sequence[Chunk], vectors: Vectors) -> None:
    moved = [replace(chunk, lines=(900, 901), metadata={"year": 1999}) for chunk in chunks[:20]]
    for target in (store, oracle):
        target.upsert(moved, -vectors[:20])
        target.delete([chunk.key for chunk in chunks[20:40]])
        target.delete(["not there"])
        target.delete([])
    _same(store, oracle, vectors)
    stored = store.snapshot().vectors([chunks[0].key, "not there"])
    assert list(stored) == [chunks[0].key] and float(stored[chunks[0].key] @ vectors[0]) < -0.99
    wanted = {chunk.key for chunk in oracle.snapshot().chunks([chunks[0].path])}
    assert {chunk.key for chunk in store.snapshot().chunks([chunks[0].path])} == wanted


def _isolation(store: Store, chunks: Sequence[Chunk], vectors: Vectors) -> None:
    """A snapshot goes on showing the version that it was taken of."""
    before = store.snapshot()
    count, best = before.count(), before.dense(vectors[50], 3)
    expected = [chunk.key for chunk in before.fetch([s.ref for s in best])]
    store.delete([chunks[50].key])
    assert before.count() == count
    assert [chunk.key for chunk in before.fetch([s.ref for s in best])] == expected
    assert store.snapshot().count() == count - 1
