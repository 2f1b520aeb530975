"""A second run does what changed, and nothing else: files that changed, moved, went, or lost their rows."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

import embassay
from embassay.errors import StoreError, UsageError
from tests.sets.indexed import rows, rows_of_fresh


def test_an_unchanged_folder_costs_nothing(home, docs, model):
    for file in filter(Path.is_file, docs.rglob("*")):
        os.utime(file, (1, 1))  # younger files are read again, their clock may not have ticked
    home.index([docs], model=model)
    os.utime(docs / "notes.txt", (2, 2))
    home.index([docs])
    report = home.index([docs])
    assert (report.files, report.unchanged, report.embedded) == (0, 5, 0)


def test_a_changed_file_embeds_only_its_new_text(home, docs, model):
    text = "".join(f"# Part {i}\n\n{'Rotate the key before Friday. ' * 4}{i}\n\n" for i in range(10))
    (docs / "long.md").write_text(text)
    home.index([docs], model=model)
    before = rows(home)
    (docs / "long.md").write_text("# New\n\nSomething else stands here now, quite a lot of it in fact.\n\n" + text)
    report = home.index([docs])
    after = rows(home)
    assert report.files >= 1 and 0 < report.embedded <= 5
    moved = [key for key in before.keys() & after.keys() if before[key][0].lines != after[key][0].lines]
    assert len(moved) >= 8 and all(before[key][1] == after[key][1] for key in moved)
    assert rows_of_fresh(docs, model) == after


def test_deleted_moved_and_narrowed(home, docs, model):
    home.index([docs], model=model)
    (docs / "notes.txt").unlink()
    (docs / "guide.rst").rename(docs / "network/guide.rst")
    assert home.index([docs / "network"]).removed == 0, "a part of the tree says nothing of the rest"
    assert home.index([docs]).removed == 2
    assert rows(home) == rows_of_fresh(docs, model)
    shutil.rmtree(docs / "network")
    assert home.index([docs / "network"]).removed == 2, "a folder that is gone was once indexed"
    assert rows(home) == rows_of_fresh(docs, model)
    with pytest.raises(UsageError, match="no such file"):
        home.index([docs / "never"])


def test_same_size_and_time_is_seen_with_checksum(home, docs, model):
    os.utime(docs / "notes.txt", ns=(10**18, 10**18))
    home.index([docs], model=model)
    text = (docs / "notes.txt").read_text()
    (docs / "notes.txt").write_text(text.replace("Maria", "Mario"))
    os.utime(docs / "notes.txt", ns=(10**18, 10**18))
    assert home.index([docs / "notes.txt"]).embedded == 0
    assert home.index([docs / "notes.txt"], checksum=True).embedded == 1


def test_records_may_share_an_id(home, docs, model):
    (docs / "a.csv").write_text("id,text\n5,hello world\n5,hello world\n5,other\n")
    home.index([docs], model=model)
    (docs / "a.csv").write_text("id,text\n5,hello world\n5,hello world\n5,other\n6,zz\n")
    assert home.index([docs]).embedded == 1
    assert sorted(c.document for c, _ in rows(home).values() if c.path == "docs/a.csv") == [
        "docs/a.csv#5", "docs/a.csv#5~2", "docs/a.csv#5~3", "docs/a.csv#6",
    ]  # fmt: skip


def test_lost_vectors_come_back_with_the_next_run(home, docs, model):
    home.index([docs], model=model)
    before = rows(home)
    shutil.rmtree(home.folder / "vectors")
    with embassay.open(home.folder) as again:
        with pytest.raises(StoreError, match="vectors of this set are missing"):
            again.search("key")
        again.index([docs])
        assert rows(again) == before


def test_remains_of_a_killed_creation_are_made_whole(home, docs, model):
    home.index([docs], model=model)
    before = rows(home)
    (table,) = (home.folder / "vectors").glob("*.lance")
    shutil.rmtree(table / "_versions")
    with embassay.open(home.folder) as again:
        again.index([docs])
        assert rows(again) == before


def test_a_lost_state_does_not_adopt_old_rows(home, docs, model):
    home.index([docs], model=model)
    home.close()
    for file in home.folder.glob("state.db*"):
        file.unlink()
    (docs / "notes.txt").unlink()
    with embassay.open(home.folder) as again:
        again.index([docs], model=model)
        assert rows(again) == rows_of_fresh(docs, model)


def test_a_folder_above_the_root_removes_inside_it(home, docs, model):
    home.index([docs], model=model)
    (docs / "keys.md").unlink()
    assert home.index([docs.parents[1]]).removed == 1


def test_a_folder_that_cannot_be_listed_keeps_its_rows(home, docs, model, monkeypatch):
    home.index([docs], model=model)
    scandir = os.scandir

    def failing(path):
        if str(path).endswith("network"):
            raise OSError(5, "Input/output error")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    report = home.index([docs])
    assert report.removed == 0 and "cannot be listed" in report.skipped[0][1]


def test_a_home_behind_a_link(home, docs, model, tmp_path):
    home.index([docs], model=model)
    (tmp_path / "link").symlink_to(docs.parent)
    with embassay.open(tmp_path / "link/.embassay") as again:
        assert again.index([docs]).embedded == 0
        assert len(rows(again)) == len(rows(home))
