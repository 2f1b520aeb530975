"""Subtitles and transcripts (WebVTT, SubRip): what is said, a line for each sentence, under the time of its beginning.

The cues of a film are cut for the eye; they are joined to sentences, and these to paragraphs where nobody speaks for a
while or another person does. Each line is tied to the line of the file at which it begins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.held import letters
from embassay.types import Heading

SUFFIXES = frozenset({".vtt", ".srt"})
_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"\s*{_TIME}[ \t]*-->[ \t]*{_TIME}")
_SPEAKER = re.compile(r"<v(?:\.[^\s<>]*)?\s+([^<>]{1,200})>")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>|<\d[\d:.]{0,20}>|\{\\[^{}]{0,100}\}")
"""Tags of both formats, times inside a cue, and the placement that SubRip took over from others."""
PAUSE = 4.0
"""Seconds without a cue that end a paragraph."""
LONG_LINE, LONG_PARAGRAPH = 400, 1_500
"""Characters after which a line or a paragraph ends with the next cue: much is said without an end of a sentence."""
ENDS = tuple('.!?…。！？؟।"”»)')


@dataclass(frozen=True)
class Cue:
    """What is shown at once."""

    line: int
    start: float
    """Seconds, as is `end`."""
    end: float
    text: str
    speaks: bool
    """Whether it names who speaks."""


def read(source: SourceFile) -> Iterator[Document]:
    text: list[str] = []
    lines: list[int] = []
    headings: list[Heading] = []
    at = size = 0
    before: Cue | None = None
    for cue in _cues(source.text()):
        ends = before is None or cue.speaks or cue.start - before.end > PAUSE or size > LONG_PARAGRAPH
        if ends or text[-1].endswith(ENDS) or len(text[-1]) > LONG_LINE:
            if ends and text:
                text.append("")
                lines.append(cue.line)
                at += 1
            if ends:
                headings.append(Heading(at, 0, _clock(cue.start)))
                size = 0
            text.append(cue.text)
            lines.append(cue.line)
        else:
            text[-1] += " " + cue.text
        at += len(cue.text) + 1
        size += len(cue.text)
        before = cue
    if before is None:
        raise ReadError("no cues: it has no line of times, as 00:00:01.000 --> 00:00:02.000")
    yield Document(source.id, source.id, "\n".join(text), "text", headings=headings, source_lines=lines)


def holds(source: SourceFile) -> int:
    """The letters of the file, those of each line once: captions that roll repeat it."""
    return sum(letters(line) for line in {_plain(line) for line in source.text().split("\n")} if "-->" not in line)


def _cues(text: str) -> Iterator[Cue]:
    """The cues in their order. Comments, styles and numbers stand between them and are no part of one."""
    lines = text.split("\n")
    shown = ""
    """The last line of the cue before: captions that roll repeat it."""
    number = 0
    while number < len(lines):
        timing = _TIMING.match(lines[number])
        number += 1
        if timing is None:
            continue
        first = number + 1
        said: list[str] = []
        while number < len(lines) and lines[number].strip() and "-->" not in lines[number]:
            said.append(lines[number])
            number += 1
        if said and number < len(lines) and "-->" in lines[number] and said[-1].strip().isdigit():
            said.pop()  # the number of the next cue, in a file without blank lines
        rows = [row for line in said if (row := _plain(line))]
        if rows and rows[0] == shown:
            del rows[0]
        if rows:
            shown = rows[-1]
            times = [0 if part is None else int(part) for part in timing.groups()]
            speaks = bool(_SPEAKER.search(said[0])) or rows[0].startswith(("- ", "– ", ">>"))
            yield Cue(first, _seconds(times[:4]), _seconds(times[4:]), " ".join(rows), speaks)


def _plain(line: str) -> str:
    """A line without its marks; who speaks stands in front of it."""
    return " ".join(unescape(_TAG.sub("", _SPEAKER.sub(r"\1: ", line))).split())


def _seconds(parts: list[int]) -> float:
    hours, minutes, seconds, fraction = parts
    return 3600 * hours + 60 * minutes + seconds + fraction / 1000


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"
