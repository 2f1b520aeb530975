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


@pytest.mark.parametrize(
    ("text", "at", "mended"),
    [
        ("my field = 1", 4, "`my field` = 1"),
        ("größe-€ = 1 and a = 2", 7, "`größe-€` = 1 and a = 2"),
        ("2024 = 1", 1, "`2024` = 1"),
        ('a = 1 and @id = "x"', 11, '`@id` = "x"'),
        ("not x y exists", 7, "`x y` exists"),
        ('x y in ("a")', 3, '`x y` in ("a")'),
    ],
)
def test_odd_names_are_told_to_stand_in_backquotes(text, at, mended):
    with pytest.raises(FilterError, match=f"at character {at}:") as error:
        parse(text)
    assert str(error.value.remedy).endswith(f"stands in backquotes: {mended}")
    parse(mended)


@pytest.mark.parametrize("text", ["a =", "a = @", "(a", '"lang" = 5', "a = 1 b = 2", 'lang: "de"'])
def test_what_is_no_matter_of_a_name_has_no_such_hint(text):
    with pytest.raises(FilterError) as error:
        parse(text)
    assert "backquotes" not in str(error.value.remedy)
