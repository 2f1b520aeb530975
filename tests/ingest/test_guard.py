"""What a reader loses is found, whatever it loses, and what it keeps raises no alarm."""

from __future__ import annotations

import gzip
import io
import zipfile
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embassay import jsontext
from embassay.errors import ReadError
from embassay.ingest.base import Document, LeftOut, SourceFile
from embassay.ingest.guard import NO_TEXT, guarded
from embassay.ingest.held import held, is_blank, letters
from embassay.testing import check_reader

PROSE = "The key is rotated by an engineer on call, who tells everybody before it happens. " * 20
PARAGRAPHS = "".join(f"<w:p><w:r><w:t xml:space='preserve'>{PROSE}</w:t></w:r></w:p>" for _ in range(3))


@dataclass
class Giving:
    """A reader that gives what it is told to, whatever is in the file."""

    parts: list = field(default_factory=list)
    SUFFIXES = frozenset({".any"})

    def read(self, source):
        for part in self.parts:
            yield Document(source.id, source.id, part) if isinstance(part, str) else part


def lost(tmp_path, content: bytes, *parts, reader=None) -> list[LeftOut]:
    (tmp_path / "a.any").write_bytes(content)
    found = guarded(SourceFile(tmp_path / "a.any", "a.any"), reader or Giving([*parts]))
    return [read for read in found if isinstance(read, LeftOut)]


