"""A set remembers what it leaves out, and what was indexed of it goes."""

from __future__ import annotations

import os

import pytest

import embassay
from embassay.errors import UsageError


@pytest.fixture
def indexed(home, docs, model):
    for file in docs.rglob("*.*"):
        os.utime(file, (1, 1))  # younger files are read again, their clock may not have ticked
    home.index([docs], model=model)
    return home


def test_what_was_indexed_goes_and_stays_out(indexed, docs):
    assert "docs/keys.md" in indexed.sources()
    report = indexed.index([docs], exclude=["keys.md"])
    assert ("docs/keys.md", "excluded by keys.md") in report.skipped
    assert "docs/keys.md" not in indexed.sources()
    assert all(hit.chunk.path != "docs/keys.md" for hit in indexed.search("rotate the key").hits)
    again = indexed.index([docs])
    assert ("docs/keys.md", "excluded by keys.md") in again.skipped and again.embedded == 0
    assert indexed.describe().excluded == ("keys.md",)


def test_it_is_remembered_by_the_home(indexed, docs):
    indexed.index([docs], exclude=["keys.md"])
    indexed.close()
    with embassay.open(indexed.folder) as home:
        assert ("docs/keys.md", "excluded by keys.md") in home.index([docs / "keys.md"]).skipped


def test_taken_back(indexed, docs):
    indexed.index([docs], exclude=["keys.md", "network"])
    report = indexed.index([docs], include=["keys.md"])
    assert report.files == 1 and "docs/keys.md" in indexed.sources()
    assert indexed.describe().excluded == ("network",)
    with pytest.raises(UsageError, match=r"does not exclude 'keys\.md'") as refused:
        indexed.index([docs], include=["keys.md"])
    assert "network" in str(refused.value.remedy)


def test_it_goes_wherever_in_the_set_it_lies(indexed, docs):
    """The run is about one folder, the pattern about the set."""
    indexed.index([docs / "network"], exclude=["keys.md"])
    assert "docs/keys.md" not in indexed.sources()


def test_a_folder_goes_whole(indexed, docs):
    before = {name for name in indexed.sources() if name.startswith("docs/network/")}
    report = indexed.index([docs], exclude=["docs/network"])
    assert before and ("docs/network", "excluded by docs/network") in report.skipped
    assert not before & set(indexed.sources())
    indexed.index([docs], include=["docs/network"])
    assert before <= set(indexed.sources())


def test_a_new_set_leaves_out_from_its_first_run(home, docs, model):
    home.index([docs], model=model, exclude=["keys.md"])
    assert "docs/keys.md" not in home.sources() and home.describe().excluded == ("keys.md",)


def test_a_bad_pattern_makes_no_set(home, docs, model):
    with pytest.raises(UsageError):
        home.index([docs], model=model, exclude=["../x"])
    with pytest.raises(UsageError, match="leaves nothing out"):
        home.index([docs], model=model, include=["x"])
    assert not home.folder.exists()


def test_the_configuration_leaves_out_of_every_set(docs, model, monkeypatch):
    (docs.parent / "embassay.yaml").write_text("exclude: [keys.md]\n")
    monkeypatch.chdir(docs.parent)
    with embassay.open() as home:
        home.index([docs], model=model)
        assert "docs/keys.md" not in home.sources() and home.describe().excluded == ()
        home.index([docs], exclude=["!docs/keys.md"])
        assert "docs/keys.md" in home.sources(), "a set may take back what the configuration says"


def test_it_follows_a_new_name(indexed, docs):
    indexed.index([docs], exclude=["keys.md"])
    indexed.rename_set("default", "manual")
    assert indexed.describe("manual").excluded == ("keys.md",)


def test_what_was_never_in_the_set_is_not_removed_from_it(home, docs, model):
    home.index([docs], model=model, exclude=["proxy.md"])
    assert home.index([docs], exclude=["network/"]).removed == 0  # the folder is not looked into any more
    assert home.index([docs], exclude=["keys.md"]).removed == 0  # it is still on the disk, and told as skipped
    (docs / "notes.txt").unlink()
    assert home.index([docs]).removed == 1
