"""What programs export for Word under its old suffix is read as what it is."""

from __future__ import annotations

import pytest

from embassay.errors import NotText
from tests.ingest.readers.made import read_all, read_one
from tests.ingest.readers.word_files import paragraph, word

CONFLUENCE = b"""Date: Mon, 2 Mar 2026 10:00:00 +0000 (UTC)
Message-ID: <1@wiki>
Subject: Exported From Confluence
MIME-Version: 1.0
Content-Type: multipart/related; boundary="b"

--b
Content-Type: text/html; charset=UTF-8
Content-Transfer-Encoding: quoted-printable

<html><body><h1>Pump</h1><p>The pump =E2=80=93 it lea=
ks.</p></body></html>
--b--
"""


@pytest.mark.parametrize(
    "data",
    [
        CONFLUENCE,
        "<!DOCTYPE html><html><body><p>The pump – it leaks.</p></body></html>".encode(),
        rb"{\rtf1\ansi\ansicpg1252 The pump \'96 it leaks.\par}",
        word(paragraph("The pump – it leaks.")),
        "The pump – it leaks.".encode("cp1252"),
    ],
    ids=["Confluence", "page", "RTF", "DOCX", "text"],
)
def test_what_is_called_a_document_of_word_97(tmp_path, data):
    assert "The pump – it leaks." in read_one(tmp_path, "a.doc", data).text


def test_a_document_of_word_97_is_skipped_and_says_what_to_do(tmp_path):
    with pytest.raises(NotText, match=r"save it as \.docx"):
        read_all(tmp_path, "a.doc", b"\xd0\xcf\x11\xe0" + bytes(2_000))
