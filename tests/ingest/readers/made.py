"""Files of each format, made by libraries that know nothing of the readers, or by hand where there is none."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Mapping
from pathlib import Path

from benchmarks.hostile import zipped
from embassay.ingest.base import Read, SourceFile
from embassay.ingest.read import read
from embassay.types import Document

CONTAINER = """<?xml version="1.0"?><container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0">
<rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
ODF = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        "office": "office", "text": "text", "table": "table", "draw": "drawing", "presentation": "presentation",
        "style": "style", "meta": "meta",
    }.items()
)  # fmt: skip


def read_all(folder: Path, name: str, data: bytes) -> list[Read]:
    """What reading a file of that name and content gives."""
    file = folder / name
    file.write_bytes(data)
    return list(read(SourceFile(file, name)))


def read_one(folder: Path, name: str, data: bytes) -> Document:
    """The only document of such a file, of which nothing is lost."""
    (document,) = read_all(folder, name, data)
    assert isinstance(document, Document)
    return document


def notebook(*cells: dict[str, object], **metadata: object) -> bytes:
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": list(cells)}).encode()


def cell(kind: str, source: str | list[str], *outputs: dict[str, object]) -> dict[str, object]:
    made: dict[str, object] = {"cell_type": kind, "metadata": {}, "source": source}
    return made | ({"outputs": list(outputs), "execution_count": 1} if kind == "code" else {})


def epub(
    chapters: Mapping[str, str], *, metadata: str = "", nav: str = "", extra: Mapping[str, str] | None = None
) -> bytes:
    """A book with these chapters, in the order of the mapping, each the body of a page."""
    items = "".join(
        f'<item id="{name}" href="text/{name}.xhtml" media-type="application/xhtml+xml"/>' for name in chapters
    )
    spine = "".join(f'<itemref idref="{name}"/>' for name in chapters)
    if nav:
        items += '<item id="nav" href="nav.xhtml" properties="nav" media-type="application/xhtml+xml"/>'
        spine = '<itemref idref="nav"/>' + spine
    package = (
        '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
        f'xmlns:dc="http://purl.org/dc/elements/1.1/">{metadata}</metadata><manifest>{items}</manifest>'
        f"<spine>{spine}</spine></package>"
    )
    page = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
    pages = {f"OEBPS/text/{name}.xhtml": page.format(body) for name, body in chapters.items()}
    entries = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": CONTAINER,
        "OEBPS/book.opf": package,
        **pages,
    }
    return zipped(entries | ({"OEBPS/nav.xhtml": page.format(nav)} if nav else {}) | dict(extra or {}))


def odt(body: str, *, kind: str = "text", styles: str = "", meta: str = "", manifest: str = "<m/>") -> bytes:
    """An OpenDocument file whose content has this XML as its body."""
    content = f'<?xml version="1.0"?><office:document-content {ODF}><office:body><office:{kind}>{body}</office:{kind}>'
    entries = {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}",
        "content.xml": content + "</office:body></office:document-content>",
        "META-INF/manifest.xml": manifest,
    }
    if styles:
        entries["styles.xml"] = f"<office:document-styles {ODF}>{styles}</office:document-styles>"
    if meta:
        dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
        entries["meta.xml"] = (
            f"<office:document-meta {ODF} {dc}><office:meta>{meta}</office:meta></office:document-meta>"
        )
    return zipped(entries)


def pptx() -> bytes:
    """A presentation with a title slide, and one with a list, a table, a group, a chart and notes."""
    from pptx import Presentation
    from pptx.chart.data import CategoryChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Inches

    made = Presentation()
    first = made.slides.add_slide(made.slide_layouts[0])
    first.shapes.title.text, first.placeholders[1].text = "Keys", "Rotate the key"
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Pumps"
    frame = slide.placeholders[1].text_frame
    frame.text = "Check pressure"
    inner = frame.add_paragraph()
    inner.text, inner.level = "twice a day", 1
    table = slide.shapes.add_table(2, 2, 0, 0, Inches(1), Inches(1)).table
    for at, text in enumerate(("host", "port", "proxy", "8080")):
        table.cell(at // 2, at % 2).text = text
    outer = slide.shapes.add_group_shape()
    outer.shapes.add_group_shape().shapes.add_textbox(0, 0, 9, 9).text_frame.text = "grouped words"
    data = CategoryChartData()
    data.categories = ["East", "West"]
    data.add_series("Revenue", (1, 2))
    chart = slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, 0, 0, Inches(1), Inches(1), data).chart
    chart.has_title = True
    chart.chart_title.text_frame.text = "Sales by region"
    slide.notes_slide.notes_text_frame.text = "Mention the leak"
    made.slides.add_slide(made.slide_layouts[6]).shapes.add_textbox(0, 0, 9, 9).text_frame.text = "no title here"
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def parquet() -> bytes:
    """A table of two records with lists, vectors and bytes."""
    import pyarrow as arrow
    from pyarrow.parquet import write_table

    buffer = io.BytesIO()
    columns = {
        "id": [7, 8], "text": ["Rotate the key", "before Friday"], "tags": [["safety"], []],
        "vector": [[0.5, 1.0], [1.0, 0.5]], "raw": [b"x", None],
    }  # fmt: skip
    write_table(arrow.table(columns), buffer)
    return buffer.getvalue()


