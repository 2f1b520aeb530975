"""Zip containers: what is refused, and that what is counted is what was really unpacked."""

from __future__ import annotations

import pytest

from benchmarks.hostile import zipped
from embassay.errors import ReadError
from embassay.ingest.readers import _archive
from embassay.ingest.readers._archive import opened


def test_entries_are_read_by_their_names_and_names_are_no_paths():
    with opened(zipped({"b": b"two", "../../a": b"one"}), "EPUB") as archive:
        assert list(archive) == ["b", "../../a"] and "../../a" in archive
        assert archive.read("../../a") == b"one"
        with pytest.raises(ReadError, match="no part 'c'"):
            archive.read("c")


def test_what_is_no_archive_is_said_to_be_no_such_file():
    with pytest.raises(ReadError, match="not a readable EPUB"), opened(b"PK\x03\x04 but no more", "EPUB"):
        pass


def test_all_entries_count_towards_one_limit(monkeypatch):
    monkeypatch.setattr(_archive, "MAX_UNPACKED", 2_500)
    with opened(zipped({"a": b"x" * 1_000, "b": b"y" * 1_000, "c": b"z" * 1_000}), "DOCX") as archive:
        archive.read("a"), archive.read("b")
        with pytest.raises(ReadError, match="zip bomb"):
            archive.read("c")


def test_a_size_that_an_archive_claims_is_not_believed(monkeypatch):
    """An entry that says that it has ten bytes, and unpacks to a megabyte."""
    data = bytearray(zipped({"a": b"x" * 1_000_000}))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (10).to_bytes(4, "little")
    monkeypatch.setattr(_archive, "MAX_UNPACKED", 1_000)
    with opened(bytes(data), "DOCX") as archive, pytest.raises(ReadError, match=r"zip bomb|cannot be unpacked"):
        archive.read("a")


def test_checking_unpacks_everything_and_leaves_room_to_read(monkeypatch):
    monkeypatch.setattr(_archive, "MAX_UNPACKED", 2_500)
    with opened(zipped({"a": b"x" * 2_000}), "DOCX") as archive:
        archive.check()
        assert len(archive.read("a")) == 2_000
    with opened(zipped({"a": b"x" * 2_000, "b": b"y" * 1_000}), "DOCX") as archive, pytest.raises(ReadError):
        archive.check()


def test_too_many_entries(monkeypatch):
    monkeypatch.setattr(_archive, "MAX_ENTRIES", 2)
    with pytest.raises(ReadError, match="3 entries"), opened(zipped({"a": b"", "b": b"", "c": b""}), "EPUB"):
        pass


def test_an_encrypted_entry_needs_a_password():
    data = bytearray(zipped({"a": b"secret"}))
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + flags] |= 1
    with opened(bytes(data), "EPUB") as archive, pytest.raises(ReadError, match="password"):
        archive.read("a")


def test_a_broken_entry_is_a_read_error():
    data = bytearray(zipped({"a": bytes(range(256)) * 40}))
    data[40:60] = b"\xff" * 20
    with opened(bytes(data), "EPUB") as archive, pytest.raises(ReadError, match="'a' cannot be unpacked"):
        archive.read("a")
