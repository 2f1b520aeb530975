"""A set remembers what it was indexed from, so that a run without paths brings it up to date."""

from __future__ import annotations

import os
import shutil
from contextlib import closing

import pytest

import embassay
from embassay.errors import SetNotFound, UsageError
from embassay.sets.folder import HomeFolder
from tests.sets.indexed import rows


@pytest.fixture
def indexed(home, docs, model):
    for file in docs.rglob("*.*"):
        os.utime(file, (1, 1))  # younger files are read again, their clock may not have ticked
    home.index([docs], model=model)
    return home


def paths(home, name="default"):
    return home.describe(name).paths


def test_a_run_without_paths_finds_what_changed(indexed, docs):
    assert paths(indexed) == ("docs",)
    (docs / "keys.md").unlink()
    (docs / "new.md").write_text("# New\n\nA new page.\n")
    report = indexed.index()
    assert (report.files, report.removed, report.unchanged) == (1, 1, 4)
    assert "docs/new.md" in indexed.sources() and "docs/keys.md" not in indexed.sources()


def test_it_is_remembered_by_the_home_and_kept_by_another_name(indexed, docs):
    indexed.rename_set("default", "manual")
    indexed.close()
    with embassay.open(indexed.folder) as home:
        assert paths(home, "manual") == ("docs",)
        assert home.index(set="manual").unchanged == 5
        assert home.index().set == "manual", "the only one there is"


def test_what_others_bring_along_is_not_remembered_besides(home, docs, model):
    home.index([docs / "network", docs / "keys.md"], model=model)
    assert paths(home) == ("docs/network", "docs/keys.md")
    home.index([docs])
    assert paths(home) == ("docs",)
    home.index([docs / "network", docs / "keys.md", docs])
    assert paths(home) == ("docs",)


def test_what_walks_pass_over_is_remembered_besides(home, docs, model):
    """Given by name it is taken in, and a run without paths leaves it there."""
    (docs / ".gitignore").write_text("build/\n")
    for hidden in ("build/out.md", ".drafts/idea.md"):
        (docs / hidden).parent.mkdir()
        (docs / hidden).write_text("# Out\n\nBuilt.\n")
    home.index([docs], model=model)
    home.index([docs / "build", docs / ".drafts/idea.md"])
    assert paths(home) == ("docs", "docs/build", "docs/.drafts/idea.md")
    assert home.index().removed == 0
    assert {"docs/build/out.md", "docs/.drafts/idea.md"} <= home.sources().keys()


def test_a_file_that_was_given_by_name_goes_with_its_file(home, docs, model):
    home.index([docs / "keys.md", docs / "notes.txt"], model=model)
    (docs / "keys.md").unlink()
    assert home.index().removed == 1 and [*home.sources()] == ["docs/notes.txt"]
    assert home.index().removed == 0 and paths(home) == ("docs/keys.md", "docs/notes.txt")
    (docs / "keys.md").write_text("# Keys\n\nThey are back.\n")
    assert home.index().files >= 1 and "docs/keys.md" in home.sources()


def test_a_folder_that_is_not_there_may_come_back(indexed, docs):
    """A disk was taken off, or another branch is checked out."""
    before = rows(indexed)
    docs.rename(docs.with_name("away"))
    report = indexed.index()
    assert (report.files, report.removed) == (0, 0) and rows(indexed) == before
    assert any(f"{docs} is not there" in notice for notice in indexed.session.notices)
    docs.with_name("away").rename(docs)
    assert indexed.index().unchanged == 5


def test_a_folder_that_is_gone_for_good_is_forgotten_by_its_name(indexed, docs):
    shutil.rmtree(docs)
    assert indexed.index([docs]).removed == 5
    assert paths(indexed) == ()
    with pytest.raises(UsageError, match="remembers no files or folders"):
        indexed.index()


@pytest.mark.parametrize("chosen", ["docs/keys.md", "docs/network/**"])
def test_what_was_deleted_from_the_set_stays_out(home, docs, model, chosen):
    """It is remembered as a path, but nobody names it."""
    home.index([docs / "keys.md", docs / "network", docs / "notes.txt"], model=model)
    home.set("default").delete(path=chosen)
    left = home.sources().keys()
    home.index()
    assert home.sources().keys() == left and len(left) == 2


def test_where_nothing_is_remembered(home, model):
    with pytest.raises(embassay.errors.HomeNotFound):
        home.index()
    home.set("faq").upsert([{"id": "1", "text": "Rotate the key."}], model=model)
    with pytest.raises(UsageError, match="set 'faq' remembers no files or folders") as refused:
        home.index(set="faq")
    assert "FOLDER" in str(refused.value.remedy)
    with pytest.raises(SetNotFound):
        home.index(set="other")


def test_a_home_of_before_remembers_nothing_until_paths_are_given(indexed, docs):
    """As a file that was moved forward has it."""
    with closing(HomeFolder(indexed.folder).state()) as state:
        state.roster.keep_paths("default", lambda _: ())
    with pytest.raises(UsageError):
        indexed.index()
    indexed.index([docs])
    assert indexed.index().unchanged == 5


def test_a_path_outside_of_the_project(home, docs, tmp_path, model):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.md").write_text("# A\n\nText.\n")
    home.index([outside], model=model)
    assert paths(home) == (outside.as_posix(),)
    (outside / "b.md").write_text("# B\n\nText.\n")
    home.index()
    assert {name.rsplit("/", 1)[1] for name in home.sources()} == {"a.md", "b.md"}
