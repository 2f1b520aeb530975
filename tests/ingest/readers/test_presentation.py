"""Presentations, as another library writes them."""

from __future__ import annotations

import io
import zipfile

import pytest

from benchmarks.hostile import zipped
from embassay.errors import ReadError
from tests.ingest.readers.made import pptx, read_all, read_one


def test_slides_are_sections_with_all_that_they_say(tmp_path):
    document = read_one(tmp_path, "a.pptx", pptx())
    assert document.title == "Keys"
    assert document.text == (
        "# Keys\n\nRotate the key\n\n# Pumps\n\nCheck pressure\n  twice a day\n\nhost | port\nproxy | 8080\n\n"
        "grouped words\n\nSales by region\nRevenue\nEast\nWest\n\nNotes:\n\nMention the leak\n\n# Slide 3\n\nno title here"
    )


def saved(change) -> bytes:
    from pptx import Presentation

    made = Presentation()
    change(made)
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def test_slides_stand_in_the_order_of_the_show_not_of_the_file(tmp_path):
    def change(made):
        for title in ("First", "Second"):
            made.slides.add_slide(made.slide_layouts[5]).shapes.title.text = title
        listed = made.slides._sldIdLst
        listed.append(listed[0])

    assert read_one(tmp_path, "a.pptx", saved(change)).text == "# Second\n\n# First"


def test_numbers_of_slides_are_left_out_and_footers_said_once(tmp_path):
    def change(made):
        for _ in range(2):
            slide = made.slides.add_slide(made.slide_layouts[5])
            slide.shapes.title.text = "Title"
            for kind, text in (("sldNum", "17"), ("ftr", "Confidential")):
                box = slide.shapes.add_textbox(0, 0, 9, 9)
                box.text_frame.text = text
                box._element.nvSpPr.nvPr.get_or_add_ph().set("type", kind)

    text = read_one(tmp_path, "a.pptx", saved(change)).text
    assert text.count("Confidential") == 1 and "17" not in text


def test_a_title_in_the_properties_and_text_that_looks_like_a_heading(tmp_path):
    def change(made):
        made.core_properties.title, made.core_properties.author = "The plan", "Maria"
        slide = made.slides.add_slide(made.slide_layouts[6])
        slide.shapes.add_textbox(0, 0, 9, 9).text_frame.text = "# 1 in sales"

    document = read_one(tmp_path, "a.pptx", saved(change))
    assert (document.title, document.metadata) == ("The plan", {"author": "Maria"})
    assert "\\# 1 in sales" in document.text


@pytest.mark.parametrize("data", [b"no zip", zipped({"a": "b"}), pptx()[:900]])
def test_what_is_no_presentation(tmp_path, data):
    with pytest.raises(ReadError, match="PPTX"):
        read_all(tmp_path, "a.pptx", data)


def test_a_broken_slide_is_named_and_the_others_are_read(tmp_path):
    with zipfile.ZipFile(io.BytesIO(pptx())) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["ppt/slides/slide1.xml"] = b"<broken"
    document, error = read_all(tmp_path, "a.pptx", zipped(parts))
    assert document.text.startswith("# Pumps") and "# Slide 3" in document.text
    assert isinstance(error, ReadError) and "slide 1 cannot be read" in str(error)
