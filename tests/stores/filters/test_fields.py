"""What a filter reads of metadata, and that any metadata and any filter mean the same in Lance as in the exact store."""

import random
from dataclasses import replace

import pytest

from embassay.metadata import kept
from embassay.stores.filters.fields import as_number, as_text, fields_of
from embassay.stores.filters.meaning import matches
from embassay.stores.filters.parser import parse
from embassay.stores.filters.values import And, Compare, Exists, Glob, In, Not, Or
from embassay.stores.opening import open_collection
from embassay.stores.values import VECTOR, Collection
from embassay.testing import sample_chunks


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"a": 1, "b": None}, {"a": [1]}),
        ({"tags": ["x", None, ["y"]], "none": [], "empty": {}}, {"tags": ["x", "y"]}),
        ({"author": {"name": "Ann", "at": {"city": "Bern"}}}, {"author.name": ["Ann"], "author.at.city": ["Bern"]}),
        ({"authors": [{"name": "Ann"}, {"name": "Bo"}, "Cy"]}, {"authors.name": ["Ann", "Bo"], "authors": ["Cy"]}),
        ({"a": {"b": 1}, "a.b": 2}, {"a.b": [2]}),
        ({"a": {"b": 1}, "a.b": None}, {"a.b": [1]}),
        ({"a": {"b.c": 1, "b": {"c": 2}}}, {"a.b.c": [1, 2]}),
    ],
)
def test_fields(metadata, expected):
    assert {name: sorted(values, key=str) for name, values in fields_of(metadata).items()} == expected


@pytest.mark.parametrize("text", ["0", "-1", "+1.5", ".5", "5.", "1e3", "1.5e-7", "9" * 40])
def test_decimal_numbers(text):
    assert as_number(text) == float(text)


@pytest.mark.parametrize("text", ["", "x", "inf", "nan", "1e400", "1_000", " 1", "1 ", "０", "0x10", "1e", "."])
def test_no_decimal_numbers(text):
    assert as_number(text) is None


def test_values_as_text():
    assert [as_text(value) for value in (True, 3, 1.5e-7, 1e16, "é")] == ["true", "3", "1.5e-7", "1e+16", "é"]


NAMES = [
    "a",
    "a.b",
    "b",
    "it's",
    'q"q',
    "$",
    "$.x",
    "a[0]",
    "日本",
    "' OR '1'='1",
    "--",
    "\\",
    "a b",
    "meta",
    "path",
    "not",
]
NAMES += ["*", "a..b", ".", "`", "%", "'); DROP TABLE t; --"]
TEXTS = [
    "x",
    "y/z",
    "",
    "it's",
    '"',
    "\\",
    "日本",
    "2019",
    "1e3",
    "1.5e-7",
    "-0",
    "inf",
    "NaN",
    "-nan",
    "-inf",
    "true",
    "null",
]
TEXTS += [
    "[1]",
    '["x"]',
    "{}",
    "a\nb",
    "a\x1fb",
    "%",
    "_",
    "*",
    "' OR '1'='1",
    "\0",
    "é",
    "1_000",
    " 3",
    "+3",
    "5.",
    "1e400",
]
NUMBERS = [0, 1, -1, 2019, 2**53, 10**15, 0.0, -0.0, 0.5, 1.5e-7, 1e16, 1e300, 5e-324, 1 / 3]


class Chance:
    """Values, metadata and filters, the same ones for a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def scalar(self):
        one = self.random.choice
        return one([one(TEXTS), one(NUMBERS), one([True, False])])

    def value(self, depth=0):
        kind = self.random.random()
        if depth > 3 or kind < 0.5:
            return self.random.choice([self.scalar(), self.scalar(), None])
        if kind < 0.8:
            return [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        return {self.random.choice(NAMES): self.value(depth + 1) for _ in range(self.random.randrange(4))}

    def metadata(self):
        given = {self.random.choice(NAMES): self.value() for _ in range(self.random.randrange(7))}
        return kept(given).metadata

    def test(self, fields):
        field = self.random.choice(fields)
        kind = self.random.random()
        if kind < 0.5:
            return Compare(field, self.random.choice(["=", "!=", "<", "<=", ">", ">="]), self.scalar())
        if kind < 0.7:
            return In(field, tuple(self.scalar() for _ in range(self.random.randrange(1, 5))))
        if kind < 0.85:
            parts = ["*", "**", "?", "x", "/", "it's", "20", "1", "\n", "é", "**/", "\\"]
            return Glob(field, "".join(self.random.choices(parts, k=self.random.randrange(5))))
        return Exists(field)

    def filter(self, fields, depth=0):
        kind = self.random.random()
        if depth > 3 or kind < 0.6:
            return self.test(fields)
        if kind < 0.75:
            return Not(self.filter(fields, depth + 1))
        joined = And if kind < 0.88 else Or
        return joined(self.filter(fields, depth + 1), self.filter(fields, depth + 1))


@pytest.mark.parametrize("seed", range(3))
def test_any_filter_over_any_metadata(tmp_path, seed):
    chance = Chance(seed)
    chunks, vectors = sample_chunks(100, 4)
    chunks = [replace(chunk, metadata=chance.metadata()) for chunk in chunks]
    fields = sorted({field for chunk in chunks for field in fields_of(chunk.metadata)} | {*NAMES, "meta.path", "path"})
    store = open_collection("lance", tmp_path, Collection.single("one", 4), create=True)
    store.upsert(chunks, {VECTOR: vectors})
    with store.snapshot() as version:
        stored = {chunk.key: chunk for block, _ in version.scan(()) for chunk in block}
        assert stored == {chunk.key: chunk for chunk in chunks}
        for _ in range(150):
            expression = chance.filter(fields)
            expected = {chunk.key for chunk in chunks if matches(expression, chunk)}
            found = {chunk.key for block, _ in version.scan((), expression) for chunk in block}
            assert found == expected, str(expression)
            again = parse(str(expression)) if all(abs(n) <= 2**53 for n in _numbers(expression)) else expression
            assert {chunk.key for chunk in chunks if matches(again, chunk)} == expected, (
                f"{expression} is read otherwise"
            )
    store.close()


def _numbers(expression):
    match expression:
        case And() | Or():
            return _numbers(expression.left) + _numbers(expression.right)
        case Not(inner):
            return _numbers(inner)
        case In(_, values):
            return [value for value in values if not isinstance(value, (str, bool))]
        case Compare(_, _, value):
            return [] if isinstance(value, (str, bool)) else [value]
    return []
