"""The text of a PDF is written as people write it, and pages without text are named."""

from __future__ import annotations

import pytest

from embassay import plugins
from embassay.errors import ReadError
from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.read import read
from embassay.ingest.readers._pdf_lines import is_garbled, letters, rejoined
from embassay.types import Document
from tests.ingest.readers.pdf_files import HELVETICA, lines, pdf, stream

CMAP = "begincmap 1 begincodespacerange <00> <FF> endcodespacerange\n{}\nendcmap"
ASCII = "1 beginbfrange <20> <7E> <0020> endbfrange"
NAMED = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /BaseEncoding /WinAnsiEncoding /Differences [{}] >> {}>>"


def all_of(tmp_path, data):
    file = tmp_path / "a.pdf"
    file.write_bytes(data)
    return list(read(SourceFile(file, "a.pdf")))


def text_of(tmp_path, data):
    (document,) = all_of(tmp_path, data)
    return document.text.strip()


FONTS = {
    "a table that says nothing": ("2 /fi", f"{ASCII}\n1 beginbfchar <02> <0000> endbfchar"),
    "a table of ranges that says nothing": ("2 /fi", f"{ASCII}\n1 beginbfrange <02> <02> <0000> endbfrange"),
    "a table that says it is unknown": ("2 /fi", f"{ASCII}\n1 beginbfchar <02> <FFFD> endbfchar"),
    "a table with the ligature": ("2 /fi", f"{ASCII}\n1 beginbfchar <02> <FB01> endbfchar"),
    "a table with the letters": ("2 /fi", f"{ASCII}\n1 beginbfchar <02> <00660069> endbfchar"),
    "a name of two letters": ("2 /f_i", ""),
    "a name with a variant": ("2 /fi.alt", ""),
    "a name of two codes": ("2 /uni00660069", ""),
    "a plain name": ("2 /fi", ""),
}


@pytest.mark.parametrize("kind", FONTS)
def test_ligatures_are_letters(tmp_path, kind):
    names, table = FONTS[kind]
    font = NAMED.format(names, "/ToUnicode 5 0 R " if table else "")
    data = pdf([lines("The con\\002gured pro\\002le.")], font=font, extra=[stream(CMAP.format(table))])
    assert text_of(tmp_path, data) == "The configured profile."


def test_ligatures_of_tex_and_of_unicode():
    assert letters("con\x0cgured, \x0cle, sti\x0b, o\x1ece") == "configured, file, stiff, office"
    assert letters("ﬁle ﬂow oﬃce ﬆop") == "file flow office stop"
    assert letters("a\x00b\x07c\tD") == "abc\tD"


HYPHENS = {
    "The pro-\ncurement of the transfor-\nmer takes": "The procurement\nof the transformer\ntakes",
    "pro-\ncurement": "procurement",
    "three parts of trans-\nfor-\nmation here": "three parts of transformation\nhere",
    "a soft\u00ad\nhyphen, and one in the mid\u00addle": "a softhyphen,\nand one in the middle",
    "the hy\u2010\nphen": "the hyphen",
    "an e-\nmail": "an e-mail",
    "Jean-\nPaul": "Jean-Paul",
    "COVID-\n19 came": "COVID-19\ncame",
    "the US-\namerikanische": "the US-amerikanische",
    "name_of-\nfield": "name_of-field",
    "a SE-\nQUENCE": "a SEQUENCE",
    "state-of-the-\nart": "state-of-the-art",
    "well-known is well-\nknown": "well-known is well-known",
    "long words, a term, and long-\nterm": "long words, a term, and long-term",
    "Haupt-\nund Nebensache": "Haupt-\nund Nebensache",
    "first-\nand second-rate": "first-\nand second-rate",
    "the range 3-\n4": "the range 3-\n4",
    "a dash -\nand more": "a dash -\nand more",
    "- one\n- two": "- one\n- two",
    "end-\n\nnew": "end-\n\nnew",
}


@pytest.mark.parametrize("cut", HYPHENS)
def test_words_are_whole_again(cut):
    assert rejoined([cut]) == [HYPHENS[cut]]


def test_a_word_is_told_by_the_other_pages():
    assert rejoined(["a re-\ncover", "to re-cover a chair"])[0] == "a re-cover"
    assert rejoined(["over-\nview", "over the view", "an overview"])[0] == "overview"


def test_pages_that_are_images_are_named(tmp_path):
    image = "q 100 0 0 100 0 0 cm /Im1 Do Q"
    document, *told = all_of(tmp_path, pdf([lines("One."), image, image, "", lines("Five."), image]))
    assert [heading.title for heading in document.headings] == [f"page {at}" for at in range(1, 7)]
    assert [part.reason for part in told] == ["3 of 6 pages (2-3, 6): images, run OCR first"]


