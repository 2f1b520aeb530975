import re
from dataclasses import replace

import pytest

from embassay.stores.filters.glob import glob_to_regex
from embassay.stores.filters.meaning import matches
from embassay.stores.filters.parser import parse
from embassay.testing import sample_chunks

CHUNK = replace(
    sample_chunks(1, 1)[0][0],
    path="docs/keys.md",
    section="Top",
    metadata={"year": 2020, "draft": True, "lang": "de", "path": "inner"},
)


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
    assert bool(re.match(glob_to_regex(pattern), path)) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('path ~ "docs/*.md" and section = "Top"', True),
        ('path = "inner"', False),
        ('meta.path = "inner"', True),
        ("year > 2019.5 and year <= 2020", True),
        ('year = "2020"', True),
        ('year > "2019"', True),
        ("lang > 1", False),
        ("not lang > 1", True),
        ("draft = true", True),
        ('draft = "true"', True),
        ('missing != "x"', False),
        ('not missing = "x"', True),
        ('lang in ("en", "de")', True),
        ('lang = "en" or year = 2020', True),
    ],
)
def test_meaning(text, expected):
    assert matches(parse(text), CHUNK) is expected
