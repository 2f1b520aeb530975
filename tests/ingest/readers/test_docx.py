"""What Word shows of a document is its text, once, in order; what Word does not show is not in it."""

from __future__ import annotations

import io
import zipfile

import pytest

from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.read import read
from tests.ingest.readers.made import read_one
from tests.ingest.readers.word_files import paragraph, run, word

COMPLEX = '<w:r><w:fldChar w:fldCharType="{}"/></w:r>'


def text_of(tmp_path, data):
    file = tmp_path / "a.docx"
    file.write_bytes(data)
    (document,) = read(SourceFile(file, "a.docx"))
    return document.text


def field(code, *result):
    begin, separate, end = (COMPLEX.format(kind) for kind in ("begin", "separate", "end"))
    return f"{begin}<w:r><w:instrText>{code}</w:instrText></w:r>{separate}{''.join(result)}{end}"


def control(content):
    return f"<w:sdt><w:sdtPr><w:alias w:val='not shown'/></w:sdtPr><w:sdtContent>{content}</w:sdtContent></w:sdt>"


def box(content):
    return f"<w:pict><v:shape><v:textbox><w:txbxContent>{content}</w:txbxContent></v:textbox></v:shape></w:pict>"


def drawn(content):
    """A text box as Word writes it: for itself, and again for programs that do not know its markup."""
    modern = f"<w:drawing><wps:txbx><w:txbxContent>{content}</w:txbxContent></wps:txbx></w:drawing>"
    return f"<w:r><mc:AlternateContent><mc:Choice>{modern}</mc:Choice><mc:Fallback>{box(content)}</mc:Fallback></mc:AlternateContent></w:r>"


def table(*rows):
    return "<w:tbl>" + "".join(f"<w:tr>{''.join(row)}</w:tr>" for row in rows) + "</w:tbl>"


def cell(*content, properties=""):
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{''.join(content)}</w:tc>"


