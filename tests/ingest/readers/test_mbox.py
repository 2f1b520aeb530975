"""A mailbox gives each of its messages, under a name that stays, with the line where it begins."""

from __future__ import annotations

import mailbox
from email.message import EmailMessage

import pytest

from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.read import read
from embassay.ingest.readers import mbox

ENVELOPE = b"From ann@example.org Mon Mar  2 10:00:00 2026\n"


def found_in(tmp_path, data):
    file = tmp_path / "a.mbox"
    file.write_bytes(data)
    return list(read(SourceFile(file, "a.mbox")))


def message(subject, body, name=""):
    head = f"From: ann@example.org\nSubject: {subject}\n" + (f"Message-ID: <{name}>\n" if name else "")
    return ENVELOPE + f"{head}\n{body}\n\n".encode()


def test_messages_have_names_and_lines(tmp_path):
    first, second = found_in(
        tmp_path, message("One", "The frost\ncame.", "m1@example.org") + message("Two", "Then it went.")
    )
    assert (first.id, first.title, first.text.strip()) == ("a.mbox#m1@example.org", "One", "The frost\ncame.")
    assert (second.id, second.title) == ("a.mbox#2", "Two")
    assert set(first.source_lines) == {1} and set(second.source_lines) == {9}
    assert len(first.source_lines) == len(first.text.split("\n"))


def test_a_line_of_text_that_begins_like_an_envelope_begins_no_message(tmp_path):
    body = "From here on it rains.\n\nFrom what I know, it stops.\n>From time to time.\n>>From Ann"
    (only,) = found_in(tmp_path, message("One", body))
    assert only.text.strip() == "From here on it rains.\n\nFrom what I know, it stops.\nFrom time to time.\n>From Ann"


def test_what_another_program_writes(tmp_path):
    box = mailbox.mbox(tmp_path / "b.mbox")
    for at in range(3):
        letter = EmailMessage()
        letter["From"], letter["Subject"], letter["Message-ID"] = (
            "ann@example.org",
            f"Letter {at}",
            f"<{at}@example.org>",
        )
        letter.set_content(f"From the start, line {at}.\nGrüße")
        letter.add_attachment("# Notes\n", subtype="markdown", filename="notes.md")
        box.add(letter)
    box.close()
    found = list(read(SourceFile(tmp_path / "b.mbox", "b.mbox")))
    assert [d.id for d in found] == [
        name for at in range(3) for name in (f"b.mbox#{at}@example.org", f"b.mbox#{at}@example.org#notes.md")
    ]
    assert found[2].text.strip() == "From the start, line 1.\nGrüße"


def test_a_message_that_is_none_and_one_that_is_too_large_leave_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(mbox, "MAX_MESSAGE", 5_000)
    data = (
        message("One", "first")
        + ENVELOPE
        + b"\njust text\n\n"
        + message("Big", "word " * 2_000)
        + message("Last", "last")
    )
    found = found_in(tmp_path, data)
    assert [d.title for d in found if not isinstance(d, ReadError)] == ["One", "Last"]
    assert [str(d) for d in found if isinstance(d, ReadError)] == [
        "message 2 (line 7): not an e-mail: it has no From, To, Date or Subject",
        "message 3 (line 11): larger than 0 MB",
    ]


def test_blank_lines_may_stand_above(tmp_path):
    (only,) = found_in(tmp_path, b"\n\n" + message("One", "text"))
    assert only.text.strip() == "text" and set(only.source_lines) == {3}


def test_what_is_no_mailbox_says_so(tmp_path):
    with pytest.raises(ReadError, match="not a mailbox"):
        found_in(tmp_path, b"Dear Ann,\n")
