"""Where questions come from."""

import pytest

from embassay.errors import JudgedSetError
from embassay.evaluate.judge.label.questions import logged_questions, read_questions
from embassay.sets.log.entry import Feedback, LoggedHit, LoggedQuery


def asked(query, *feedback, hits=1, form="kept"):
    found = [LoggedHit(1, "docs", "a.md", "k", (1, 2), 0.5, {})] * hits
    given = [Feedback(kind, "a.md", 0.0) for kind in feedback]
    return LoggedQuery("i", 0.0, ("docs",), "s", "dense(10)", form, query, 1.0, found, given)


def test_those_that_failed_come_first():
    log = [
        asked("liked", "up"), asked("nobody said"), asked("disliked", "clicked", "down"), asked("empty", hits=0),
        asked("  nobody   said "), asked("secret", form="hashed"), asked("newer"),
    ]  # fmt: skip
    assert logged_questions(log) == ["disliked", "empty", "nobody said", "newer", "liked"]
    assert logged_questions(log, 2) == ["disliked", "empty"] and logged_questions([]) == []


def test_files(tmp_path):
    (tmp_path / "q.txt").write_text(" one  two\n\nthree\nOne two\n")
    assert [text.lower() for text in read_questions(tmp_path / "q.txt")] == ["one two", "three"]
    (tmp_path / "q.jsonl").write_text('{"query": "one", "clicked": ["a.md"]}\n{"query": "two"}\n')
    assert read_questions(tmp_path / "q.jsonl") == ["one", "two"]
    (tmp_path / "empty.txt").write_text("\n \n")
    for name in ("empty.txt", "gone.txt"):
        with pytest.raises(JudgedSetError, match=name):
            read_questions(tmp_path / name)