NESTED = table([cell(paragraph("inner left")), cell(paragraph("inner right"))])
KINDS = {
    "a control around a paragraph": (control(paragraph("Tenant: Harbour Bakery")), "Tenant: Harbour Bakery"),
    "a control in a paragraph": (paragraph("Tenant: ", control(run("Bakery")), "."), "Tenant: Bakery."),
    "a control in a control": (control(control(paragraph("deep"))), "deep"),
    "a control around a row": (
        f"<w:tbl>{control('<w:tr>' + cell(paragraph('a')) + cell(paragraph('b')) + '</w:tr>')}</w:tbl>", "a | b"),
    "a control around a cell": (table([control(cell(paragraph("a"))), cell(control(paragraph("b")))]), "a | b"),
    "custom markup": (f"<w:customXml>{paragraph('<w:smartTag>' + run('Berlin') + '</w:smartTag>')}</w:customXml>", "Berlin"),
    "an insertion": (paragraph("a ", f"<w:ins>{run('new ')}</w:ins>", "b"), "a new b"),
    "a deletion": (paragraph("a ", "<w:del><w:r><w:delText>old </w:delText></w:r></w:del>", "b"), "a b"),
    "an insertion that was deleted": (paragraph("a", f"<w:ins><w:del>{run('gone')}</w:del></w:ins>"), "a"),
    "inserted paragraphs": (f"<w:ins>{paragraph('one')}{paragraph('two')}</w:ins>", "one\n\ntwo"),
    "a move": (paragraph(f"<w:moveFrom>{run('here')}</w:moveFrom>", "x ", f"<w:moveTo>{run('there')}</w:moveTo>"), "x there"),
    "a deleted row": (f"<w:tbl><w:tr><w:trPr><w:del/></w:trPr>{cell(paragraph('a'))}{cell(paragraph('b'))}</w:tr><w:tr>"
                      f"{cell(paragraph('c'))}{cell(paragraph('d'))}</w:tr></w:tbl>", "c | d"),
    "a simple field": (paragraph("Due ", f'<w:fldSimple w:instr="DATE">{run("2 May")}</w:fldSimple>'), "Due 2 May"),
    "a complex field": (paragraph("Due ", field("DATE \\@ d", run("2 May")), "."), "Due 2 May."),
    "a field in a code": (paragraph(field("IF " + "</w:instrText></w:r>" + field("MERGEFIELD x", run("hidden"))
                                          + "<w:r><w:instrText>", run("shown"))), "shown"),
    "a field over paragraphs": (
        paragraph(COMPLEX.format("begin"), "<w:r><w:instrText>TOC</w:instrText></w:r>", COMPLEX.format("separate"), "Keys 1")
        + paragraph("Locks 2", COMPLEX.format("end")), "Keys 1\n\nLocks 2"),
    "a field that never ends": (paragraph(COMPLEX.format("begin"), "one") + paragraph("two"), "one\n\ntwo"),
    "a choice in a form": (paragraph('<w:r><w:fldChar w:fldCharType="begin"><w:ffData><w:ddList><w:result w:val="1"/><w:listEntry '
                           'w:val="red"/><w:listEntry w:val="green"/></w:ddList></w:ffData></w:fldChar></w:r>',
                           COMPLEX.format("end")), "green"),
    "a link": (paragraph("see ", f'<w:hyperlink r:id="x">{run("the guide")}</w:hyperlink>'), "see the guide"),
    "a table in a table": (table([cell(paragraph("outer"), NESTED), cell(paragraph("side"))]),
                           "outer\ninner left | inner right | side"),
    "a page laid out by a table": (table([cell(paragraph("Letter"), NESTED)], [cell(paragraph("Foot"))]),
                                   "Letter\n\ninner left | inner right\n\nFoot"),
    "merged cells": (table([cell(paragraph("a"), properties='<w:vMerge w:val="restart"/>'), cell(paragraph("b"))],
                           [cell(paragraph(), properties="<w:vMerge/>"), cell(paragraph("c"))]), "a | b\na | c"),
    "a text box": (paragraph("Body.", drawn(paragraph("In the box."))), "Body.\n\nIn the box."),
    "an old text box": (paragraph("Body.", f"<w:r>{box(paragraph('Old box.'))}</w:r>"), "Body.\n\nOld box."),
    "only the fallback": (paragraph('<w:r><mc:AlternateContent><mc:Choice/><mc:Fallback><w:t>plain</w:t></mc:Fallback>'
                                    "</mc:AlternateContent></w:r>"), "plain"),
    "alternatives of blocks": (f"<mc:AlternateContent><mc:Choice>{paragraph('new')}</mc:Choice><mc:Fallback>"
                               f"{paragraph('old')}</mc:Fallback></mc:AlternateContent>", "new"),
    "a formula": (paragraph("<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t></m:r></m:den></m:f>"
                            "<m:sSup><m:e><m:r><m:t>+c</m:t></m:r></m:e><m:sup><m:r><m:t>2</m:t></m:r></m:sup></m:sSup>"
                            "</m:oMath>"), "a/b+c^2"),
    "symbols": (paragraph('<w:r><w:sym w:font="Symbol" w:char="F061"/><w:sym w:font="Wingdings" w:char="F0FE"/></w:r>'), "α☑"),
    "hidden text": (paragraph("a ", "<w:r><w:rPr><w:vanish/></w:rPr><w:t>b </w:t></w:r>", "<w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>c</w:t></w:r>"), "a c"),
    "ruby": (paragraph(f"<w:r><w:ruby><w:rubyPr/><w:rt>{run('かんじ')}</w:rt><w:rubyBase>{run('漢字')}</w:rubyBase></w:ruby></w:r>"),
             "漢字(かんじ)"),
    "marks": (paragraph("<w:r><w:t>a</w:t><w:tab/><w:t>b</w:t><w:br/><w:t>c</w:t><w:noBreakHyphen/><w:t>d</w:t>"
                        "<w:softHyphen/><w:t>e</w:t></w:r>"), "a\tb\nc-de"),
    "a picture's description": (paragraph('<w:r><w:drawing><wp:inline><wp:docPr id="1" descr="A pump in a cellar"/></wp:inline>'
                                          "</w:drawing></w:r>"), "A pump in a cellar"),
    "a picture's file name": (paragraph('<w:r><w:drawing><wp:inline><wp:docPr id="1" descr="IMG_1.png"/></wp:inline>'
                                        "</w:drawing></w:r>", "x"), "x"),
    "a watermark": (paragraph('<w:r><w:pict><v:shape><v:textpath string="DRAFT"/></v:shape></w:pict></w:r>'), "DRAFT"),
    "an unknown wrapper": (f"<w:future>{paragraph('<w:later>' + run('kept') + '</w:later>')}</w:future>", "kept"),
    "a hash that is no heading": (paragraph("# 7 is a number"), "\\# 7 is a number"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_word_shows(tmp_path, kind):
    body, expected = KINDS[kind]
    assert text_of(tmp_path, word(body)) == expected


def test_notes_stand_behind_their_paragraph(tmp_path):
    reference = '<w:r><w:{0}Reference w:id="{1}"/></w:r>'
    body = paragraph("One", reference.format("footnote", 2), reference.format("endnote", 2)) + paragraph("Two")
    note = '<w:{0} w:id="2">{1}</w:{0}>'
    data = word(
        body,
        footnotes='<w:footnote w:type="separator" w:id="0"><w:p/></w:footnote>'
        + note.format("footnote", control(paragraph("at the foot"))),
        endnotes=note.format("endnote", paragraph("at the end") + paragraph("and more")),
    )
    assert text_of(tmp_path, data) == "One[^1][^2]\n\n[^1]: at the foot\n\n[^2]: at the end\nand more\n\nTwo"


def test_a_note_that_refers_to_itself_is_said_once(tmp_path):
    reference = '<w:r><w:footnoteReference w:id="2"/></w:r>'
    data = word(
        paragraph("x", reference), footnotes=f'<w:footnote w:id="2">{paragraph("note", reference)}</w:footnote>'
    )
    assert text_of(tmp_path, data).count("note") == 1


def test_comments_name_their_author(tmp_path):
    data = word(
        paragraph("The price", '<w:r><w:commentReference w:id="4"/></w:r>'),
        comments=f'<w:comment w:id="4" w:author="Ann">{paragraph("is too high")}</w:comment>',
    )
    assert text_of(tmp_path, data) == "The price\n\nComment by Ann: is too high"


def test_headers_and_footers_are_said_once(tmp_path):
    section = '<w:sectPr><w:headerReference r:id="header1"/><w:headerReference r:id="header2"/><w:footerReference r:id="footer1"/></w:sectPr>'
    data = word(
        f"<w:p><w:pPr>{section}</w:pPr></w:p>" + paragraph("Body") + section,
        header1=paragraph("ACME Ltd, draft 3"),
        header2=paragraph("ACME Ltd, draft 3"),
        footer1=paragraph(
            "Page ",
            field(" PAGE ", run("7")),
            " of ",
            '<w:fldSimple w:instr="NUMPAGES"><w:r><w:t>9</w:t></w:r></w:fldSimple>',
        ),
    )
    assert text_of(tmp_path, data) == "ACME Ltd, draft 3\n\nBody"


def test_a_footer_keeps_what_is_more_than_a_number(tmp_path):
    section = '<w:sectPr><w:footerReference r:id="footer1"/></w:sectPr>'
    data = word(paragraph("Body") + section, footer1=paragraph("Confidential, page ", field("PAGE", run("7"))))
    assert text_of(tmp_path, data) == "Body\n\nConfidential, page"


def test_headings_by_name_by_level_and_by_what_they_are_based_on(tmp_path):
    styles = (
        '<w:style w:styleId="a"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="b"><w:name w:val="Clause"/><w:basedOn w:val="a"/></w:style>'
        '<w:style w:styleId="c"><w:name w:val="Part"/><w:pPr><w:outlineLvl w:val="0"/></w:pPr></w:style>'
        '<w:style w:styleId="d"><w:name w:val="Body"/><w:basedOn w:val="b"/><w:pPr><w:outlineLvl w:val="9"/></w:pPr></w:style>'
        '<w:style w:styleId="e"><w:name w:val="Title"/></w:style><w:style w:styleId="f"><w:basedOn w:val="f"/></w:style>'
    )
    body = "".join(paragraph(name, style=name) for name in "ecabdf")
    assert text_of(tmp_path, word(body, styles=styles)) == "# e\n\n# c\n\n## a\n\n## b\n\nd\n\nf"


def test_a_chart_lies_in_a_part_of_its_own(tmp_path):
    graphic = '<w:r><w:drawing><a:graphic><a:graphicData><c:chart r:id="chart1"/></a:graphicData></a:graphic></w:drawing></w:r>'
    chart = (
        "<c:title><a:p><a:r><a:t>Sales by </a:t></a:r><a:r><a:t>harbour</a:t></a:r></a:p></c:title>"
        "<c:cat><c:strCache><c:pt><c:v>Rotterdam</c:v></c:pt></c:strCache></c:cat>"
        "<c:val><c:numCache><c:pt><c:v>17</c:v></c:pt></c:numCache></c:val>"
    )
    assert text_of(tmp_path, word(paragraph(graphic), chart1=chart)) == "Sales by harbour\nRotterdam"


def test_a_page_that_word_shows_in_its_place(tmp_path):
    data = word(paragraph("Above.") + '<w:altChunk r:id="aFChunk"/>' + paragraph("Below."), aFChunk="")
    packed, made = io.BytesIO(data), io.BytesIO()
    with zipfile.ZipFile(packed) as archive, zipfile.ZipFile(made, "w") as out:
        for name in archive.namelist():
            if name == "word/aFChunk.xml":
                out.writestr("word/page.html", "<h2>Imported</h2><p>From a page.</p>")
            else:
                out.writestr(name, archive.read(name).replace(b"aFChunk.xml", b"page.html"))
    assert text_of(tmp_path, made.getvalue()) == "Above.\n\n## Imported\n\nFrom a page.\n\nBelow."


def test_what_another_program_writes(tmp_path):
    import docx

    document = docx.Document()
    document.add_heading("Keys", 1)
    document.add_paragraph("Rotate the key before Friday.")
    document.add_heading("Proxies", 2)
    grid = document.add_table(1, 2)
    grid.cell(0, 0).text, grid.cell(0, 1).text = "host", "port"
    document.sections[0].header.paragraphs[0].text = "ACME"
    buffer = io.BytesIO()
    document.save(buffer)
    expected = "ACME\n\n# Keys\n\nRotate the key before Friday.\n\n## Proxies\n\nhost | port"
    assert text_of(tmp_path, buffer.getvalue()) == expected


def test_a_strict_document_is_read_alike(tmp_path):
    packed, made = io.BytesIO(word(paragraph("strict"))), io.BytesIO()
    with zipfile.ZipFile(packed) as archive, zipfile.ZipFile(made, "w") as out:
        for name in archive.namelist():
            text = archive.read(name).decode()
            text = text.replace(
                "http://schemas.openxmlformats.org/wordprocessingml/2006/main",
                "http://purl.oclc.org/ooxml/wordprocessingml/main",
            )
            out.writestr(
                name,
                text.replace(
                    "http://schemas.openxmlformats.org/officeDocument/2006/",
                    "http://purl.oclc.org/ooxml/officeDocument/",
                ),
            )
    assert text_of(tmp_path, made.getvalue()) == "strict"


def test_a_damaged_part_leaves_the_others(tmp_path):
    data = word(
        paragraph("Kept.") + '<w:sectPr><w:headerReference r:id="header1"/></w:sectPr>',
        header1="",
        footnotes="<w:footnote>",
    )
    file = tmp_path / "a.docx"
    file.write_bytes(data)
    document, told = list(read(SourceFile(file, "a.docx")))
    assert document.text == "Kept."
    assert told.reason.startswith("damaged: not a readable DOCX (word/footnotes.xml)")


def test_elements_that_nest_too_deeply_are_an_error(tmp_path):
    with pytest.raises(ReadError, match=r"nest|depth"):
        text_of(tmp_path, word("<w:sdt>" * 1_500 + paragraph("x") + "</w:sdt>" * 1_500))


def level(at, kind, text, more=""):
    return (
        f'<w:lvl w:ilvl="{at}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/>{more}<w:lvlText w:val="{text}"/></w:lvl>'
    )


NUMBERING = (
    '<w:abstractNum w:abstractNumId="0">'
    + level(0, "decimal", "%1.")
    + level(1, "lowerLetter", "%1.%2)")
    + level(2, "upperRoman", "§ %3")
    + '</w:abstractNum><w:abstractNum w:abstractNumId="1">'
    + level(0, "bullet", "\uf0b7")
    + '</w:abstractNum><w:abstractNum w:abstractNumId="2">'
    + level(0, "upperRoman", "Part %1", '<w:pStyle w:val="h1"/>')
    + level(1, "decimal", "%1.%2", '<w:isLgl/><w:pStyle w:val="h2"/>')
    + "</w:abstractNum>"
    + "".join(
        f'<w:num w:numId="{n}"><w:abstractNumId w:val="{a}"/>{more}</w:num>'
        for n, a, more in (
            (1, 0, ""),
            (2, 1, ""),
            (3, 2, ""),
            (4, 0, '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride>'),
        )
    )
)


def item(text, name, at=0):
    return f'<w:p><w:pPr><w:numPr><w:ilvl w:val="{at}"/><w:numId w:val="{name}"/></w:numPr></w:pPr>{run(text)}</w:p>'


def test_lists_have_the_numbers_that_word_counts(tmp_path):
    body = [item("a", 1), item("b", 1, 1), item("c", 1, 1), item("d", 1), item("e", 1, 1), item("f", 1, 2), item("x", 2),
            item("g", 4), item("h", 4), item("i", 1), item("none", 0), item("missing", 9)]  # fmt: skip
    expected = "1. a|1.a) b|1.b) c|2. d|2.a) e|§ I f|- x|7. g|8. h|9. i|none|missing"
    assert text_of(tmp_path, word("".join(body), numbering=NUMBERING)) == expected.replace("|", "\n\n")


def test_headings_have_the_numbers_of_their_styles(tmp_path):
    styles = "".join(
        f'<w:style w:styleId="h{at}"><w:name w:val="heading {at}"/><w:pPr><w:numPr><w:numId w:val="3"/></w:numPr></w:pPr></w:style>'
        for at in (1, 2)
    )
    body = "".join(
        paragraph(text, style=style)
        for style, text in (("h1", "A"), ("h2", "B"), ("h2", "C"), ("h1", "D"), ("h2", "E"))
    )
    found = text_of(tmp_path, word(body, numbering=NUMBERING, styles=styles))
    assert found == "# Part I A\n\n## 1.1 B\n\n## 1.2 C\n\n# Part II D\n\n## 2.1 E"


@pytest.mark.parametrize(("content", "reason"), [("EncryptedPackage", "password"), ("WordDocument", "Word 97")])
def test_what_is_no_archive_says_why(tmp_path, content, reason):
    with pytest.raises(ReadError, match=reason):
        text_of(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + content.encode("utf-16-le"))


@pytest.mark.parametrize(
    "chunk",
    [
        "<html><body><p>The pump – it leaks.</p></body></html>",
        "MIME-Version: 1.0\nContent-Type: text/html; charset=utf-8\n\n<p>The pump – it leaks.</p>\n",
        r"{\rtf1\ansi\ansicpg1252 The pump \'96 it leaks.\par}",
    ],
    ids=["page", "MHT", "RTF"],
)
def test_a_file_that_word_puts_into_the_text_is_read_in_its_place(tmp_path, chunk):
    data = word(paragraph("before") + '<w:altChunk r:id="aFChunk"/>' + paragraph("after"), aFChunk="CHUNK")
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(made, "w") as out:
        for name in archive.namelist():
            out.writestr(name, chunk if name == "word/aFChunk.xml" else archive.read(name))
    data = made.getvalue()
    assert read_one(tmp_path, "a.docx", data).text.split("\n\n") == ["before", "The pump – it leaks.", "after"]