def xlsx() -> bytes:
    """A sheet of people with dates and a merged cell, a hidden one, and an empty one."""
    import datetime

    import xlsxwriter

    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    day, moment = book.add_format({"num_format": "yyyy-mm-dd"}), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet = book.add_worksheet("Staff")
    sheet.write(0, 0, "Rotate the key: the staff of 2026")
    sheet.write_row(2, 0, ["Team", "Name", "Joined", "Seen", "Pay", "Active", "Phone"])
    sheet.merge_range("A4:A5", "Pumps")
    for row, name in ((3, "Ann"), (4, "Bo")):
        sheet.write(row, 1, name)
    sheet.write_datetime(3, 2, datetime.datetime(2020, 1, 2), day)
    sheet.write_datetime(3, 3, datetime.datetime(2020, 1, 2, 3, 4), moment)
    sheet.write(3, 4, 1250.0)
    sheet.write_formula(4, 4, "=E4*2", None, 2500.5)
    sheet.write(3, 5, True)
    hidden = book.add_worksheet("Old")
    hidden.hide()
    hidden.write(0, 0, "a note in a hidden sheet")
    book.add_worksheet("Blank")
    book.close()
    return buffer.getvalue()


MAN = rb""".\" A comment
.TH KEYCTL 1 2026-11-20
.SH NAME
keyctl \- rotate keys
.SH SYNOPSIS
.B keyctl
.RI [ --days =\fIN\fR]
.SH OPTIONS
.TP
.BR \-d ", " \-\-days =\fIN\fP
Rotate the key
after
.I N
days.
.if t .nop never shown
.PP
Caf\('e \(co 2026 \(em \(dqquoted\(dq
.nf
  keyctl \-d 3
.fi
"""
VTT = b"""WEBVTT - a film

STYLE
::cue { color: red }

NOTE nobody hears this

1
00:00:01.000 --> 00:00:03.500 align:start
<v Maria>Rotate the <b>key</b>

00:00:03.500 --> 00:00:05.000
before &lt;Friday&gt;.

00:01:10.000 --> 00:01:12.000
Next topic.
"""
RTF = rb"""{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset204 Arial Cyr;}{\f2\fcharset128 MS Mincho;}}
{\stylesheet{\s0 Normal;}{\s1\outlinelevel0 heading 1;}}{\info{\title Keys}{\author Maria}}
{\header\pard Handbook of pumps\par}\pard\s1 Rotation\par\pard Rotate the caf\'e9 key{\footnote\pard See chapter 4\par}
\u8212?and {\f1\'ea\'eb\'fe\'f7} {\f2\'93\'fa\'96\'7b} {\deleted gone}{\v hidden}.\par
\trowd\cellx1000\cellx2000\pard\intbl host\cell port\cell\row\pard{\pict\bin3 }}}}\par after the picture\par
{\*\generator Nobody;}}"""
XML = b"""<?xml version="1.0"?>
<article><title>Keys</title><section><title>Rotation</title>
<para>Rotate the <emphasis>key</emphasis> before Friday.<footnote><para>See chapter 4</para></footnote></para>
<itemizedlist><listitem><para>one</para></listitem></itemizedlist>
</section></article>"""
TEX = rb"""\documentclass{article}
\title{Keys}
\begin{document}
\section{Rotation}
Rotate the caf\'e key % not today
before $\alpha$.
\end{document}
"""
ORG = b"#+TITLE: Keys\n* Rotation :ops:\n:PROPERTIES:\n:ID: 7\n:END:\nRotate the [[https://x][key]].\n# not shown\n"
ADOC = b"= Keys\n:author: Maria\n\n== Rotation\n\n// not shown\nRotate the *key* at {author}'s link:x[desk].\n"

SAMPLES: dict[str, tuple[str, bytes]] = {
    "notebook": ("a.ipynb", notebook(cell("markdown", "# Keys"), cell("code", "rotate()", {"output_type": "stream", "text": "ok"}))),
    "presentation": ("a.pptx", pptx()),
    "parquet": ("a.parquet", parquet()),
    "spreadsheet": ("a.xlsx", xlsx()),
    "epub": ("a.epub", epub({"one": "<h1>Keys</h1><p>Rotate the key.</p>"})),
    "opendocument": ("a.odt", odt('<text:h text:outline-level="1">Keys</text:h><text:p>Rotate the key.</text:p>')),
    "rtf": ("a.rtf", RTF),
    "captions": ("a.vtt", VTT),
    "gzip": ("a.md.gz", gzip.compress(b"# Keys\n\nRotate the key.\n")),
    "man": ("a.1", MAN),
    "xml": ("a.xml", XML),
    "tex": ("a.tex", TEX),
    "org": ("a.org", ORG),
    "asciidoc": ("a.adoc", ADOC),
}  # fmt: skip
"""A small file for each reader that was made here."""