def test_a_file_of_images_is_an_error(tmp_path):
    with pytest.raises(ReadError, match=r"PDF without text: 1 of 1 pages \(1\): images, run OCR first"):
        all_of(tmp_path, pdf(["/Im1 Do"]))


def test_a_word_is_whole_that_the_end_of_a_page_cuts():
    assert rejoined(["one\nthe transfor-\n", "mer hums\ntwo"]) == ["one\nthe transformer\n", "hums\ntwo"]
    assert rejoined(["the transfor-\n", "7\nmer hums"]) == ["the transfor-\n", "7\nmer hums"]


class Engine:
    """Recognises one page, and is asked for those that need it."""

    def __init__(self, error=None):
        self.asked, self.error = [], error

    def recognise(self, source, pages):
        self.asked.append(list(pages))
        if self.error:
            raise self.error
        return {2: "Seen by OCR.", 1: "never asked for"}


def test_an_engine_for_ocr_is_asked_for_the_pages_that_need_it(tmp_path, monkeypatch):
    engine = Engine()
    monkeypatch.setattr(plugins, "load_all", lambda package: {"ours": engine} if package.endswith(".ocr") else {})
    from embassay.ingest.readers import pdf as reader

    file = tmp_path / "a.pdf"
    file.write_bytes(pdf([lines("One."), "/Im1 Do", "/Im1 Do"]))
    document, told = list(reader.read(SourceFile(file, "a.pdf")))
    assert engine.asked == [[2, 3]]
    assert isinstance(document, Document) and document.text.split() == ["One.", "Seen", "by", "OCR."]
    assert told == LeftOut("1 of 3 pages (3): images, run OCR first")
    monkeypatch.setattr(engine, "error", RuntimeError("no such program"))
    *_, told = list(reader.read(SourceFile(file, "a.pdf")))
    assert told.reason.endswith("OCR failed: no such program")


def test_fonts_that_do_not_say_their_letters_are_told(tmp_path):
    font = NAMED.format(" ".join(f"{65 + at} /g{at}" for at in range(26)), "")
    document, *told = all_of(tmp_path, pdf([lines("read me"), lines("ABCDEFGHIJKLMNOP")], font=font))
    assert "read me" in document.text and "/g" not in document.text
    assert [part.reason for part in told] == [
        "1 of 2 pages (2): fonts that do not say which letters they show, run OCR first"
    ]


@pytest.mark.parametrize(
    ("text", "garbled"),
    [
        ("plain words", False),
        ("\x01\x02\x03\x04\x05 x", True),
        ("the con\x00gured pump is in the cellar", False),
        ("", False),
    ],
)
def test_what_is_garbled(text, garbled):
    assert is_garbled(text) == garbled


def test_a_page_that_cannot_be_read_leaves_the_others(tmp_path, monkeypatch):
    from pypdf import PageObject

    whole = PageObject.extract_text

    def breaking(page):
        text = whole(page)
        if "Two" in text:
            raise IndexError("list index out of range")
        return text

    monkeypatch.setattr(PageObject, "extract_text", breaking)
    document, *told = all_of(tmp_path, pdf([lines("One."), lines("Two."), lines("Three.")]))
    assert document.text.split() == ["One.", "Three."]
    assert [part.reason for part in told] == ["1 of 3 pages (2): damaged"]


def test_answers_in_a_form_and_remarks(tmp_path):
    fields = [
        "<< /Type /Annot /Subtype /Widget /FT /Tx /T (tenant) /V (Harbour Bakery) >>",
        "<< /Type /Annot /Subtype /Widget /Parent 8 0 R >>",
        "<< /Type /Annot /Subtype /Widget /FT /Btn /T (agreed) /V /Yes >>",
        "<< /FT /Ch /TU (Kind of lease) /V [(shop) (flat)] >>",
        "<< /Type /Annot /Subtype /FreeText /Contents (Sign here) >>",
        "<< /Type /Annot /Subtype /Link /Contents (not shown) >>",
    ]
    annotations = "/Annots [5 0 R 6 0 R 7 0 R 9 0 R 10 0 R] "
    data = pdf([lines("Lease")], extra=fields, page=annotations, root="/AcroForm << /Fields [5 0 R 6 0 R] >> ")
    assert text_of(tmp_path, data).split("\n") == [
        "Lease",
        "",
        "tenant: Harbour Bakery",
        "Kind of lease: shop, flat",
        "Sign here",
    ]


def test_a_form_that_scripts_draw_is_told(tmp_path):
    data = pdf([lines("Please wait")], root="/AcroForm << /XFA [] /Fields [] >> ")
    document, told = all_of(tmp_path, data)
    assert document.text.strip() == "Please wait" and "XFA" in told.reason


def test_pages_keep_their_order_and_their_sections(tmp_path):
    (document,) = all_of(tmp_path, pdf([lines("One."), lines("Two-", "fold.")], font=HELVETICA))
    assert [document.text[heading.at :].split()[0] for heading in document.headings] == ["One.", "Twofold."]
