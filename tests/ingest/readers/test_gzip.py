"""Packed files are read by the reader of the name inside."""

from __future__ import annotations

import gzip

import pytest

from embassay.errors import NotText, ReadError
from embassay.ingest.readers import gzip as reader
from tests.ingest.readers.made import MAN, read_all, read_one


@pytest.mark.parametrize(
    ("name", "data", "kind", "text"),
    [
        ("notes.txt.gz", b"plain words", "text", "plain words"),
        ("notes.gz", b"no suffix inside", "text", "no suffix inside"),
        ("a.md.gz", b"# Keys\n", "markdown", "# Keys\n"),
        ("a.py.gz", b"def f(): pass\n", "code:python", "def f(): pass\n"),
        ("a.html.gz", b"<p>words</p>", "markdown", "words\n"),
        ("a.TXT.GZ", "größer".encode(), "text", "größer"),
    ],
)
def test_text(tmp_path, name, data, kind, text):
    document = read_one(tmp_path, name, gzip.compress(data))
    assert (document.id, document.path, document.kind, document.text) == (name, name, kind, text)


def test_records_and_manual_pages(tmp_path):
    first, second = read_all(tmp_path, "a.jsonl.gz", gzip.compress(b'{"id": 1, "text": "one"}\n{"text": "two"}\n'))
    assert (first.id, second.id, second.source_lines) == ("a.jsonl.gz#1", "a.jsonl.gz#2", (2,))
    assert read_one(tmp_path, "keyctl.1.gz", gzip.compress(MAN)).title == "KEYCTL(1)"


def test_several_members_are_one_file(tmp_path):
    assert read_one(tmp_path, "a.txt.gz", gzip.compress(b"one ") + gzip.compress(b"two")).text == "one two"


def test_what_is_cut_off_is_read_to_there_and_named(tmp_path):
    data = gzip.compress(b"".join(b"line %d of it\n" % at for at in range(9_000)))
    document, error = read_all(tmp_path, "a.txt.gz", data[: len(data) // 2])
    assert document.text.startswith("line 0 of it\nline 1") and isinstance(error, ReadError)
    assert "cannot be unpacked to its end" in str(error)


@pytest.mark.parametrize("name", ["a.tar.gz", "a.txt.gz.gz", "a.svg.gz", "a.css.gz"])
def test_what_is_skipped(tmp_path, name):
    with pytest.raises(NotText):
        read_all(tmp_path, name, gzip.compress(b"anything"))


def test_binary_content_is_skipped(tmp_path):
    with pytest.raises(NotText, match="binary"):
        read_all(tmp_path, "a.gz", gzip.compress(b"\x7fELF\0\0"))


def test_bombs_and_what_is_no_gzip(tmp_path, monkeypatch):
    with pytest.raises(ReadError, match="unpacked"):
        read_all(tmp_path, "a.txt.gz", b"not packed")
    monkeypatch.setattr(reader, "MAX_UNPACKED", 1_000)
    with pytest.raises(ReadError, match="unpacks to more than"):
        read_all(tmp_path, "a.txt.gz", gzip.compress(b"a" * 1_200_000))
