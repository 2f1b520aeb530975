import pytest
from hypothesis import given

from embassay.errors import FilterError
from embassay.stores.filters.parser import parse
from embassay.stores.filters.values import And, Compare, Glob, In, Not, Or
from tests.stores.filters.strategies import single


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("year >= 2024", Compare("year", ">=", 2024)),
        ("year == -1.5e3", Compare("year", "=", -1500.0)),
        ("path ~ 'a/*.md'", Glob("path", "a/*.md")),
        ("lang in (\"de\", 'fr', 3, true)", In("lang", ("de", "fr", 3, True))),
        (
            'a = 1 or b = 2 and not c = "x"',
            Or(Compare("a", "=", 1), And(Compare("b", "=", 2), Not(Compare("c", "=", "x")))),
        ),
        (
            '(a = 1 OR b = 2) AND c = "\\"x\\""',
            And(Or(Compare("a", "=", 1), Compare("b", "=", 2)), Compare("c", "=", '"x"')),
        ),
        ("größe_1.x = 1", Compare("größe_1.x", "=", 1)),
    ],
)
def test_parse(text, expected):
    assert parse(text) == expected
    assert parse(str(expected)) == expected, "a filter prints as it is read"


@pytest.mark.parametrize(
    "text", ["", "year", "year >=", "year >= abc", '"x" = year', 'path ~ 3', 'a = "x', "a = 1 b", "(a = 1", "a in ()", "a = 1 and", "; drop", "(" * 50 + "a = 1" + ")" * 50, "a = 1e999", " or ".join(["a = 1"] * 101)]
)  # fmt: skip
def test_bad_filters_say_where(text):
    with pytest.raises(FilterError):
        parse(text)


@given(single.filter(lambda t: t.field not in ("it's", "meta.path")))
def test_printed_filters_are_read_back(expression):
    assert parse(str(expression)) == expression


def test_two_nots_are_none():
    assert parse("not not not a = 1") == parse("not a = 1")
