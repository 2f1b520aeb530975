"""Filters at random, for tests that state what holds of every one."""

from hypothesis import strategies as st

from embassay.stores.filters.values import And, Compare, Exists, Glob, In, Not, Or

scalars = st.one_of(
    st.sampled_from(["de", "en", "it's", "日本", "2018", "true", "", "a\\b", '"', "%_", "x' OR '1'='1"]),
    st.integers(2010, 2025),
    st.floats(2010, 2025).map(lambda x: round(x, 3)),
    st.booleans(),
    st.sampled_from(["Ann", "Bo", "x", "y/z", "t1", "2015-06-15", "nested", "1", "1.5e-7", 1.5e-7, 0, 1, 2.5, "inf"]),
)
FIELDS = (
    *("year", "lang", "draft", "path", "section", "meta.path", "none", "it's", "tags", "scores", "mixed", "mixed.deep"),
    *("author", "author.name", "author.since", "authors.name", "published", "a.b", "a", "a.it's $1.`c`"),
)
fields = st.sampled_from(FIELDS)
globs = st.text(alphabet="docs/a*?.md0123456789it'", max_size=12)
single = st.one_of(
    st.builds(Compare, fields, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), scalars),
    st.builds(In, fields, st.lists(scalars, min_size=1, max_size=4).map(tuple)),
    st.builds(Glob, st.sampled_from(["path", "lang", "section", "tags", "authors.name", "scores"]), globs),
    st.builds(Exists, fields),
)
filters = st.recursive(
    single, lambda f: st.one_of(st.builds(Not, f), st.builds(And, f, f), st.builds(Or, f, f)), max_leaves=6
)
