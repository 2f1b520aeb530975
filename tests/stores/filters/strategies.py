"""Filters at random, for tests that state what holds of every one."""

from hypothesis import strategies as st

from embassay.stores.filters.values import And, Compare, Glob, In, Not, Or

scalars = st.one_of(
    st.sampled_from(["de", "en", "it's", "日本", "2018", "true", "", "a\\b", '"', "%_", "x' OR '1'='1"]),
    st.integers(2010, 2025),
    st.floats(2010, 2025).map(lambda x: round(x, 3)),
    st.booleans(),
)
fields = st.sampled_from(["year", "lang", "draft", "path", "section", "meta.path", "none", "it's"])
globs = st.text(alphabet="docs/a*?.md0123456789it'", max_size=12)
single = st.one_of(
    st.builds(Compare, fields, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), scalars),
    st.builds(In, fields, st.lists(scalars, min_size=1, max_size=4).map(tuple)),
    st.builds(Glob, st.sampled_from(["path", "lang", "section"]), globs),
)
filters = st.recursive(
    single, lambda f: st.one_of(st.builds(Not, f), st.builds(And, f, f), st.builds(Or, f, f)), max_leaves=6
)
