"""Every reader on a small file of its kind, and on files that it must refuse."""

from __future__ import annotations

import io
import zipfile

import pytest

from benchmarks.hostile import docx, paragraph
from embassay import plugins
from embassay.errors import ReadError
from embassay.ingest.base import SourceFile
from embassay.ingest.decode import decode
from embassay.ingest.outline import Outline, outline
from embassay.ingest.read import read, readers, streams
from embassay.testing import check_reader
from tests.ingest.readers import made

HTML = """<!doctype html>
<html><head><title>Keys</title><style>p {}</style></head>
<body><nav>Menu</nav>
<main>
<h1>Key <em>rotation</em></h1>
<p>Rotate the key
before Friday.</p>
<ul><li>one</li><li>two</li></ul>
<pre>def f():
    return 1</pre>
<script>alert(1)</script>
</main><footer>Imprint</footer></body></html>"""

EMAIL = b"""From: Maria <maria@example.org>\r
To: team@example.org\r
Subject: =?utf-8?q?Schl=C3=BCssel?=\r
Date: Fri, 20 Nov 2026 10:00:00 +0000\r
Content-Type: text/html; charset=utf-8\r
\r
<p>Please rotate the <b>key</b>.</p>\r
"""


def make_pdf(text: str, password: str = "") -> bytes:
    """A PDF with one page of text, written by hand so that no PDF writer is needed."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else ""
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
    ]
    out, offsets = "%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n"
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    out += f"xref\n0 5\n0000000000 65535 f \n{table}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF"
    if not password:
        return out.encode()
    from pypdf import PdfWriter

    writer = PdfWriter(clone_from=io.BytesIO(out.encode()))
    writer.encrypt(password)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


SAMPLES: dict[str, tuple[str, bytes]] = {
    "markdown": ("a.md", b"---\ntitle: T\nyear: 2024\ntags: [x]\n---\n# Keys\n\nRotate.\n"),
    "rst": ("a.rst", b"Keys\n====\n\nRotate.\n"),
    "text": ("a.txt", b"Rotate the key."),
    "html": ("a.html", HTML.encode()),
    "pdf": ("a.pdf", make_pdf("Rotate the key")),
    "docx": ("a.docx", docx(paragraph("Rotate the key before Friday."))),
    "code": ("a.py", b"def f():\n    return 1\n"),
    "csv": ("a.csv", "id;title;text;year\n7;Keys;Rotate\u00e9;2024\n8;More;\"two\nlines\";2025\n".encode()),
    "jsonl": ("a.jsonl", b'{"_id": "7", "title": "Keys", "text": "Rotate", "year": 2024}\n\n{"question": "why", "n": 1}\n'),
    "json": ("a.json", b'[{"_id": "7", "title": "Keys", "text": "Rotate"}, {"question": "why", "n": 1}]'),
    "mail": ("a.eml", EMAIL),
    "mbox": ("a.mbox", b"From maria@example.org Fri Nov 20 10:00:00 2026\n" + EMAIL.replace(b"\r\n", b"\n")),
    **made.SAMPLES,
}  # fmt: skip


def documents(tmp_path, name, data):
    file = tmp_path / name
    file.write_bytes(data)
    return list(read(SourceFile(file, name)))


def test_every_reader_has_a_sample():
    assert set(plugins.names("embassay.ingest.readers")) == set(SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_conformance(name, tmp_path):
    file = tmp_path / SAMPLES[name][0]
    file.write_bytes(SAMPLES[name][1])
    found = check_reader(plugins.load("embassay.ingest.readers", name), file)
    assert any("otate" in d.text or "return" in d.text for d in found)


def test_suffixes_are_claimed_once():
    claimed = [s for r in plugins.load_all("embassay.ingest.readers").values() for s in r.SUFFIXES]
    assert len(claimed) == len(set(claimed)) == len(readers())
    assert streams() == {".jsonl", ".mbox", ".ndjson", ".parquet"}


def test_front_matter_is_metadata_and_lines_stay_true(tmp_path):
    (document,) = documents(tmp_path, *SAMPLES["markdown"])
    assert document.metadata == {"title": "T", "year": 2024, "tags": ["x"]}
    assert document.text.startswith("# Keys") and document.source_lines[0] == 6


def test_html_keeps_the_content_with_its_lines(tmp_path):
    (document,) = documents(tmp_path, *SAMPLES["html"])
    lines = document.text.split("\n")
    assert "Menu" not in document.text and "Imprint" not in document.text and "alert" not in document.text
    at = {line: document.source_lines[i] for i, line in enumerate(lines) if line}
    assert at["# Key rotation"] == 5
    assert at["Rotate the key before Friday."] == 6
    assert at["- two"] == 8
    assert at["    return 1"] == 10
    assert document.metadata == {"title": "Keys"}


def test_pdf_sections_are_pages(tmp_path):
    (document,) = documents(tmp_path, *SAMPLES["pdf"])
    assert [h.title for h in document.headings] == ["page 1"]


def test_csv_records(tmp_path):
    first, second = documents(tmp_path, *SAMPLES["csv"])
    assert (first.id, first.title, first.text) == ("a.csv#7", "Keys", "Rotate\u00e9")
    assert first.metadata == {"id": "7", "year": "2024"}
    assert (list(first.source_lines), list(second.source_lines)) == ([2], [3])
    assert second.text == "two\nlines"


def test_jsonl_records(tmp_path):
    first, second = documents(tmp_path, *SAMPLES["jsonl"])
    assert (first.id, first.metadata) == ("a.jsonl#7", {"id": "7", "year": 2024})
    assert (second.id, second.text, second.metadata) == ("a.jsonl#3", "question: why", {"question": "why", "n": 1})


def test_jsonl_goes_on_behind_bad_lines(tmp_path):
    found = documents(tmp_path, "a.jsonl", b'{"text": "a"}\n{broken\n[1]\n{"text": "b"}\n')
    assert [d.text for d in found if not isinstance(d, ReadError)] == ["a", "b"]
    assert [str(d)[:6] for d in found if isinstance(d, ReadError)] == ["line 2", "line 3"]


def test_mail(tmp_path):
    (document,) = documents(tmp_path, *SAMPLES["mail"])
    assert document.title == "Schlüssel" and document.metadata["from"] == "Maria <maria@example.org>"
    assert document.text.strip() == "Please rotate the key."


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("word/document.xml", "w", force_zip64=True) as entry:
            for _ in range(300):
                entry.write(b"\0" * 1_000_000)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.pdf", make_pdf("secret", "pw"), "encrypted"),
        ("a.pdf", make_pdf(""), "OCR"),
        ("a.pdf", b"%PDF-1.4 broken", "not a readable PDF"),
        ("a.docx", b"not a zip", "not a readable DOCX"),
        ("a.docx", bomb(), "zip bomb"),
        ("a.md", b"PNG\0\0\0binary", "binary"),
        ("a.unknown", b"\x7fELF\0\0", "binary"),
        ("a.eml", b"hello", "not an e-mail"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_says_why(tmp_path, name, data, reason):
    with pytest.raises(ReadError, match=reason):
        documents(tmp_path, name, data)


@pytest.mark.parametrize("name", [sample[0] for sample in SAMPLES.values()])
@pytest.mark.parametrize("data", [b"", b"\xff\xfe\xfd garbage \x80", b"\0", b"<<<<{[(\"'", b"a" * 100_000])
def test_no_foreign_exception_escapes(tmp_path, name, data):
    try:
        documents(tmp_path, name, data)
    except ReadError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("Grüße".encode(), "Grüße"),
        ("\ufeffGrüße".encode(), "Grüße"),
        ("Grüße".encode("utf-16"), "Grüße"),
        (("Die Größe der Straße überrascht. " * 9).encode("cp1252"), "Die Größe der Straße überrascht. " * 9),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        (("größer " * 500).encode() + b"\xff", "größer " * 500 + "\ufffd"),
        (b"plain text " * 9000 + b"caf\xe9", "plain text " * 9000 + "café"),
        (
            ("La situação é difícil, não há solução. " * 9).encode("cp1252"),
            "La situação é difícil, não há solução. " * 9,
        ),
    ],
)
def test_encodings(data, text):
    assert decode(data) == text


def sections(text, kind, at):
    return [h.title for h in Outline(outline(text, kind)).path(text.index(at))]


def test_rst_outline():
    text = "=====\nTitle\n=====\n\nPart\n----\n\nhere\n\nDeep\n~~~~\n\nthere\n\nNext\n----\n\nend\n"
    assert sections(text, "rst", "here") == ["Title", "Part"]
    assert sections(text, "rst", "there") == ["Title", "Part", "Deep"]
    assert sections(text, "rst", "end") == ["Title", "Next"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "class A:\n    @x\n    async def f(self):\n        here\n\nlast = 1\n", ["A", "f"]),
        ("javascript", "class A { f() { here } }", ["A", "f"]),
        ("typescript", "namespace N { export function f(): void { here } }", ["N", "f"]),
        ("rust", "impl Größe { fn f() { here(); } }", ["Größe", "f"]),
        ("go", 'package m\nfunc f() { here() }', ["f"]),
        ("java", "class A { void f() { here(); } }", ["A", "f"]),
        ("cpp", "namespace n { class A { void g() { here(); } }; }", ["n", "A"]),
        ("c", "struct s { int here; };", ["s"]),
        ("c", "struct s *alpha(struct t x) { here(); }", ["alpha"]),
        ("cpp", "void n::K::q() { here(); }", ["n::K::q"]),
    ],
)  # fmt: skip
def test_code_outline(language, text, expected):
    found = sections(text, f"code:{language}", "here")
    assert found[: len(expected)] == expected


@pytest.mark.parametrize(
    ("name", "data", "text"),
    [
        ("a.csv", b",review,label\n0,Great movie indeed,1\n", "review: Great movie indeed\nlabel: 1"),
        ("a.jsonl", b'{"text": "a \\ud800 b"}\n', "a \ufffd b"),
        ("a.md", b"---\ndate: 2024-13-45\n---\n# T\n", "---\ndate: 2024-13-45\n---\n# T\n"),
        ("a.md", b"---\ntags: [a]\nx: .nan\n---\n# T\n", "# T\n"),
        ("a.html", b"<article>one</article><article>two</article>", "one\n\ntwo\n"),
        ("a.html", b"<body hidden><p># no heading</p></body>", "\\# no heading\n"),
        ("a.html", '<meta charset="cp1251"><p>ключ</p>'.encode("cp1251"), "ключ\n"),
        ("a.eml", b"From: a@b\nContent-Type: text/html\n\n<style>x</style><p>Hello</p><p>World</p>", "Hello\n\nWorld\n"),
    ],
)  # fmt: skip
def test_what_once_went_wrong(tmp_path, name, data, text):
    *_, document = documents(tmp_path, name, data)
    assert document.text == text
    assert "nan" not in map(repr, document.metadata.values())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```foo``` inline\n# Real\nhere", ["Real"]),
        ("# Top\n```\n```python\n# comment\nhere\n```\n", ["Top"]),
        ("# Name { #anchor }\nhere", ["Name"]),
        ("# C#\nhere", ["C#"]),
        ("# Top\n<!--\n# hidden\n-->\nhere", ["Top"]),
        ("# Top\n1. item\n---\nhere", ["Top"]),
        ("## Closed ##\nhere", ["Closed"]),
    ],
)
def test_markdown_outline(text, expected):
    assert sections(text, "markdown", "here") == expected


@pytest.mark.parametrize(
    "mark", ["\x1b[31m", "\x1b[1;38;5;196m", "\x1b]0;a title\x07", "\x1b]8;;link\x1b\\", "\x1b[2K", "\x1b(B"]
)
def test_the_colours_of_a_terminal_are_no_part_of_a_word(tmp_path, mark):
    file = tmp_path / "app.log"
    file.write_text(f"{mark}ERROR\x1b[0m the disk is full\n" * 3)
    (document,) = read(SourceFile(file, "app.log"))
    assert document.text == "ERROR the disk is full\n" * 3
