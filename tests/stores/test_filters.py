import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay import plugins
from embassay.errors import FilterError
from embassay.stores.filters import And, Compare, Glob, In, Not, Or, glob_to_regex, matches, parse
from embassay.testing import sample_chunks

CHUNKS, VECTORS = sample_chunks(60, 8)


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


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("docs/*.md", "docs/a.md", True),
        ("docs/*.md", "docs/x/a.md", False),
        ("docs/**", "docs/x/a.md", True),
        ("**/a.md", "a.md", True),
        ("**/a.md", "x/y/a.md", True),
        ("a?.md", "a/.md", False),
        ("a.md", "axmd", False),
        ("[a].md", "[a].md", True),
    ],
)
def test_globs(pattern, path, expected):
    import re

    assert bool(re.match(glob_to_regex(pattern), path)) is expected


scalars = st.one_of(
    st.sampled_from(["de", "en", "it's", "日本", "2018", "true", "", "a\\b", '"', "%_", "x' OR '1'='1"]),
    st.integers(2010, 2025),
    st.floats(2010, 2025).map(lambda x: round(x, 3)),
    st.booleans(),
)
fields = st.sampled_from(["year", "lang", "draft", "path", "section", "meta.path", "none", "it's"])
globs = st.text(alphabet="docs/a*?.md0123456789it'", max_size=12)
tests = st.one_of(
    st.builds(Compare, fields, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), scalars),
    st.builds(In, fields, st.lists(scalars, min_size=1, max_size=4).map(tuple)),
    st.builds(Glob, st.sampled_from(["path", "lang", "section"]), globs),
)
filters = st.recursive(
    tests, lambda f: st.one_of(st.builds(Not, f), st.builds(And, f, f), st.builds(Or, f, f)), max_leaves=6
)


@pytest.fixture(scope="module")
def lance(tmp_path_factory):
    store = plugins.load("embassay.stores.backends", "lance").open_store(
        tmp_path_factory.mktemp("f"), "one", 8, create=True
    )
    store.upsert(CHUNKS, VECTORS)
    return store.snapshot()


@given(filters)
def test_lance_agrees_with_the_oracle(lance, expression):
    assert lance.count(expression) == sum(matches(expression, chunk) for chunk in CHUNKS)


@given(tests.filter(lambda t: t.field not in ("it's", "meta.path")))
def test_printed_filters_are_read_back(expression):
    assert parse(str(expression)) == expression


def test_long_chains_and_many_nots(lance):
    long = parse(" or ".join(f'path = "docs/a{i % 12}.md"' for i in range(100)))
    assert lance.count(long) == sum(matches(long, chunk) for chunk in CHUNKS)
    assert parse("not not not a = 1") == parse("not a = 1")
