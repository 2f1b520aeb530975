"""Notebooks: cells of every kind and of both versions of the format, and what of their outputs is kept."""

from __future__ import annotations

import json

import pytest

from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.errors import ReadError
from embassay.ingest.chunk import Chunker
from tests.ingest.readers.made import cell, notebook, read_all, read_one

PNG = "iVBORw0KGgo" * 20_000


def test_cells_stand_in_order_and_say_what_they_are(tmp_path):
    made = notebook(
        cell("markdown", ["# Churn\n", "\n", "Customers who call twice."]),
        cell(
            "code",
            "def plot(frame):\n    return frame",
            {"output_type": "stream", "name": "stdout", "text": ["done\n"]},
        ),
        cell("raw", "a raw cell"),
        kernelspec={"name": "ir", "language": "R"},
    )
    document = read_one(tmp_path, "a.ipynb", made)
    assert document.text == (
        "# Churn\n\nCustomers who call twice.\n\n```r\ndef plot(frame):\n    return frame\n```\n\n"
        "```output\ndone\n```\n\na raw cell"
    )
    assert (document.kind, document.metadata) == ("markdown", {"kernel": "r"})


@pytest.mark.parametrize(
    ("output", "kept"),
    [
        ({"output_type": "display_data", "data": {"image/png": PNG, "text/plain": "<Figure size 640x480 with 1 Axes>"}}, ""),
        ({"output_type": "execute_result", "data": {"text/plain": ["accuracy ", "0.81"]}}, "accuracy 0.81"),
        ({"output_type": "execute_result", "data": {"text/html": "<b>bold</b> words", "image/png": PNG}}, "bold words"),
        ({"output_type": "execute_result", "data": {"text/plain": "x", "text/markdown": "**rich**"}}, "**rich**"),
        ({"output_type": "error", "ename": "ValueError", "evalue": "no key", "traceback": ["\x1b[31m..."]}, "ValueError: no key"),
        ({"output_type": "stream", "text": "\x1b[1mcoloured\x1b[0m"}, "coloured"),
        ({"output_type": "stream", "text": "10%\r50%\r100% done\r\nnext"}, "100% done\nnext"),
        ({"output_type": "display_data", "data": {"application/vnd.jupyter.widget-view+json": {}, "text/plain": "HBox()"}}, ""),
        ({"output_type": "execute_result", "data": {"text/plain": "   a  b\n0  1  2"}}, "   a  b\n0  1  2"),
        ({"output_type": "display_data", "data": {"application/json": {"a": 1}}}, ""),
        ({"output_type": "update_display_data", "data": {"text/plain": "<pandas.io.formats.style.Styler at 0x7f>"}}, ""),
    ],
)  # fmt: skip
def test_outputs(tmp_path, output, kept):
    text = read_one(tmp_path, "a.ipynb", notebook(cell("code", "f()", output))).text
    said = text.removeprefix("```python\nf()\n```").strip()
    assert said in (kept, f"```output\n{kept}\n```") and "iVBOR" not in text


def test_a_long_output_is_cut_at_a_word(tmp_path):
    text = read_one(
        tmp_path, "a.ipynb", notebook(cell("code", "f()", {"output_type": "stream", "text": "word " * 900}))
    ).text
    assert text.count("word") == 199 and text.endswith("word ...\n```")


def test_pictures_inside_of_a_text_are_left_out(tmp_path):
    made = notebook(cell("markdown", f"before ![](data:image/png;base64,{PNG}) behind"))
    text = read_one(tmp_path, "a.ipynb", made).text
    assert text.startswith("before ") and text.endswith(" behind") and len(text) < 60


def test_version_3(tmp_path):
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Old"},
        {"cell_type": "code", "language": "python", "input": "1 + 1", "outputs": [
            {"output_type": "pyout", "text": "2", "png": PNG}, {"output_type": "pyerr", "ename": "E", "evalue": "v"}]},
        {"cell_type": "markdown", "source": "words"},
    ]  # fmt: skip
    made = json.dumps({"nbformat": 3, "metadata": {"name": "x"}, "worksheets": [{"cells": cells}]}).encode()
    text = read_one(tmp_path, "a.ipynb", made).text
    assert text == "## Old\n\n```python\n1 + 1\n```\n\n```output\n2\n```\n\n```output\nE: v\n```\n\nwords"


def test_a_long_cell_is_cut_between_its_definitions(tmp_path):
    code = "\n\n".join(f"def work_{at}(x):\n" + "    x = x + 1  # a step of the work\n" * 9 for at in range(8))
    document = read_one(tmp_path, "a.ipynb", notebook(cell("code", code)))
    (chunks,) = Chunker(EstimatedTokens(256)).chunk([document])
    assert len(chunks) > 2
    assert all(chunk.indexed[chunk.body_at :].startswith("```python\ndef work_") for chunk in chunks)


def test_fences_in_code_do_not_end_the_fence(tmp_path):
    text = read_one(tmp_path, "a.ipynb", notebook(cell("code", 'x = """\n```\n# no heading\n```\n"""'))).text
    assert text.startswith("````python\n") and text.endswith("\n````")


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"cells": 1}', b'{"metadata": {}}', b"[" * 100_000])
def test_what_is_no_notebook(tmp_path, data):
    if not data:
        assert read_all(tmp_path, "a.ipynb", data) == []
        return
    with pytest.raises(ReadError, match="notebook"):
        read_all(tmp_path, "a.ipynb", data)


def test_old_ends_of_lines(tmp_path):
    assert read_one(tmp_path, "a.ipynb", notebook(cell("markdown", "one\rtwo\r\nthree"))).text == "one\ntwo\nthree"


def test_odd_cells_are_passed_over(tmp_path):
    cells = [
        1,
        None,
        {"cell_type": "code"},
        {"source": ["a", 2, "b"]},
        {"cell_type": "code", "source": "x", "outputs": [3, {}]},
    ]
    text = read_one(tmp_path, "a.ipynb", json.dumps({"cells": cells, "metadata": []}).encode()).text
    assert text == "ab\n\n```python\nx\n```"