def archive(**parts: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in parts.items():
            made.writestr(name.replace("__", "/"), text)
    return packed.getvalue()


def zipped(name: str, text: str) -> bytes:
    return archive(**{name: text, "styles.xml": "<a>" + PROSE * 3 + "</a>"})


WHOLE = {
    "text": PROSE.encode(),
    "latin-1": (PROSE + "é").encode("latin-1"),
    "utf-16": PROSE.encode("utf-16"),
    "page": f"<!doctype html><html><head><title>x</title><style>{PROSE}</style></head><body>{PROSE}</body>".encode(),
    "xml": f"<a><b>{PROSE}</b></a>".encode(),
    "json": jsontext.dumps({"records": [{"text": [PROSE]}]}).encode(),
    "escaped json": jsontext.dumps({"text": PROSE}, ascii_only=True).encode(),
    "rtf": (
        r"{\rtf1\ansi{\fonttbl{\f0 "
        + PROSE
        + r";}{\f1 Arial;}}{\*\generator "
        + PROSE
        + r"{\b x}}\f0\fs24 {\b }"
        + PROSE
        + r"\par}"
    ).encode(),
    "word": zipped("word/document.xml", f"<w:document>{PARAGRAPHS}</w:document>"),
    "slides": zipped("ppt/slides/slide1.xml", f"<p:sld><a:t>{PROSE}</a:t></p:sld>"),
    "sheet": zipped("xl/sharedStrings.xml", f"<sst><si><t>{PROSE}</t></si></sst>"),
    "opendocument": zipped("content.xml", f"<office:text><text:p>{PROSE}</text:p></office:text>"),
    "book": zipped("OEBPS/one.xhtml", f"<html><body><p>{PROSE}</p></body></html>"),
    "manual page": (
        '.\\" '
        + PROSE
        + "\n.TH KEY 1\n.de Sh\n"
        + PROSE
        + "\n..\n.if n .ds x "
        + PROSE
        + "\n.B \\fB"
        + PROSE
        + "\\fR\n"
    ).encode(),
    "latex": (
        "\\documentclass{article}\\usepackage{something}" * 40
        + "\\begin{document}\\label{something:long} "
        + PROSE
        + "% "
        + PROSE
        + "\n\\emph{}\\end{document}"
    ).encode(),
    "mail": f"From: a@b.c\nSubject: key\n\n{PROSE}".encode(),
    "packed": gzip.compress(PROSE.encode()),
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_file_that_is_read_whole_raises_no_alarm_and_one_that_is_not_does(tmp_path, kind):
    text = PROSE * 3 if kind == "word" else PROSE
    assert lost(tmp_path, WHOLE[kind], text) == []
    (part,) = lost(tmp_path, WHOLE[kind], text[: len(text) // 3])
    assert "letters" in part.reason and part.chars == pytest.approx(letters(text) * 2 / 3, rel=0.1)
    (nothing,) = lost(tmp_path, WHOLE[kind], " \n")
    assert nothing.reason == NO_TEXT and nothing.chars == pytest.approx(letters(text), rel=0.1)
    assert [part.reason for part in lost(tmp_path, WHOLE[kind])] == [NO_TEXT], "not even a document"


@pytest.mark.parametrize("content", [b"", b" \n\t\n", b"\xef\xbb\xbf\n"])
def test_nothing_is_lost_of_a_blank_file(tmp_path, content):
    assert lost(tmp_path, content, "") == [] == lost(tmp_path, content)
    assert is_blank(content)


def test_what_cannot_be_counted_still_has_to_give_something(tmp_path):
    pdf = b"%PDF-1.7\n" + b"stream of something " * 100
    assert lost(tmp_path, pdf, "a") == []
    assert [part.reason for part in lost(tmp_path, pdf, "")] == [NO_TEXT]


def test_a_reader_that_tells_itself_is_believed(tmp_path):
    told = LeftOut("2 of 5 pages are images")
    assert lost(tmp_path, PROSE.encode(), "", told) == [told]
    assert lost(tmp_path, PROSE.encode(), "", ReadError("line 3 is not JSON")) == []


def test_a_reader_may_count_itself(tmp_path):
    class Counting(Giving):
        def holds(self, source):
            return 10

    assert lost(tmp_path, PROSE.encode(), reader=Counting(["short"])) == []


def test_what_is_no_text_does_not_count(tmp_path):
    picture = "iVBORw0KGgoAAAANSUhEUgAA" * 500
    assert lost(tmp_path, f"{PROSE}\n![x](data:image/png;base64,{picture})".encode(), PROSE) == []
    script = f"<html><body>{PROSE}<script>{'call(of, somebody); ' * 900}</script><nav>{'menu ' * 900}</nav></body>"
    assert lost(tmp_path, script.encode(), PROSE) == []
    boundary = "From: a\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=X\n\n"
    both = (
        f"{boundary}--X\nContent-Type: text/plain\n\n{PROSE}\n--X\nContent-Type: text/html\n\n<p>{PROSE}</p>\n--X--\n"
    )
    assert lost(tmp_path, both.encode(), PROSE) == []
    numbers = "".join(f"{at}\n00:00:{at:02},000 --> 00:00:{at:02},900\nRotate the key.\n\n" for at in range(60))
    assert lost(tmp_path, numbers.encode(), "Rotate the key. " * 60) == []


def test_records_without_text_are_named(tmp_path):
    records = [Document(f"a.any#{at}", "a.any", "" if at in (2, 5) else PROSE) for at in range(6)]
    (part,) = lost(tmp_path, PROSE.encode(), *records)
    assert part.reason == "2 of its records hold no text: a.any#2, a.any#5"


def test_characters_that_stand_for_bytes_are_told_but_for_those_of_the_file(tmp_path):
    (part,) = lost(tmp_path, PROSE.encode() + b"\xe9", PROSE + "\ufffd")
    assert part == LeftOut("bytes that could not be decoded stand as U+FFFD in 1 place", 1)
    for own in ("\ufffd".encode(), b"\\ufffd", b"&#xFFFD;"):
        assert lost(tmp_path, PROSE.encode() + own, PROSE + "\ufffd") == []


HOSTILE = (
    b"<", b"<script", b"<!--", b'"', b'{"', b"\\", b"\\[", b"\\begin{", b"{\\*", b".de\n", b"PK\x03\x04",
)  # fmt: skip
"""What makes careless patterns take time with the square of it."""


@settings(max_examples=100)
@given(st.binary(max_size=3000) | st.sampled_from(HOSTILE).map(lambda unit: unit * 5000))
def test_the_count_takes_whatever_comes(content):
    """Hostile content too, in time that grows with it: the second half of these makes careless patterns quadratic."""
    for head in (b"", b"<html>", b"{", b"{\\rtf", b"From: a\n\n", b".TH x\n", b"PK\x03\x04", b"\x1f\x8b"):
        assert (held(head + content) or 0) <= 2 * len(content) + 100


@given(st.text())
def test_letters_are_those_beyond_ascii_and_those_of_it(text):
    expected = sum(character.isalpha() if character.isascii() else True for character in text)
    assert letters(text) == expected


def test_the_conformance_suite_holds_readers_to_it(tmp_path):
    (tmp_path / "a.any").write_text(PROSE)
    assert len(check_reader(Giving([PROSE]), tmp_path / "a.any")) == 1
    told = LeftOut("the appendix is a picture")
    assert len(check_reader(Giving([PROSE[:100], told]), tmp_path / "a.any")) == 1
    with pytest.raises(AssertionError, match="lost without a word"):
        check_reader(Giving([PROSE[:100]]), tmp_path / "a.any")
