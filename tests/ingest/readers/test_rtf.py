"""Rich text: encodings, destinations, tables, and what is left out."""

from __future__ import annotations

import pytest

from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.readers import rtf
from tests.ingest.readers.made import RTF, read_all, read_one

HEAD = (
    rb"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0 Arial;}{\f1\fcharset204 A;}{\f2\fcharset128 M;}{\f3\fcharset134 S;}}"
)


def text_of(tmp_path, body: bytes, head: bytes = HEAD) -> str:
    return read_one(tmp_path, "a.rtf", head + body + b"}").text


def test_a_document_with_everything(tmp_path):
    document = read_one(tmp_path, "a.rtf", RTF)
    assert (document.title, document.metadata) == ("Keys", {"author": "Maria"})
    assert document.text == (
        "Handbook of pumps\n\n# Rotation\n\nRotate the café key\u2014and ключ 日本 .\n\nSee chapter 4\n\nhost | port\n\n"
        "after the picture"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb"caf\'e9 \'93quoted\'94", "café \u201cquoted\u201d"),
        (rb"{\f1\'ea\'eb\'fe\'f7} and {\f2\'93\'fa\'96\'7b} and {\f3\'d6\'d0}", "ключ and 日本 and 中"),
        (rb"{\f2 \'83\{}", "\u30dc"),
        (rb"\u8364? \u-10179?\u-8704? {\uc2\u955\'3f\'3fx} {\uc0\u955x}", "€ \U0001f600 λx λx"),
        (rb"\u233e\u769? done", "é\u0301 done"),
        (rb"{\upr{old}{\*\ud{new \u955?}}} rest", "new λ rest"),
        (rb"a\~b\_c\-d \{braces\} \\ back", "a\u00a0b-cd {braces} \\ back"),
        (rb"one\par two\line three\par\par four\tab five", "one\n\ntwo\nthree\n\nfour\tfive"),
        (b"wrapped by the\r\n program\\\nnext", "wrapped by the program\n\nnext"),
        (rb"\emdash \endash \bullet \lquote x\rquote", "\u2014\u2013\u2022\u2018x\u2019"),
        (rb"a{\footnote\pard the {\b note}} b\par c", "a b\n\nthe note\n\nc"),
        (rb'{\field{\*\fldinst{HYPERLINK "https://x"}}{\fldrslt{the link}}} here', "the link here"),
        (rb"{\pict\wmetafile8 0102ffee}after{\nonshppict{\pict 01}}{\*\shppict{\pict 01}}", "after"),
        (rb"{\shp{\*\shpinst{\sp{\sn a}{\sv b}}{\shptxt boxed words\par}}{\shprslt old words}}outer", "outer\n\nboxed words"),
        (rb"{\listtext 1.\tab}first\par{\pntext\'b7\tab}second", "1.\tfirst\n\n·\tsecond"),
        (rb"{\annotation comment}{\*\atnid x}kept{\xe index}", "kept"),
        (rb"\v hidden\v0 shown {\deleted gone} \plain end", "shown  end"),
        (rb"\pard\outlinelevel1 Part\par\pard text # 5\par\pard # six", "## Part\n\ntext # 5\n\n\\# six"),
        (rb"\trowd\pard\intbl a\par b\cell c\cell\row\trowd d\cell e\cell\row\pard after", "a b | c\nd | e\n\nafter"),
        (rb"\trowd\intbl {\b x\cell}\pard\intbl\itap2 deep\nestcell{\*\nesttableprops\nestrow}{\nonesttables\par}\cell\row", "x | deep"),
        (rb"{\object\objemb{\*\objdata 0102}{\result shown}}", "shown"),
        (rb"{\*\unknownthing words nobody sees}{\info{\subject no}{\operator no}}yes", "yes"),
    ],
)  # fmt: skip
def test_text(tmp_path, body, text):
    assert text_of(tmp_path, body) == text


def test_headings_by_the_name_of_their_style(tmp_path):
    styles = rb"{\stylesheet{\s0 Normal;}{\s5 \sbasedon0 heading 2;}{\s6\'dcberschrift 3;}{\s7 Title;}}"
    body = styles + rb"\pard\s7 Book\par\pard\s5 Part\par\pard\s6 Piece\par\pard\s0 words"
    assert text_of(tmp_path, body) == "# Book\n\n## Part\n\n### Piece\n\nwords"


def test_heads_and_feet_of_pages_are_said_once_and_numbers_of_pages_never(tmp_path):
    body = rb"{\header Manual}{\headerf Manual}{\footer\chpgn 7}one\par\sect{\footerl Imprint}two"
    assert text_of(tmp_path, body) == "Manual\n\nImprint\n\none\n\ntwo"


def test_a_file_that_claims_more_bytes_than_it_has_is_said_to_be_empty(tmp_path):
    document, lost = read_all(tmp_path, "a.rtf", rb"{\rtf1 \bin99999999999 x}")
    assert document.text == "" and isinstance(lost, LeftOut)


def test_tables_of_styles_are_no_text_that_is_lost(tmp_path):
    """A word processor writes thousands of letters of these into a document of one sentence."""
    styles = b"".join(rb"{\s%d\ql List Bullet Continue Number %d;}" % (at, at) for at in range(300))
    fonts = b"".join(rb"{\f%d\froman Times New Roman Greek;}" % at for at in range(200))
    data = (
        rb"{\rtf1{\fonttbl"
        + fonts
        + rb"}{\stylesheet"
        + styles
        + rb"}{\*\latentstyles{\lsdlockedexcept heading 1;Title;}}one sentence}"
    )
    assert read_one(tmp_path, "a.rtf", data).text == "one sentence"
    assert rtf.holds(SourceFile(tmp_path / "a.rtf", "a.rtf")) == len("onesentence")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (rb"{\rtf1\mac caf\'8e}", "café"),
        (rb"{\rtf1\ansi\ansicpg1251 \'ea\'eb\'fe\'f7}", "ключ"),
        (rb"{\rtf1\ansi\ansicpg65001 \'c3\'a9}", "é"),
        (rb"{\rtf1\ansi\ansicpg99999 plain}", "plain"),
        (rb"{\rtf1 cut off {\b in the middle", "cut off in the middle"),
        (rb"{\rtf1 whole} behind its end", "whole"),
        (rb"{\pard a part\par}{\pard and another\par}", "a part\n\nand another"),
        (b"only text, called rtf", "only text, called rtf"),
        (rb"{\rtf1" + b"{" * 50_000 + b"deep" + b"}" * 50_000 + b"}", "deep"),
    ],
)
def test_files_of_other_kinds_and_broken_ones(tmp_path, data, text):
    assert read_one(tmp_path, "a.rtf", data).text == text
