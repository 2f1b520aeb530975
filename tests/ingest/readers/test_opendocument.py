"""OpenDocument texts and presentations, zipped and flat."""

from __future__ import annotations

import pytest

from embassay.errors import ReadError
from tests.ingest.readers.made import ODF, odt, read_all, read_one

P = "<text:p>{}</text:p>"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ('<text:h text:outline-level="2">Part  <text:span>one</text:span></text:h>', "## Part one"),
        (P.format('a<text:s text:c="3"/>b<text:tab/>c<text:line-break/>d'), "a   b\tc\nd"),
        (P.format("see <text:a>the <text:span>link</text:span></text:a> here"), "see the link here"),
        (P.format("page <text:page-number>7</text:page-number> of <text:title>Keys</text:title>"), "page of Keys"),
        (P.format('by <text:author-name>Maria</text:author-name>, <text:date>2026</text:date>'), "by Maria, 2026"),
        ('<text:tracked-changes><text:changed-region><text:deletion><text:p>gone</text:p></text:deletion></text:changed-region>'
         '</text:tracked-changes>' + P.format('<text:change-start/>new<text:change-end/> words'), "new words"),
        (P.format('word<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>the note</text:p>'
                  '</text:note-body></text:note> more'), "word more\n\nthe note"),
        (P.format('outer<draw:frame><draw:text-box><text:p>boxed</text:p></draw:text-box></draw:frame>'), "outer\n\nboxed"),
        ("<text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>deep</text:p></text:list-item>"
         "</text:list></text:list-item><text:list-item><text:p>two</text:p></text:list-item></text:list>", "- one\n  - deep\n- two"),
        ("<text:section><text:p>in a section</text:p></text:section>", "in a section"),
        ("<text:table-of-content><text:index-body><text:p>Part one 1</text:p></text:index-body></text:table-of-content>"
         + P.format("x"), "x"),
        (P.format("a<office:annotation><text:p>comment</text:p></office:annotation>b"), "ab"),
        (P.format("<text:ruby><text:ruby-base>漢字</text:ruby-base><text:ruby-text>かんじ</text:ruby-text></text:ruby>"), "漢字かんじ"),
        (P.format("# no heading"), "\\# no heading"),
    ],
)  # fmt: skip
def test_text(tmp_path, body, text):
    assert read_one(tmp_path, "a.odt", odt(body)).text == text


def test_tables_with_tables_in_them(tmp_path):
    def table(*rows: tuple[str, ...]) -> str:
        cells = ("".join(f"<table:table-cell>{each}</table:table-cell>" for each in row) for row in rows)
        return f"<table:table>{''.join(f'<table:table-row>{row}</table:table-row>' for row in cells)}</table:table>"

    inner = table((P.format("deep"), P.format("er")))
    repeated = '<table:table><table:table-header-rows><table:table-row><table:table-cell table:number-columns-repeated="2"><text:p>x</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table-header-rows></table:table>'  # fmt: skip
    text = read_one(tmp_path, "a.odt", odt(table((P.format("host"), inner)) + repeated)).text
    assert text == "host | deep | er\n\nx | x"


def test_heads_of_pages_and_what_is_said_of_the_whole(tmp_path):
    master = "<office:master-styles><style:master-page><style:header><text:p>Handbook</text:p></style:header><style:footer><text:p>Page <text:page-number>1</text:page-number></text:p></style:footer></style:master-page><style:master-page><style:header><text:p>Handbook</text:p></style:header></style:master-page></office:master-styles>"  # fmt: skip
    made = odt(P.format("body"), styles=master, meta="<dc:title>Keys</dc:title><dc:creator>Maria</dc:creator>")
    document = read_one(tmp_path, "a.odt", made)
    assert (document.title, document.metadata) == ("Keys", {"author": "Maria"})
    assert document.text == "Handbook\n\nPage\n\nbody"


def test_presentations(tmp_path):
    pages = (
        '<draw:page><draw:frame presentation:class="title"><draw:text-box><text:p>Pumps</text:p></draw:text-box></draw:frame>'
        "<draw:g><draw:custom-shape><text:p>grouped</text:p></draw:custom-shape></draw:g>"
        "<presentation:notes><draw:frame><draw:text-box><text:p>say it</text:p></draw:text-box></draw:frame></presentation:notes>"
        "</draw:page><draw:page><presentation:notes/></draw:page>"
    )
    made = odt(pages, kind="presentation")
    assert read_one(tmp_path, "a.odp", made).text == "# Pumps\n\ngrouped\n\nNotes:\n\nsay it\n\n# Slide 2"


def test_flat_files(tmp_path):
    dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
    flat = f"<office:document {ODF} {dc}><office:meta><dc:title>Keys</dc:title></office:meta><office:body><office:text>{P.format('flat')}</office:text></office:body></office:document>"  # fmt: skip
    document = read_one(tmp_path, "a.fodt", flat.encode())
    assert (document.title, document.text) == ("Keys", "flat")


def test_encrypted(tmp_path):
    manifest = '<manifest:manifest xmlns:manifest="m"><manifest:encryption-data/></manifest:manifest>'
    with pytest.raises(ReadError, match="password"):
        read_all(tmp_path, "a.odt", odt(P.format("x"), manifest=manifest))


@pytest.mark.parametrize("data", [b"text", b"<a>other</a>", odt(P.format("x"))[:100]])
def test_what_is_no_open_document(tmp_path, data):
    with pytest.raises(ReadError, match="OpenDocument"):
        read_all(tmp_path, "a.odt", data)


def test_what_is_broken_is_named_and_the_rest_is_read(tmp_path):
    styles = "<office:master-styles><style:header><text:p>Head"
    document, error = read_all(tmp_path, "a.odt", odt(P.format("body"), styles=styles))
    assert "body" in document.text and isinstance(error, ReadError) and "not well-formed" in str(error)
    document, error = read_all(tmp_path, "a.odt", odt(P.format("kept") + "<text:p>also<text:span>"))
    assert document.text.startswith("kept") and isinstance(error, ReadError)
