"""Rows of a part are those that were written, found by key, path, document and filter, as the store gives them back."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import FilterError
from embassay.stores.filters.meaning import predicate
from embassay.stores.filters.parser import parse
from embassay.stores.filters.values import Compare, Exists, Glob, In
from embassay.stores.hot import fields
from embassay.stores.hot.rows import RowPart
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks
from embassay.types import Chunk
from tests.stores.filters.strategies import FIELDS, filters

CHUNKS, VECTORS = sample_chunks(60, 8)
texts = st.text(st.characters(exclude_categories=()), max_size=40)
leaves = st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), texts)
values = st.recursive(
    leaves,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
chunks = st.builds(
    Chunk,
    key=st.one_of(st.integers(0, 2**128 - 1).map("{:032x}".format), st.text("xyz", min_size=1)),
    document=texts,
    path=texts,
    section=texts,
    indexed=texts,
    body_at=st.integers(0, 2**31 - 1),
    lines=st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)),
    span=st.tuples(st.integers(0, 2**62), st.integers(0, 2**62)),
    tokens=st.integers(0, 2**31 - 1),
    truncated=st.booleans(),
    metadata=st.dictionaries(texts, values, max_size=4),
)
rows_of_chunks = st.lists(chunks, min_size=1, max_size=12, unique_by=lambda chunk: chunk.key)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("rows")


@pytest.fixture(scope="module")
def lance(tmp_path_factory):
    store = open_collection("lance", tmp_path_factory.mktemp("l"), Collection.single("one", 1), create=True)
    yield store
    store.close()


def part_of(folder, written, name="p"):
    RowPart.write(folder, name, written)
    return RowPart(folder, name)


@given(rows_of_chunks)
def test_what_is_fetched_is_what_the_store_gives_back(folder, lance, written):
    lance.delete([chunk.key for chunks, _ in lance.snapshot().scan(()) for chunk in chunks])
    lance.upsert(written, {VECTOR: np.ones((len(written), 1), np.float32)})
    with lance.snapshot() as version:
        stored = {chunk.key: chunk for block, _ in version.scan(()) for chunk in block}
    for rows in (written, [stored[chunk.key] for chunk in written]):
        part = part_of(folder, rows)
        order = list(range(len(written)))[::-1] * 2
        assert part.fetch(order) == [stored[written[at].key] for at in order]
        assert list(part.keys()) == [chunk.key for chunk in written]


@given(rows_of_chunks, st.data())
def test_rows_are_found_by_key_path_and_document(folder, written, data):
    part = part_of(folder, written)
    kept = part.fetch(range(len(written)))
    keys = data.draw(st.lists(st.sampled_from([*(chunk.key for chunk in written), "x", "0" * 32, "0" * 31, "é"])))
    places = {chunk.key: at for at, chunk in enumerate(written)}
    for asked in (keys, keys * 20):
        assert part.find(asked).tolist() == [places.get(key, -1) for key in asked]
    for by in ("path", "document"):
        names = data.draw(st.lists(st.sampled_from([*(getattr(chunk, by) for chunk in kept), "nowhere"])))
        assert part.rows_of(names, by).tolist() == [at for at, c in enumerate(kept) if getattr(c, by) in names]


@given(filters)
def test_every_filter_passes_what_it_means(samples, expression):
    passes = predicate(expression)
    assert samples.mask(expression).tolist() == [passes(chunk) for chunk in CHUNKS]


@pytest.fixture(scope="module")
def samples(folder):
    return part_of(folder, CHUNKS, "samples")


@given(rows_of_chunks, st.data())
def test_filters_over_strange_metadata(folder, written, data):
    part = part_of(folder, written, "strange")
    kept = part.fetch(range(len(written)))
    names = sorted({name for chunk in kept for name in fields.fields_of(chunk.metadata)}) or ["none"]
    field = data.draw(st.sampled_from([*names, *FIELDS]))
    known = [str(v) for chunk in kept for found in fields.fields_of(chunk.metadata).values() for v in found]
    value = data.draw(st.one_of(st.integers(-5, 5), st.sampled_from([*known, "x"])))
    operator = data.draw(st.sampled_from(["=", "!=", "<", "<=", ">", ">="]))
    for expression in (Compare(field, operator, value), In(field, (value, 1.5)), Exists(field), Glob(field, "*a*")):
        passes = predicate(expression)
        assert part.mask(expression).tolist() == [passes(chunk) for chunk in kept]


def test_fields_without_a_column_are_read_from_the_metadata(folder, monkeypatch):
    monkeypatch.setattr(fields, "MOST", 2)
    rows = [replace(CHUNKS[0], metadata={"a": 1, "b": "x", "c": {"d": n}, "long": "y" * (250 + n)}) for n in range(12)]
    rows.append(replace(CHUNKS[0], metadata={"c": {"d": [3, 30]}, "long": ["z", "w" * 300]}))
    part = part_of(folder, rows, "others")
    for text in (
        "c.d > 9",
        "c exists",
        "c.d exists",
        'long ~ "y*"',
        "long exists",
        "a = 1",
        "not a exists",
        'long = "z"',
    ):
        passes = predicate(parse(text))
        expected = [passes(chunk) for chunk in rows]
        assert any(expected) and part.mask(parse(text)).tolist() == expected, text


def test_a_filter_beyond_the_bounds_is_refused(samples):
    with pytest.raises(FilterError):
        samples.mask(In("path", ("x",) * 10_001))


@given(st.lists(rows_of_chunks, min_size=1, max_size=3), st.data())
def test_merged_parts_are_what_is_written_of_their_rows(folder, groups, data):
    parts = [part_of(folder, written, f"p{at}") for at, written in enumerate(groups)]
    every = [(at, row) for at, written in enumerate(groups) for row in range(len(written))]
    order = data.draw(st.lists(st.sampled_from(every), unique=True, min_size=1))
    RowPart.merge(folder, "merged", parts, np.array(order, np.int64))
    part_of(folder, [groups[at][row] for at, row in order], "whole")
    assert (folder / "merged.rows").read_bytes() == (folder / "whole.rows").read_bytes()


def test_many_rows_of_long_texts(folder):
    rows = [
        replace(CHUNKS[at % 60], key=f"{at:032x}", indexed=f"text {at} " * (1 + at % 700), metadata={"n": at})
        for at in range(9000)
    ]
    part = part_of(folder, rows, "many")
    picked = np.random.default_rng(0).integers(0, 9000, 300)
    assert part.fetch(picked) == [rows[at] for at in picked]
    assert part.find([rows[at].key for at in picked]).tolist() == picked.tolist()
    assert np.flatnonzero(part.mask(parse("n >= 8990"))).tolist() == list(range(8990, 9000))
