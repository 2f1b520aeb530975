"""What cannot be read is quarantined with its reason, and keeps what was indexed of it before."""

from __future__ import annotations

import os
from pathlib import Path

from tests.sets.indexed import rows


def test_quarantine_keeps_going_and_can_be_retried(home, docs, model):
    (docs / "bad.docx").write_bytes(b"not a zip")
    (docs / "half.jsonl").write_text('{"text": "rotate the key"}\nbroken\n')
    report = home.index([docs], model=model)
    assert [path for path, _ in report.quarantined] == ["docs/bad.docx", "docs/half.jsonl"]
    assert home.status()[0].quarantined == 2 and home.status()[0].documents == 6
    assert home.search("rotate the key").hits
    os.utime(docs / "half.jsonl", (1, 1))
    assert home.index([docs / "bad.docx"]).files <= 1
    (docs / "half.jsonl").write_text('{"text": "rotate the key"}\n{"text": "mended"}\n')
    (docs / "bad.docx").unlink()
    report = home.index([docs], retry_failed=True)
    assert report.quarantined == () and home.status()[0].documents == 7


def test_a_file_that_turns_bad_keeps_its_rows(home, docs, model):
    (docs / "x.jsonl").write_text('{"text": "rotate the key"}\n')
    home.index([docs], model=model)
    count = len(rows(home))
    (docs / "x.jsonl").write_text("broken\n")
    report = home.index([docs])
    assert len(report.quarantined) == 1 and len(rows(home)) == count


def test_a_file_that_breaks_half_way_keeps_what_could_be_read(home, docs, model):
    (docs / "a.csv").write_text("id,text\n1,one\n2,two\n")
    home.index([docs], model=model)
    (docs / "a.csv").write_text("id,text\n7,seven\n8," + "x" * 16_100_000 + "\n")
    assert len(home.index([docs]).quarantined) == 1
    assert [c.document for c, _ in rows(home).values() if c.path == "docs/a.csv"] == ["docs/a.csv#7"]
    assert [f for f in home.doctor() if f.level == "problem"] == []


def test_names_that_are_not_utf8_are_skipped(home, docs, model):
    Path(os.fsdecode(os.fsencode(docs) + b"/bad\xff.md")).write_text("x")
    report = home.index([docs], model=model)
    assert [reason for _, reason in report.skipped] == ["its name is not UTF-8"]
