"""Numbers as people read them."""

from pathlib import Path

import pytest

from embassay.cli import words
from embassay.errors import UsageError
from embassay.types import Chunk, Hit


@pytest.mark.parametrize(
    ("shown", "wanted"),
    [
        (words.count(1, "file"), "1 file"),
        (words.count(2000, "file"), "2,000 files"),
        (words.size(0), "0 B"),
        (words.size(999), "999 B"),
        (words.size(8_700), "8.7 kB"),
        (words.size(96_000_000), "96 MB"),
        (words.size(4.1e12), "4,100 GB"),
        (words.dollars(None), "unknown"),
        (words.dollars(0), "free"),
        (words.dollars(0.00002), "< $0.0001"),
        (words.dollars(0.0123), "$0.0123"),
        (words.dollars(1234.5), "$1,234.50"),
        (words.share(0), "0%"),
        (words.share(0.004), "0.4%"),
        (words.share(0.42), "42%"),
        (words.duration(None), "unknown"),
        (words.duration(3.21), "3.2 s"),
        (words.duration(45), "45 s"),
        (words.duration(720), "12 min"),
        (words.duration(12_600), "3.5 h"),
    ],
)
def test_words(shown, wanted):
    assert shown == wanted


def test_a_path_leads_from_the_working_folder(tmp_path, monkeypatch):
    (tmp_path / "docs").mkdir()
    monkeypatch.chdir(tmp_path / "docs")
    assert words.shown_path("docs/a.md", tmp_path) == "a.md"
    assert words.shown_path("a.md", tmp_path) == "../a.md"
    far = Path("/nowhere/else")
    assert words.shown_path("a.md", far) == "/nowhere/else/a.md"


@pytest.mark.parametrize(
    ("said", "seconds"), [("45s", 45), ("30m", 1800), ("1.5h", 5400), ("7d", 604800), ("2w", 1209600)]
)
def test_times(said, seconds):
    assert words.seconds_of(said, "keep") == seconds


@pytest.mark.parametrize("said", ["", "7", "d", "-1d", "1e9d", "7 days", "٧d", "9999999999d"])
def test_what_is_no_time(said):
    with pytest.raises(UsageError, match="keep is"):
        words.seconds_of(said, "keep")


def test_where_else_a_hit_was_found(tmp_path, monkeypatch):
    def hit(path, line, more=()):
        return Hit(1, 1.0, Chunk(f"{path}{line}", path, path, "", "text", 0, (line, line), (0, 4), 1), {}, more=more)

    monkeypatch.chdir(tmp_path)
    assert words.also_at(hit("a.md", 1, [hit("a.md", 7)]), tmp_path) == "also at line 7"
    many = [hit("a.md", 3), hit("b.md", 9), *(hit("a.md", line) for line in range(10, 16))]
    assert words.also_at(hit("a.md", 1, many), tmp_path) == "also at lines 3, 10, 11, 12, b.md:9 and 3 more"
