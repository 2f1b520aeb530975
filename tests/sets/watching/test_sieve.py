"""What wakes an index run, and what does not."""

from __future__ import annotations

import os

import pytest

from embassay.sets.folder import HomeFolder
from embassay.sets.watching.pending import Due
from embassay.sets.watching.sieve import sifted

EVERYTHING = Due(everything=True)


@pytest.fixture
def sift(docs):
    (docs / ".gitignore").write_text("build/\n")
    (docs / "build").mkdir()
    home = HomeFolder(docs / "index")
    home.make()
    return lambda *paths, roots=(docs,): sifted(home, roots, Due(frozenset(map(str, paths))))


def test_what_no_walk_comes_to_wakes_nothing(sift, docs):
    passed = [docs / ".git/index", docs / ".a.md.swp", docs / "build/a.md", docs / "build", docs / "index/state.db-wal"]
    assert sift(*passed, docs.parent / "other.md") == Due()
    files = [docs / "keys.md", docs / "network/proxy.md", docs / "gone/away.md", docs]
    assert sift(*passed, *files) == Due(frozenset(map(str, files)))


def test_rules_and_names_decide_anew_on_everything(sift, docs):
    assert sift(docs / "network/.gitignore") == EVERYTHING
    assert sift(docs / ".git/.gitignore") == Due()
    (docs / "link.md").symlink_to(docs / "keys.md")
    assert sift(docs / "link.md") == EVERYTHING
    assert sift(docs / "notes.txt") != EVERYTHING
    os.link(docs / "notes.txt", docs / "twin.txt")
    assert sift(docs / "notes.txt") == EVERYTHING
    (docs / "linked").symlink_to(docs / "network")
    assert sift(docs / "linked/proxy.md") == EVERYTHING
    assert sift(docs / "network/proxy.md") != EVERYTHING


def test_names_are_those_that_were_given(sift, docs, tmp_path):
    """Some systems tell of files by their real names."""
    given = tmp_path / "given"
    given.symlink_to(docs.parent)
    roots = (given / "docs",)
    expected = Due(frozenset([str(given / "docs/keys.md")]))
    assert sift(docs / "keys.md", roots=roots) == sift(given / "docs/keys.md", roots=roots) == expected


def test_a_file_that_was_given_by_name(sift, docs):
    roots = (docs / "keys.md", docs / ".hidden.md", docs / "build/out.md")
    assert sift(docs / "notes.txt", roots=roots) == Due()
    assert sift(*roots, roots=roots) == Due(frozenset(map(str, roots)))
