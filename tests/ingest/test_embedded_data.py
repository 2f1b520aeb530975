"""Base64 is no text: pictures in Markdown, certificates and tokens leave their lines behind, and nothing else."""

from __future__ import annotations

import base64
import random

import pytest

from embassay.ingest.base import SourceFile
from embassay.ingest.embedded_data import without_embedded_data
from embassay.ingest.read import read

BYTES = random.Random(7).randbytes(30_000)
DATA = base64.b64encode(BYTES).decode()
WRAPPED = base64.encodebytes(BYTES).decode()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        (f"a ![chart](data:image/png;base64,{DATA}) b", "a ![chart](data:image/png) b"),
        (f"[img]: data:image/jpeg;base64,{DATA}\nnext", "[img]: data:image/jpeg\nnext"),
        (f'<img src="data:image/svg+xml;charset=utf-8;base64,{DATA}" alt="x">', '<img src="data:image/svg+xml" alt="x">'),
        ("<data:image/svg+xml," + "%3Csvg" * 50 + ">", "<data:image/svg+xml>"),
        (f"token {DATA} end", "token  end"),
        (f"a\n{WRAPPED}b\n", "a\n" + "\n" * WRAPPED.count("\n") + "b\n"),
    ],
)  # fmt: skip
def test_what_is_taken_out(text, left):
    found = without_embedded_data(text)
    assert found == left and found.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        "Write data:text/plain,hello and see.",
        "the data: 5, 6, 7",
        "=" * 1000,
        "ACGT" * 1000,
        "donaudampfschifffahrtsgesellschaft" * 20,
        "/usr/share/" + "a-folder/" * 60,
        "sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" * 20,
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\n" * 20,
        "https://example.org/" + "A1b2C3/" * 40,
    ],
)
def test_what_stays(text):
    assert without_embedded_data(text) == text


def test_a_handbook_with_a_picture_keeps_its_lines(tmp_path):
    text = f"---\nyear: 2024\n---\n# Keys\n\n![lock](data:image/png;base64,{DATA})\n\nRotate the key.\n"
    (tmp_path / "a.md").write_text(text)
    (document,) = read(SourceFile(tmp_path / "a.md", "a.md"))
    assert document.text == "# Keys\n\n![lock](data:image/png)\n\nRotate the key.\n"
    assert document.source_lines[document.text.split("\n").index("Rotate the key.")] == 8


@pytest.mark.parametrize(
    "text", ["data:a/b;base64," * 60_000, "data:a/b," + "\n" * 900_000, "A" * 1_000_000, ("Ab1" * 30 + "\n") * 10_000]
)
def test_time_grows_with_the_text(text):
    """Any of these would take minutes where a pattern went back and forth."""
    without_embedded_data(text)
