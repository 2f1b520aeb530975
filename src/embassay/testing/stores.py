"""What every store has to do, checked against the exact one in memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import StoreError
from embassay.stores.dtypes import FLOAT32
from embassay.stores.filters.parser import parse
from embassay.stores.opening import EXACT, open_collection
from embassay.stores.values import VECTOR, Collection, VectorSpec
from embassay.testing.named import check_named_rows
from embassay.testing.samples import ASKED, FILTERS, INFLECTED, STRANGE, Rows, sample_rows
from embassay.testing.vocabulary import check_vocabulary, check_words
from embassay.testing.words import check_language, check_scripts, check_titles, found_by_words, same_scores
from embassay.vectors import cosines

if TYPE_CHECKING:
    from embassay.stores.base import Backend, Settings, Snapshot, Store
    from embassay.stores.filters.values import Filter
    from embassay.types import Chunk, Vectors

DIMENSIONS = 16
LEAST_COSINE = {FLOAT32: 0.999999, "float16": 0.999999, "int8": 0.9998}
"""Of a vector that was read back with the one that was given."""
COARSE = 4
"""Dimensions of a second vector."""


def check_store(backend: Backend[Settings], settings: Settings, rows: int = 300) -> None:
    """Run the whole suite against `backend`, at a place where it has no collections yet. Everything that its
    capabilities declare is tried. Raises AssertionError with what differs from the contract, or from what the exact
    store in memory answers."""
    able = backend.CAPABILITIES
    label = {VECTOR: VectorSpec(DIMENSIONS)}
    collections = [Collection("one", label)]
    if able.labels:
        collections.append(Collection("several", label | {"coarse": VectorSpec(COARSE)}))
    for dtype in sorted(able.dtypes - {FLOAT32}):
        collections.append(Collection(f"kept_as_{dtype}", {VECTOR: VectorSpec(DIMENSIONS, dtype)}))
    by_product = Collection.single("product", DIMENSIONS, similarity="dot")
    if "dot" in able.similarities:
        collections.append(by_product)
    for collection in collections:

        def make(*, create: bool = True, collection: Collection = collection) -> Store:
            return backend.open_store(settings, collection, create=create)

        _check_rows(make, sample_rows(collection, rows), keeps=able.persistent)

    def new(collection: Collection) -> Store:
        return backend.open_store(settings, collection, create=True)

    for language in INFLECTED:
        check_language(new, language)
    for language in ("en", "de", "zh", "mul"):
        check_scripts(new, language)
    check_titles(new)
    if able.persistent:
        _refused(lambda: backend.open_store(settings, Collection("missing", label)))
        others = [VectorSpec(DIMENSIONS + 1), *(VectorSpec(DIMENSIONS, dtype) for dtype in able.dtypes - {FLOAT32})]
        for other in others:
            _check_other_vectors(backend, settings, collections[0], Collection("one", {VECTOR: other}))
        if "dot" in able.similarities:
            _check_other_vectors(backend, settings, by_product, Collection.single("product", DIMENSIONS))


def _check_rows(make: Callable[..., Store], sample: Rows, *, keeps: bool) -> None:
    """One collection, from its creation to its end."""
    store = make()
    oracle = open_collection(EXACT, Path(), store.collection, create=True)
    _empty(store, sample)
    _wrong_rows(store, sample)
    for target in (store, oracle):
        sample.put_into(target)
    _same(store, oracle, sample)
    _close_to_given(store, sample)
    sample.part(0, len(sample.chunks) // 2).put_into(store)
    assert _count(store) == len(sample.chunks), "an upsert of the same rows must change nothing"
    store.optimise(thorough=True)
    _same(store, oracle, sample, settled=True)
    check_words(store, sample.chunks)
    _strange_queries(store)
    _updates(store, oracle, sample)
    _isolation(store, oracle, sample)
    if keeps:
        again = make(create=False)
        _same(again, oracle, sample)
        again.close()
    _closed(store, sample)
    last = make()
    assert _count(last) == (_count(oracle) if keeps else 0), "opening with create keeps the rows that are there"
    last.drop()
    last.close()
    fresh = make()
    assert _count(fresh) == 0, "a collection that was dropped is empty when it is made again"
    fresh.drop()
    fresh.close()


def _count(store: Store) -> int:
    with store.snapshot() as version:
        return version.count()


def _refused(action: Callable[[], object]) -> None:
    """Whatever else it raises goes through, and fails the suite."""
    try:
        action()
    except StoreError:
        return
    raise AssertionError("a StoreError was expected")


def _empty(store: Store, sample: Rows) -> None:
    with store.snapshot() as version:
        assert version.count() == 0 and version.stats().rows == 0
        for label, vectors in sample.vectors.items():
            assert version.dense(vectors[0], 5, label=label) == [] and version.vectors(["0"], label=label) == {}
        assert version.lexical("key", 5) == []
        assert version.fetch([]) == [] and list(version.chunks(["a"])) == []
        assert all(not chunks for chunks, _ in version.scan())
    store.optimise(thorough=True)


def _wrong_rows(store: Store, sample: Rows) -> None:
    """Vectors that are missing, of a label that is unknown, or of another shape."""
    chunks, vectors = sample.chunks[:3], sample.part(0, 3).vectors
    for wrong in (
        {},
        vectors | {"unknown": vectors[VECTOR]},
        vectors | {VECTOR: vectors[VECTOR][:2]},
        vectors | {VECTOR: vectors[VECTOR][:, 1:]},
    ):
        _refused(lambda wrong=wrong: store.upsert(chunks, wrong))  # type: ignore[misc]
    with store.snapshot() as version:
        assert version.count() == 0
        _refused(lambda: version.dense(vectors[VECTOR][0], 3, label="unknown"))
        _refused(lambda: version.vectors(["0"], label="unknown"))
        _refused(lambda: list(version.scan(["unknown"])))


def _same(store: Store, oracle: Store, sample: Rows, *, settled: bool = False) -> None:
    """Equal contents, equal filters, equal dense rankings under every label.

    Lexical scores are equal where every change is `settled` by an index: until then the rows that a term is rare among
    may be those that were there, or those that pass a filter.
    """
    import numpy as np

    assert _contents(store) == _contents(oracle)
    _same_vectors(store, oracle, sample)
    with store.snapshot() as ours, oracle.snapshot() as exact:
        for text in (None, *FILTERS):
            where = parse(text) if text else None
            assert ours.count(where) == exact.count(where), f"filter {text}"
            assert _scanned(ours, where) == _scanned(exact, where), f"a scan under the filter {text}"
            for label, vector in ((label, row) for label, rows in sample.vectors.items() for row in rows[:3]):
                left = ours.dense(vector, 10, where, label=label)
                right = exact.dense(vector, 10, where, label=label)
                keys = [c.key for c in ours.fetch([s.ref for s in left])]
                assert keys == [c.key for c in exact.fetch([s.ref for s in right])], f"dense {label} under {text}"
                assert np.allclose([s.score for s in left], [s.score for s in right], rtol=1e-4, atol=1e-4)
            assert found_by_words(ours, "rotate key", where).keys() == found_by_words(exact, "rotate key", where).keys()
            for query in ASKED if settled else ():
                same_scores(ours, exact, query, where)
        check_vocabulary(ours, exact)
        check_named_rows(ours, sample)


def _scanned(version: Snapshot, where: Filter | None) -> set[str]:
    return {chunk.key for chunks, _ in version.scan((), where) for chunk in chunks}


def _contents(store: Store) -> dict[str, Chunk]:
    with store.snapshot() as version:
        return {chunk.key: chunk for chunks, _ in version.scan(()) for chunk in chunks}


def _same_vectors(store: Store, oracle: Store, sample: Rows) -> None:
    """What a scan and a look-up by keys give back of every label."""
    import numpy as np

    labels = list(sample.vectors)
    keys = [chunk.key for chunk in sample.chunks]
    with store.snapshot() as ours, oracle.snapshot() as exact:
        scanned: dict[str, dict[str, Vectors]] = {label: {} for label in labels}
        for chunks, vectors in ours.scan(labels):
            assert set(vectors) == set(labels), "a scan gives the labels that were asked for"
            for label in labels:
                scanned[label] |= zip((chunk.key for chunk in chunks), vectors[label], strict=True)
        for label in labels:
            expected = exact.vectors(keys, label=label)
            for found in (ours.vectors(keys, label=label), scanned[label]):
                assert found.keys() == expected.keys()
                assert all(np.allclose(found[key], expected[key], atol=1e-6) for key in expected), label


def _close_to_given(store: Store, sample: Rows) -> None:
    """Numbers that are kept in fewer bytes are those that were given, within what their type can tell apart."""
    with store.snapshot() as version:
        for label, given in sample.vectors.items():
            least = LEAST_COSINE[store.collection.vectors[label].dtype]
            stored = version.vectors([chunk.key for chunk in sample.chunks], label=label)
            for chunk, row in zip(sample.chunks, given, strict=True):
                found = stored[chunk.key]
                assert found.dtype == row.dtype, "vectors are read back as float32"
                assert float(cosines(found[None], row[None])[0]) >= least, f"{label} of {chunk.key}"


def _strange_queries(store: Store) -> None:
    with store.snapshot() as version:
        assert all(len(version.lexical(query, 5)) <= 5 for query in STRANGE)
        assert version.lexical("zzzznothing", 5) == []


def _updates(store: Store, oracle: Store, sample: Rows) -> None:
    moved = [replace(chunk, lines=(900, 901), metadata={"year": 1999}) for chunk in sample.chunks[:20]]
    turned = {label: -rows[:20] for label, rows in sample.vectors.items()}
    for target in (store, oracle):
        target.upsert(moved, turned)
        target.delete([*(chunk.key for chunk in sample.chunks[20:40]), "not there"])
        target.delete([])
        taken = {label: rows[40:45] for label, rows in sample.vectors.items()}
        target.upsert(sample.chunks[40:45], taken, [*(chunk.key for chunk in sample.chunks[44:50]), "not there"])
    _same(store, oracle, sample)
    key, path = sample.chunks[0].key, sample.chunks[0].path
    with store.snapshot() as ours, oracle.snapshot() as exact:
        stored = ours.vectors([key, "not there"])
        turned_to, was = stored[key], sample.vectors[VECTOR][0]
        assert list(stored) == [key] and float(turned_to @ was) < -0.99 * float(was @ was)
        for by, names in (("path", [path]), ("document", [chunk.document for chunk in exact.chunks([path])][:1])):
            assert {c.key for c in ours.chunks(names, by=by)} == {c.key for c in exact.chunks(names, by=by)}


def _isolation(store: Store, oracle: Store, sample: Rows) -> None:
    """A snapshot goes on showing the version that it was taken of, beside those taken later."""
    with store.snapshot() as before:
        count, best = before.count(), before.dense(sample.vectors[VECTOR][50], 3)
        expected = [chunk.key for chunk in before.fetch([s.ref for s in best])]
        for target in (store, oracle):
            target.delete([sample.chunks[50].key])
        with store.snapshot() as after:
            assert after.count() == count - 1
            assert before.count() == count
        assert [chunk.key for chunk in before.fetch([s.ref for s in best])] == expected
    assert _count(store) == count - 1


def _closed(store: Store, sample: Rows) -> None:
    store.close()
    store.close()
    for action in (
        store.snapshot,
        store.optimise,
        store.drop,
        lambda: store.delete(["0"]),
        lambda: sample.part(0, 1).put_into(store),
    ):
        _refused(action)


def _check_other_vectors(
    backend: Backend[Settings], settings: Settings, collection: Collection, other: Collection
) -> None:
    """A collection is not opened with other vectors than it was made with."""
    store = backend.open_store(settings, collection, create=True)
    _refused(lambda: backend.open_store(settings, other))
    _refused(lambda: backend.open_store(settings, other, create=True))
    store.drop()
    store.close()
