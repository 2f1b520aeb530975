"""Files of arrays: whole or not there, and whatever happened to one is noticed before it is believed."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embassay.errors import HomeNotWritable
from embassay.stores.hot import inverting
from embassay.stores.hot.errors import HotIndexDamaged
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.sections import Sections, SectionWriter
from embassay.stores.hot.words import WordPart
from embassay.testing import sample_chunks

CHUNKS, _ = sample_chunks(60, 8)
ROWS = [chunk.indexed.split() for chunk in CHUNKS]


@given(st.lists(st.integers(-(2**63), 2**63 - 1)), st.lists(st.integers(0, 300)))
def test_numbers_come_back(tmp_path_factory, signed, small):
    folder = tmp_path_factory.mktemp("s")
    with SectionWriter(folder, "f", "some") as out:
        out.add_numbers("signed", np.array(signed, np.int64))
        out.add_numbers("small", np.array(small, np.int64))
        out.add_numbers("counted", np.arange(len(small)))
        out.add("floats", np.array(small, np.float32))
    sections = Sections(folder, "f", "some")
    assert sections.numbers("signed", len(signed)).tolist() == signed
    assert sections.numbers("small", len(small)).tolist() == small
    assert sections.numbers("counted", len(small)).tolist() == list(range(len(small)))
    assert sections.array("floats").tolist() == small
    sections.close()
    sections.close()


def postings_of(words, number):
    """A term's rows, and how often it stands in each."""
    return words.rows_of(number).tolist(), words.frequencies_of(number).tolist()


def everything(folder):
    """All that the two files of a part hold."""
    words, rows = WordPart(folder, "p"), RowPart(folder, "p")
    postings = [postings_of(words, n) for n, _ in enumerate(words.terms())]
    return list(words.vocabulary()), postings, words.lengths.tolist(), rows.fetch(range(rows.rows)), rows.find(["x"])


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    WordPart.write(folder, "p", ROWS)
    RowPart.write(folder, "p", CHUNKS)
    assert sorted(file.name for file in folder.iterdir()) == ["p.rows", "p.words"]
    return folder, everything(folder)


@pytest.mark.parametrize("file", ["p.words", "p.rows"])
@given(data=st.data())
def test_a_changed_byte_is_noticed_or_changes_nothing(written, tmp_path_factory, file, data):
    folder, before = written
    damaged = copied(folder, tmp_path_factory)
    content = bytearray((damaged / file).read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    (damaged / file).write_bytes(content)
    try:
        found = everything(damaged)
    except HotIndexDamaged as error:
        assert file in str(error) and "made anew" in str(error)
    else:
        assert repr(found) == repr(before)


@pytest.mark.parametrize("file", ["p.words", "p.rows"])
@given(data=st.data())
def test_a_file_that_was_cut_is_noticed(written, tmp_path_factory, file, data):
    folder, _ = written
    damaged = copied(folder, tmp_path_factory)
    size = (damaged / file).stat().st_size
    os.truncate(damaged / file, data.draw(st.integers(0, size - 1)))
    with pytest.raises(HotIndexDamaged):
        everything(damaged)


def copied(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    for file in folder.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    return copy


def test_files_that_are_missing_or_of_another_kind(written, tmp_path):
    folder, _ = written
    with pytest.raises(HotIndexDamaged, match="cannot be read"):
        WordPart(tmp_path, "p")
    (tmp_path / "p.words").write_bytes((folder / "p.rows").read_bytes())
    with pytest.raises(HotIndexDamaged, match="a file of rows"):
        WordPart(tmp_path, "p")
    (tmp_path / "p.rows").mkdir()
    with pytest.raises(HotIndexDamaged):
        RowPart(tmp_path, "p")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path):
    (tmp_path / ".p.words.new").symlink_to("/dev/full")
    with pytest.raises(HomeNotWritable, match="disk is full"):
        WordPart.write(tmp_path, "p", ROWS)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_disk_that_is_full_while_rows_are_inverted(tmp_path, monkeypatch):
    def full(**_):
        return Path("/dev/full").open("wb")

    monkeypatch.setattr(inverting, "RUN", 100)
    monkeypatch.setattr(inverting.tempfile, "TemporaryFile", full)
    with pytest.raises(HomeNotWritable, match="disk is full"):
        WordPart.write(tmp_path, "p", ROWS * 20)
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_is_killed_leaves_the_part_as_it_was(written, tmp_path):
    _, before = written
    WordPart.write(tmp_path, "p", ROWS)
    RowPart.write(tmp_path, "p", CHUNKS)
    for number in range(3):
        script = f"""
import os, signal
from pathlib import Path
from embassay.stores.hot.rows import RowPart
from embassay.stores.hot.words import WordPart
from embassay.stores.hot import inverting, rows
from embassay.testing import sample_chunks
inverting.RUN, rows.BLOCK = 50, 8
def killed(items):
    for at, item in enumerate(items):
        if at == 20 * ({number} + 1) - 1:
            os.kill(os.getpid(), signal.SIGKILL)
        yield item
chunks, _ = sample_chunks(60, 8)
kind = RowPart if {number} % 2 else WordPart
kind.write(Path({str(tmp_path)!r}), "p", killed(chunks if {number} % 2 else [c.indexed.split() for c in chunks]))
"""
        assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
        assert everything(tmp_path) == before
    WordPart.write(tmp_path, "p", ROWS)
    RowPart.write(tmp_path, "p", CHUNKS)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["p.rows", "p.words"]


def test_files_are_the_users_own(written):
    folder, _ = written
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}


def test_threads_share_a_part(written):
    folder, before = written
    words, rows = WordPart(folder, "p"), RowPart(folder, "p")
    failures = []

    def read():
        try:
            for _ in range(20):
                assert list(words.vocabulary()) == before[0]
                assert rows.fetch(range(rows.rows)) == before[3]
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
