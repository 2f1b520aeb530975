"""Whoever finds nothing is told whether the set is empty, or the filter names what is not there."""

import pytest

from embassay.stores.filters.parser import parse
from embassay.stores.opening import open_collection
from embassay.stores.unmet import fields_in, why_nothing
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks

CHUNKS, VECTORS = sample_chunks(60, 8)


@pytest.fixture(scope="module", params=["memory", "lance"])
def store(request, tmp_path_factory):
    opened = open_collection(request.param, tmp_path_factory.mktemp("u"), Collection.single("one", 8), create=True)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def filled(store):
    with store.snapshot() as version:
        assert why_nothing(version, parse("year = 1"), "docs") == ["The set 'docs' is empty."]
        assert why_nothing(version, None, "docs") == ["The set 'docs' is empty."]
    store.upsert(CHUNKS, {VECTOR: VECTORS})
    with store.snapshot() as version:
        yield version


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("year = 1", ["None of the 60 chunks of the set 'docs' passes the filter."]),
        ("author exists and year = 1", ["None of the 60 chunks of the set 'docs' passes the filter."]),
        ("yaer >= 2024", ["No chunk of the set 'docs' has the field 'yaer'. Did you mean 'year'?"]),
        ("meta.YEAR = 3 and year > 2", ["No chunk of the set 'docs' has the field 'meta.YEAR'. Did you mean 'year'?"]),
        ("author.nam = 3", ["No chunk of the set 'docs' has the field 'author.nam'. Did you mean 'author.name'?"]),
        ('Path ~ "x"', ["No chunk of the set 'docs' has the field 'Path'. Did you mean 'path'?"]),
        ("year >= 2015", []),
        ("year = 2015 or yaer = 1", []),
    ],
)
def test_why_nothing_passes(filled, where, said):
    assert why_nothing(filled, parse(where), "docs") == said


def test_each_unknown_field_is_told_in_its_order(filled):
    said = why_nothing(filled, parse("xxxxxx = 1 and not (year = 1 or zzzzzz exists) and xxxxxx = 2"), "docs")
    assert [sentence.split("'")[3] for sentence in said] == ["xxxxxx", "zzzzzz"]
    assert "There are: path, section, document, draft, year, " in said[0] and said[0].endswith(" more.")


def test_the_frequent_fields_come_first(filled):
    fields = fields_in(filled)
    assert set(fields[:2]) == {"draft", "year"} and {"author.name", "tags", "a.b"} < set(fields)
