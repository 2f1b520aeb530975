"""Subtitles: cues become sentences under their times."""

from __future__ import annotations

from itertools import pairwise

import pytest

from embassay.errors import ReadError
from tests.ingest.readers.made import VTT, read_all, read_one


def test_cues_are_joined_and_keep_time_and_line(tmp_path):
    document = read_one(tmp_path, "a.vtt", VTT)
    assert document.text == "Maria: Rotate the key before <Friday>.\n\nNext topic."
    assert [(h.title, document.text[h.at :].split()[0]) for h in document.headings] == [
        ("00:00:01", "Maria:"),
        ("00:01:10", "Next"),
    ]
    assert document.source_lines == [10, 16, 16]


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.srt", "1\r\n00:00:01,000 --> 00:00:02,000\r\nHe said\r\n\r\n2\r\n00:00:02,000 --> 00:00:03,000\r\n<i>hello</i>.\r\n", "He said hello."),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n{\\an8}up here\n2\n00:00:02,000 --> 00:00:03,000\nno blank line", "up here no blank line"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n- One.\n- Two.", "- One. - Two."),
        ("a.srt", "\ufeff1\n0:00:01.5 --> 0:00:02.5\nwith a mark", "with a mark"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nfirst\n\nstill first?\n\n2\n00:00:03,000 --> 00:00:04,000\nsecond", "first second"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nroll<00:00:01.500><c> on</c>\n\n00:02.000 --> 00:03.000\nroll on\nand on\n", "roll on and on"),
        ("a.vtt", "WEBVTT\n\nintro\n00:01.000 --> 00:02.000 line:0\n&amp; more\n", "& more"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi.\n\n00:02.000 --> 00:03.000\n<v Bo>Ho.\n", "Ann: Hi.\n\nBo: Ho."),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:02,000 --> 00:00:03,000\nis the answer", "42 is the answer"),
    ],
)  # fmt: skip
def test_text(tmp_path, name, data, text):
    assert read_one(tmp_path, name, data.encode()).text == text


def test_a_file_without_times(tmp_path):
    with pytest.raises(ReadError, match="no cues"):
        read_all(tmp_path, "a.srt", b"just some text\n")


def test_a_talk_without_full_stops_is_no_single_line(tmp_path):
    cues = "".join(
        f"{at}\n00:{at // 60:02d}:{at % 60:02d},000 --> 00:{at // 60:02d}:{at % 60:02d},900\nwords number {at} and\n\n"
        for at in range(200)
    )
    document = read_one(tmp_path, "a.srt", cues.encode())
    lines = document.text.split("\n")
    assert max(map(len, lines)) < 500 and len(document.headings) > 2
    assert " ".join(document.text.split()) == " ".join(f"words number {at} and" for at in range(200))
    assert len(document.source_lines) == len(lines)


def test_captions_that_roll_are_whole(tmp_path):
    said = [f"line {number} of what is said in this film" for number in range(40)]
    cues = (
        f"00:00:{at:02d}.000 --> 00:00:{at + 1:02d}.000\n{above}\n{below}\n\n00:00:{at + 1:02d}.000 --> 00:00:{at + 1:02d}.010\n{below}\n"
        for at, (above, below) in enumerate(pairwise(["", *said]))
    )
    assert said[7] in read_one(tmp_path, "a.vtt", ("WEBVTT\n\n" + "\n".join(cues)).encode()).text
