"""Files that are written whole or not at all, privately, and through no link."""

import os
import stat
from pathlib import Path

import pytest

from embassay import files
from embassay.errors import HomeNotWritable, UsageError
from embassay.files import check_writable, expanded, make_private, private_folder, refuse_links, write_new, write_whole


def test_a_file_is_replaced(tmp_path):
    file = tmp_path / "a.txt"
    write_whole(file, "one")
    write_whole(file, "zwei — \ud800")
    assert file.read_text("utf-8") == "zwei — ?" and [found.name for found in tmp_path.iterdir()] == ["a.txt"]


def test_a_device_or_a_pipe_is_written_to_and_stays_what_it_is(tmp_path):
    """Replacing /dev/null by a file, which root may do, harms the whole machine."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 100) == b"text" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_what_cannot_be_written_leaves_what_was_there(tmp_path):
    (tmp_path / "folder").mkdir()
    with pytest.raises(HomeNotWritable, match="cannot be written"):
        write_whole(tmp_path / "folder", "text")
    assert [found.name for found in tmp_path.iterdir()] == ["folder"], "and nothing beside it"


def test_it_is_known_before(tmp_path):
    check_writable(tmp_path / "new.html")
    with pytest.raises(HomeNotWritable, match="it is a folder"):
        check_writable(tmp_path)
    with pytest.raises(HomeNotWritable, match="is no folder"):
        check_writable(tmp_path / "none" / "new.html")


@pytest.mark.parametrize("path", ["~nouser", "~nouser/a", "a\0b", "\0"])
def test_what_is_no_path(path):
    with pytest.raises(UsageError, match="is no path"):
        expanded(path)


def test_a_path_as_people_write_it(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert expanded("~/a") == tmp_path / "a" and expanded("~") == tmp_path
    assert expanded("a/~/b") == Path("a/~/b") and expanded(Path("/x")) == Path("/x")


def test_there_is_no_other_way_to_expand_a_path():
    source = Path(files.__file__).parent
    found = [file.name for file in source.rglob("*.py") if "expanduser" in file.read_text("utf-8")]
    assert found == ["files.py"]


def test_no_link_is_written_through(tmp_path):
    (tmp_path / "elsewhere").write_text("theirs")
    for name in (".a.txt.new", "a.txt"):
        (tmp_path / name).symlink_to("elsewhere")
    write_whole(tmp_path / "a.txt", "ours")
    assert (tmp_path / "elsewhere").read_text() == "theirs" and not (tmp_path / "a.txt").is_symlink()
    (tmp_path / "new").symlink_to("nowhere")
    assert not write_new(tmp_path / "new", "ours") and not (tmp_path / "nowhere").exists()
    with pytest.raises(HomeNotWritable, match="is a link"):
        refuse_links([tmp_path / "a.txt", tmp_path / "new"])


def test_a_pipe_stays_one(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, "text")
    assert os.read(reader, 9) == b"text" and pipe.is_fifo()
    os.close(reader)


def test_private(tmp_path):
    old = os.umask(0)
    try:
        private_folder(tmp_path / "a" / "b")
        write_whole(tmp_path / "a" / "b" / "c", "text", private=True)
        assert write_new(tmp_path / "a" / "b" / "d", "text")
        (tmp_path / "loose").write_text("")
        (tmp_path / "link").symlink_to("loose")
        make_private([tmp_path / "link", tmp_path / "missing"])
        assert mode(tmp_path / "loose") == 0o666, "a link is not followed"
        make_private([tmp_path / "loose"])
    finally:
        os.umask(old)
    assert mode(tmp_path / "a" / "b") == 0o700
    assert {mode(tmp_path / name) for name in ("a/b/c", "a/b/d", "loose")} == {0o600}


def mode(path):
    return path.stat().st_mode & 0o777
