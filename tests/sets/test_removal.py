"""Files that are deleted from a set stay on the disk and out of the set, until they are named again."""

from __future__ import annotations

import pytest

from embassay.errors import UsageError


@pytest.fixture
def made(home, docs, model):
    home.index([docs], model=model)
    return home.set("default")


def paths(made):
    return {one.path for one in made.list()}


@pytest.mark.parametrize("said", ["docs/network/**", "docs/network", "docs/network/"])
def test_a_folder_stays_out_with_its_new_files_until_it_is_named(made, docs, said):
    assert made.delete(path=said) == 1
    (docs / "network/new.md").write_text("# New\n\nThis is new.\n")
    report = made.index([docs])
    told = dict(report.skipped)
    assert told["docs/network/proxy.md"] == told["docs/network/new.md"] == "deleted from the set: docs/network/**"
    assert not {path for path in paths(made) if path.startswith("docs/network")}
    assert made.search("proxy server", mode="lexical").hits == [] and made.doctor() == []
    assert (docs / "network/proxy.md").is_file()
    assert made.index([docs / "network"]).embedded > 1
    assert {"docs/network/proxy.md", "docs/network/new.md"} <= paths(made)
    assert made.index([docs]).skipped == ()


def test_files_of_a_glob_come_back_one_by_one(made, docs):
    assert made.delete(path="docs/*.md") == 1
    assert dict(made.index([docs]).skipped)["docs/keys.md"] == "deleted from the set: docs/keys.md"
    assert made.index([docs], checksum=True, retry_failed=True).embedded == 0
    assert made.index([docs / "keys.md"]).embedded > 0 and "docs/keys.md" in paths(made)


def test_a_file_goes_by_its_id_and_by_what_its_chunks_pass(made):
    assert made.delete(ids=["docs/notes.txt"]) == 1
    assert made.delete(where="year = 2024") == 1
    assert not {"docs/notes.txt", "docs/network/proxy.md"} & paths(made)


def test_a_part_of_a_file_is_refused(home, docs, model):
    (docs / "faq.jsonl").write_text('{"text": "one", "n": 1}\n{"text": "two", "n": 2}\n')
    made = home.set("default")
    made.index([docs], model=model)
    part = next(one.id for one in made.list() if one.path.endswith("faq.jsonl"))
    for wrong in ({"ids": [part]}, {"where": "n = 1"}):
        with pytest.raises(UsageError, match="parts of a file"):
            made.delete(**wrong)
    assert made.delete(path="docs/faq.jsonl") == 2


def test_a_removed_file_that_is_gone_from_the_disk_is_forgotten(made, docs):
    made.delete(path="docs/network")
    (docs / "network/proxy.md").unlink()
    made.index([docs])
    (docs / "network/proxy.md").write_text("It is back.")
    report = made.index([docs])
    assert report.embedded == 1 and report.skipped == ()


def test_a_file_that_is_named_beside_its_folder_brings_no_other_back(made, docs):
    (docs / "network/new.md").write_text("# New\n\nThis is new.\n")
    made.index([docs])
    made.delete(path="docs/network")
    made.index([docs, docs / "network/new.md"])
    assert {path for path in paths(made) if path.startswith("docs/network")} == {"docs/network/new.md"}


def test_a_folder_in_a_removed_folder_stays_out_until_it_is_named_itself(made, docs):
    (docs / "network/old").mkdir()
    (docs / "network/old/a.md").write_text("# Old\n\nThis is old.\n")
    made.index([docs])
    made.delete(path="docs/network/old")
    made.delete(path="docs/network")
    made.index([docs / "network"])
    assert {path for path in paths(made) if path.startswith("docs/network")} == {"docs/network/proxy.md"}
    made.index([docs / "network/old"])
    assert "docs/network/old/a.md" in paths(made)
