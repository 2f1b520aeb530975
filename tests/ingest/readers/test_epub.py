"""Books: order, what they say of themselves, and chapters that cannot be read."""

from __future__ import annotations

import pytest

from benchmarks.hostile import zipped
from embassay.errors import ReadError
from embassay.ingest.base import LeftOut
from tests.ingest.readers.made import epub, read_all, read_one

DUBLIN = "<dc:title>Of Pumps</dc:title><dc:creator>Ann</dc:creator><dc:creator>Bo</dc:creator><dc:description>How they leak</dc:description><dc:language>en</dc:language>"  # fmt: skip


def test_chapters_stand_in_the_order_of_the_spine(tmp_path):
    made = epub(
        {"zebra": "<h1>One</h1><p>first &amp; foremost</p>", "alpha": "<h1>Two</h1><p>caf&#233;</p>"}, metadata=DUBLIN
    )
    document = read_one(tmp_path, "a.epub", made)
    assert document.title == "Of Pumps"
    assert document.metadata == {"title": "Of Pumps", "author": "Ann, Bo", "language": "en"}
    assert document.text == "creator: Ann, Bo\ndescription: How they leak\n\n# One\n\nfirst & foremost\n\n# Two\n\ncafé"


def test_the_table_of_contents_is_left_out(tmp_path):
    made = epub({"one": "<p>words</p>"}, nav="<nav><ol><li>Contents here</li></ol></nav>")
    assert read_one(tmp_path, "a.epub", made).text == "words"


def test_names_are_unquoted_and_relative(tmp_path):
    made = epub({"one": "<p>words</p>"})
    package = '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="../my%20text/a.html" media-type="text/html"/></manifest><spine><itemref idref="a"/></spine></package>'  # fmt: skip
    container = '<container><rootfiles><rootfile full-path="in/book.opf"/></rootfiles></container>'
    entries = {"META-INF/container.xml": container, "in/book.opf": package, "my text/a.html": "<p>far away</p>"}
    assert read_one(tmp_path, "a.epub", zipped(entries)).text == "far away"
    del entries["META-INF/container.xml"]
    assert read_one(tmp_path, "a.epub", zipped(entries)).text == "far away"
    assert made


def test_a_chapter_is_in_the_encoding_that_it_names(tmp_path):
    package = '<package xmlns="http://www.idpf.org/2007/opf"><manifest><item id="a" href="a.html"/></manifest><spine><itemref idref="a"/></spine></package>'  # fmt: skip
    chapter = '<?xml version="1.0" encoding="iso-8859-2"?><html><body><p>Kłoś</p></body></html>'.encode("iso-8859-2")
    made = zipped({"book.opf": package, "a.html": chapter})
    assert read_one(tmp_path, "a.epub", made).text == "Kłoś"


def encryption(name: str, algorithm: str) -> dict[str, str]:
    return {
        "META-INF/encryption.xml": '<encryption><EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
        f'<EncryptionMethod Algorithm="{algorithm}"/><CipherData><CipherReference URI="{name}"/></CipherData>'
        "</EncryptedData></encryption>"
    }


def test_encrypted_chapters_are_named_and_the_others_are_read(tmp_path):
    hidden = encryption("OEBPS/text/two.xhtml", "http://www.w3.org/2001/04/xmlenc#aes256-cbc")
    document, left_out = read_all(tmp_path, "a.epub", epub({"one": "<p>free</p>", "two": "<p>x</p>"}, extra=hidden))
    assert document.text == "free"
    assert isinstance(left_out, LeftOut) and "two.xhtml" in left_out.reason and "rights management" in left_out.reason
    with pytest.raises(ReadError, match="rights management"):
        read_all(tmp_path, "a.epub", epub({"two": "<p>x</p>"}, extra=hidden))


def test_hidden_fonts_are_no_encryption(tmp_path):
    fonts = encryption("OEBPS/font.otf", "http://www.idpf.org/2008/embedding")
    assert read_one(tmp_path, "a.epub", epub({"one": "<p>free</p>"}, extra=fonts)).text == "free"


def test_a_missing_chapter_is_named(tmp_path):
    made = epub({"one": "<p>here</p>", "two": "<p>there</p>"}).replace(b"OEBPS/text/two.xhtml", b"OEBPS/text/owt.xhtml")
    document, error = read_all(tmp_path, "a.epub", made)
    assert document.text == "here" and "two.xhtml" in str(error)


@pytest.mark.parametrize("data", [b"no zip", zipped({"a": "b"}), epub({"a": "<p>x</p>"})[:300]])
def test_what_is_no_book(tmp_path, data):
    with pytest.raises(ReadError, match="EPUB"):
        read_all(tmp_path, "a.epub", data)
