"""Answers written down as they come."""

import pytest

from embassay.errors import HomeNotWritable
from embassay.evaluate.judge.journal import Journal


def test_what_was_written_is_read(tmp_path):
    journal = Journal(tmp_path / "new" / "answers.jsonl")
    assert journal.read() == {}
    journal.prepare()
    journal.append("k1", ["how?"], {"passage": "a.md#L1-2", "model": "m"})
    journal.append("k2", ["why?", "¿qué?"], {"passage": "b.md#L1-2", "model": "m"})
    assert Journal(journal.file).read() == {"k1": ["how?"], "k2": ["why?", "¿qué?"]}


def test_a_line_that_a_kill_cut_short(tmp_path):
    journal = Journal(tmp_path / "answers.jsonl")
    for key in ("k1", "k2"):
        journal.append(key, ["how?"], {})
    journal.file.write_bytes(journal.file.read_bytes()[:-5])
    assert journal.read() == {"k1": ["how?"]}
    journal.prepare()
    journal.append("k3", ["when?"], {})
    assert journal.read() == {"k1": ["how?"], "k3": ["when?"]}, "the next line starts on its own"


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(HomeNotWritable, match="cannot be written"):
        Journal(tmp_path / "file" / "answers.jsonl").prepare()
