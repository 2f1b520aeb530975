"""What is skipped or read in part stays named, run after run, for as long as the file is there and is so."""

from __future__ import annotations

import os
from pathlib import Path

from embassay.errors import ReadError
from embassay.ingest.base import LeftOut
from embassay.ingest.flow import FileEnd, Omitted, Unreadable
from embassay.sets.build.origin import Origin, changes
from embassay.sets.coverage import coverage
from tests.sets.indexed import rows

BROKEN = "Der Schlüssel wird gewechselt, und das geschieht nächtlich.\n".encode() * 40 + b"\xff"
"""UTF-8 but for one byte."""


def skipped(home) -> dict[str, str]:
    return dict(home.coverage().skipped)


def test_skipped_files_stay_named_until_they_are_gone(home, docs, model):
    (docs / "logo.md").write_bytes(b"\x89PNG\0\0")
    (docs / "photo.jpg").write_bytes(b"\xff\xd8\0\0")
    (docs / "style.css").write_text("a {}")
    Path(os.fsdecode(os.fsencode(docs) + b"/bad\xff.md")).write_text("x")
    expected = {
        "docs/bad\ufffd.md": "its name is not UTF-8",
        "docs/logo.md": "binary file",
        "docs/photo.jpg": "binary file",
        "docs/style.css": "not a document: a style sheet",
    }
    expected = {name.replace("\ufffd", "?"): reason for name, reason in expected.items()}
    for _ in range(3):
        report = home.index([docs], model=model)
        assert dict(report.skipped) == expected == skipped(home) and report.quarantined == ()
    home.index([docs / "network"])
    assert skipped(home) == expected, "a part of the tree says nothing of the rest"
    for name in ("logo.md", "style.css"):
        (docs / name).unlink()
    home.index([docs])
    assert skipped(home) == {name: expected[name] for name in ("docs/bad?.md", "docs/photo.jpg")}


def test_a_file_that_is_skipped_now_loses_its_rows_and_gets_them_back(home, docs, model):
    text = (docs / "keys.md").read_text()
    home.index([docs], model=model)
    before = rows(home)
    (docs / "keys.md").write_bytes(b"\x89PNG\0\0")
    home.index([docs])
    assert "docs/keys.md" not in {chunk.path for chunk, _ in rows(home).values()} and "docs/keys.md" in skipped(home)
    (docs / "keys.md").write_text(text)
    report = home.index([docs])
    assert rows(home) == before and report.skipped == () == home.coverage().skipped


def test_the_size_limit_skips_and_a_larger_one_takes_back(home, docs, model):
    home.index([docs], model=model)
    before = rows(home)
    report = home.index([docs], max_file_mb=1e-6)
    assert len(report.skipped) == 5 and rows(home) == {}
    assert home.status()[0].documents == 0 and [f for f in home.doctor() if f.level == "problem"] == []
    assert home.index([docs]).skipped == () and rows(home) == before


def test_what_was_left_out_of_a_file_stays_named_until_it_is_there(home, docs, model):
    (docs / "r.txt").write_bytes(BROKEN)
    for _ in range(2):
        report = home.index([docs], model=model)
        ((path, reason),) = report.read_in_part
        assert path == "docs/r.txt" and "U+FFFD" in reason and report.quarantined == ()
    covered = home.status()[0].coverage
    assert covered.chars_left_out >= 1 and 0 < covered.share < 1
    assert [finding.check for finding in home.doctor() if finding.check == "coverage"] == ["coverage"]
    (docs / "r.txt").write_bytes(BROKEN[:-1])
    assert home.index([docs]).read_in_part == () and home.coverage().share == 1


def test_a_file_of_which_one_part_is_broken_and_another_left_out_is_named_for_both():
    origin = Origin("a.jsonl", readable=True)
    steps = [Omitted(origin, LeftOut("the title was cut", 7)), Unreadable(origin, ReadError("line 3")), FileEnd(origin)]
    (end,) = changes(steps)
    row = end.origin.settled()
    assert (row.state, row.reason, row.left_out, row.left_chars) == ("ok", "line 3", "the title was cut", 7)
    covered = coverage([row])
    assert covered.quarantined == (("a.jsonl", "line 3"),) and covered.read_in_part == (
        ("a.jsonl", "the title was cut"),
    )


def test_a_folder_that_cannot_be_listed_keeps_its_rows_and_is_named(home, docs, model, monkeypatch):
    home.index([docs], model=model)
    before = rows(home)
    scan = os.scandir

    def refused(path):
        if Path(path).name == "network":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    with monkeypatch.context() as patched:
        patched.setattr(os, "scandir", refused)
        home.index([docs])
    assert skipped(home) == {"docs/network": "cannot be listed: Permission denied"} and rows(home) == before
    home.index([docs])
    assert skipped(home) == {} and rows(home) == before
