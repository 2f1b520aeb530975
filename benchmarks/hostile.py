"""Files that no reader expects: small valid ones of every format to be mutated, and ones that were made to take long.

All of them are made in code, so that nothing has to be kept and every run sees the same bytes.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile
from collections.abc import Callable, Mapping
from email.header import Header

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
Maker = Callable[[], bytes]

PROSE = "Rotate the key before Friday. The proxy server answers requests.\n\n"
HTML = f"""<!doctype html><html><head><title>Keys</title><meta charset="utf-8"></head><body><nav>Menu</nav><main>
<h1>Key rotation</h1><p>{PROSE}</p><ul><li>one</li><li>two</li></ul><pre>def f():\n    return 1</pre>
<table><tr><td>host</td><td>port</td></tr></table></main></body></html>"""
MAIL = b"""From: Maria <maria@example.org>\r\nTo: team@example.org, other@example.org\r
Subject: =?utf-8?q?Schl=C3=BCssel?=\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r
Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r
Content-Transfer-Encoding: quoted-printable\r\n\r\nRotate the key=2E\r\n--b\r\nContent-Type: text/html\r\n\r
<p>Rotate the <b>key</b></p>\r\n--b--\r\n"""
CODE = '"""Keys."""\n\n\nclass Key:\n    def rotate(self, days: int = 1) -> "Key":\n        return self\n\n\n' * 3


def pdf(pages: int = 1, *, kids: int = 0, text: str = "Rotate the key") -> bytes:
    """A PDF of `pages` pages, or of one that stands `kids` times in the list of pages."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET"
    count = kids or pages
    references = " ".join(["4 0 R"] * kids) if kids else " ".join(f"{4 + at} 0 R" for at in range(pages))
    page = (
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 3 0 R "
        "/Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>"
    )
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{references}] /Count {count} >>",
        f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream",
        *[page] * (1 if kids else pages),
    ]
    out, offsets = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R >>\n".encode()
    return bytes(out + f"startxref\n{len(out)}\n%%EOF".encode())


def docx(body: str, *, document_type: str = "", compress: bool = True) -> bytes:
    """A DOCX whose document has this XML as its body."""
    types = (
        '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType='
        '"application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>'
    )
    relations = (
        '<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"'
        ' Target="word/document.xml"/></Relationships>'
    )
    document = f'<?xml version="1.0"?>{document_type}<w:document xmlns:w="{W}"><w:body>{body}</w:body></w:document>'
    buffer = io.BytesIO()
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("[Content_Types].xml", types)
        archive.writestr("_rels/.rels", relations)
        archive.writestr("word/document.xml", document)
    return buffer.getvalue()


def paragraph(text: str) -> str:
    """A paragraph of a DOCX."""
    return f"<w:p><w:r><w:t>{text}</w:t></w:r></w:p>"


def cell(text: str, properties: str = "") -> str:
    """A cell of a table of a DOCX."""
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{paragraph(text)}</w:tc>"


def table(*rows: str) -> str:
    """A table of a DOCX, made of the cells of each row."""
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in rows)}</w:tbl>"


SEEDS: Mapping[str, bytes] = {
    "a.md": f"---\ntitle: Keys\nyear: 2024\ntags: [a, b]\n---\n# Keys\n\n{PROSE}## Part\n\n- one\n- two\n\n```\nx\n```\n".encode(),
    "a.rst": f"Keys\n====\n\n{PROSE}Part\n----\n\n{PROSE}".encode(),
    "a.txt": (PROSE * 4).encode(),
    "a.log": b"".join(b"2026-01-01T00:00:0%d GET /api 200\n" % (at % 10) for at in range(50)),
    "utf16.txt": (PROSE + "Grüße").encode("utf-16"),
    "a.html": HTML.encode(),
    "a.pdf": pdf(2),
    "a.docx": docx(paragraph("Rotate the key") + table(cell("host") + cell("port"), cell("a", '<w:gridSpan w:val="2"/>'))),
    "a.py": CODE.encode(),
    "a.js": b"function f(x) { return x + 1; }\nclass A { g() { return [1, 2]; } }\n" * 4,
    "a.ts": b"namespace N { export function f(): void {} }\ninterface I<T> { a: T }\n" * 4,
    "a.rs": b"impl Key { fn rotate(&self) -> u8 { 1 } }\n" * 4,
    "a.go": b"package m\nfunc f(a int) int { return a }\n",
    "a.java": b"class A<T> { void f(int x) { g(x < 1); } }\n" * 4,
    "a.c": b"struct s { int a; };\nint f(struct s *x) { return x->a; }\n" * 4,
    "a.cpp": b"namespace n { template<class T> class A { void g() {} }; }\n" * 4,
    "a.csv": 'id;title;text;year\n7;Keys;Rotaté;2024\n8;More;"two\nlines";2025\n'.encode(),
    "a.tsv": b"id\ttext\n1\tRotate\n2\tkey\n",
    "a.jsonl": b'{"_id": "7", "title": "Keys", "text": "Rotate", "year": 2024}\n{"question": "why", "n": 1}\n',
    "a.eml": MAIL,
    "a.unknown": PROSE.encode(),
}  # fmt: skip
"""A small file of each format."""


def _encoded_words() -> bytes:
    words = Header("ä" * 100_000, "utf-8", maxlinelen=75).encode()
    return f"From: a@b.org\nSubject: {words}\n\nRotate the key.\n".encode()


def _addresses() -> bytes:
    names = ",\n ".join(f'"Name {at}" <a{at}@example.org>' for at in range(20_000))
    return f"From: a@b.org\nTo: {names}\nSubject: x\n\nRotate.\n".encode()


def _nested_mail() -> bytes:
    heads = "".join(
        f'Content-Type: multipart/mixed; boundary="b{at}"\n\n--b{at}\n' for at in range(2_000)
    )  # never closed
    return f"From: a@b.org\nSubject: x\nMIME-Version: 1.0\n{heads}Content-Type: text/plain\n\nx".encode()


def _merged(levels: int) -> str:
    inner = paragraph("x" * 150)
    for _ in range(levels):
        merged = '<w:tcPr><w:gridSpan w:val="63"/></w:tcPr>'
        inner = table(f"<w:tc>{merged}{inner}</w:tc><w:tc>{paragraph('y')}</w:tc>")
    return inner


def _zip_bomb() -> bytes:
    return docx(paragraph("x" * 150_000_000))


def _many_entries() -> bytes:
    buffer = io.BytesIO(docx(paragraph("x")))
    with zipfile.ZipFile(buffer, "a") as archive:
        for at in range(30_000):
            archive.writestr(f"word/media/{at}.xml", "<a/>")
    return buffer.getvalue()


def _laughs() -> str:
    levels = "".join(f'<!ENTITY l{at} "{f"&l{at - 1};" * 10}">' for at in range(1, 12))
    return f'<!DOCTYPE x [<!ENTITY l0 "ha">{levels}]>'


def _front_matter(body: str) -> Maker:
    return lambda: f"---\n{body}\n---\n# Keys\n\n{PROSE}".encode()


def _merge_bomb() -> str:
    levels = "".join(f"l{at}: &l{at}\n  <<: [{', '.join([f'*l{at - 1}'] * 20)}]\n" for at in range(1, 12))
    return f"l0: &l0\n  a: 1\n  b: 2\n{levels}"


def zipped(entries: Mapping[str, str | bytes]) -> bytes:
    """A zip with these entries."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _notebook(cells: list[dict[str, object]]) -> bytes:
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


def _sheet(*rows: str, after: str = "") -> bytes:
    """A workbook with one sheet of these rows."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    relation = (
        f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{office}/{{}}" Target="{{}}"/></Relationships>'
    )
    return zipped(
        {
            "_rels/.rels": relation.format("officeDocument", "xl/workbook.xml"),
            "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="S" sheetId="1" r:id="r"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": relation.format("worksheet", "worksheets/sheet1.xml"),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{"".join(rows)}</sheetData>{after}</worksheet>',
        }
    )


def _odt(body: str) -> bytes:
    names = {"office": "office", "text": "text", "table": "table"}
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for prefix, name in names.items()
    )
    content = f"<office:document-content {spaces}><office:body><office:text>{body}</office:text></office:body></office:document-content>"
    return zipped({"content.xml": content})


HOSTILE: Mapping[str, tuple[str, Maker]] = {
    "DOCX: a huge gridSpan": ("a.docx", lambda: docx(table(cell("a", '<w:gridSpan w:val="2000000000"/>')))),
    "DOCX: many wide cells": ("a.docx", lambda: docx(table(*[cell("a", '<w:gridSpan w:val="63"/>') * 20] * 2_000))),
    "DOCX: merged downwards": ("a.docx", lambda: docx(table(cell("a" * 1000), *[cell("", "<w:vMerge/>")] * 20_000))),
    "DOCX: a huge offset": ("a.docx", lambda: docx('<w:tbl><w:tr><w:trPr><w:gridBefore w:val="2000000000"/></w:trPr>'
                                                  f'{cell("a")}</w:tr></w:tbl>')),
    "DOCX: paragraphs": ("a.docx", lambda: docx("".join(paragraph(f"Rotate {at}") for at in range(20_000)))),
    "DOCX: nested tables": ("a.docx", lambda: docx("<w:tbl><w:tr><w:tc>" * 3_000 + "</w:tc></w:tr></w:tbl>" * 3_000)),
    "DOCX: merged tables in merged cells": ("a.docx", lambda: docx(_merged(40))),
    "DOCX: fields": ("a.docx", lambda: docx('<w:p><w:r><w:fldChar w:fldCharType="begin"/></w:r></w:p>' * 20_000
                                            + '<w:p><w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>' * 20_000)),
    "DOCX: alternatives": ("a.docx", lambda: docx("<Choice><AlternateContent>" * 100 + "</AlternateContent></Choice>" * 100)),
    "DOCX: zip bomb": ("a.docx", _zip_bomb),
    "DOCX: many entries": ("a.docx", _many_entries),
    "DOCX: billion laughs": ("a.docx", lambda: docx(paragraph("&l11;"), document_type=_laughs())),
    "HTML: attributes": ("a.html", lambda: b"<p " + b" ".join(b"a%d=1" % at for at in range(160_000)) + b">x</p>"),
    "HTML: attributes without a value": ("a.html", lambda: b"<p " + b" ".join(b"a%d" % at for at in range(100_000)) + b">x</p>"),
    "HTML: deep": ("a.html", lambda: b"<div>" * 200_000 + b"x"),
    "HTML: scripts": ("a.html", lambda: b"<script></script>text " * 60_000),
    "HTML: hidden": ("a.html", lambda: b"<b hidden>x</b><nav>y</nav>t" * 40_000),
    "HTML: open tags": ("a.html", lambda: b"<a<b" * 200_000),
    "HTML: rows in rows": ("a.html", lambda: b"<table><tr><td>x" * 2_000),
    "HTML: frames in frames": ("a.html", lambda: b"<iframe srcdoc='<p>x" * 50_000),
    "HTML: hidden in hidden": ("a.html", lambda: b"<i aria-hidden=true>x" * 250 * 40 + b"<p>y"),
    "HTML: footers": ("a.html", lambda: b"<footer><b>x</b>" * 20_000),
    "HTML: beside the main element": ("a.html", lambda: b"<div><p>x <a>y</a></p></div>" * 20_000 + b"<main>z</main>"),
    "HTML: a charset": ("a.html", lambda: b"<meta charset" * 300 + b"<p>x" + b"<meta charset=\xff" * 1_000),
    "HTML: formatting": ("a.html", lambda: b"<b><i><p>" * 20_000),
    "HTML: entities": ("a.html", lambda: b"&amp;&#x41;&notin" * 100_000),
    "XHTML: billion laughs": ("a.xhtml", lambda: f"{_laughs()}<html><body>&l11;</body></html>".encode()),
    "PDF: one page many times": ("a.pdf", lambda: pdf(kids=100_000)),
    "PDF: pages": ("a.pdf", lambda: pdf(500)),
    "PDF: a long text": ("a.pdf", lambda: pdf(text="word " * 200_000)),
    "PDF: a loop of pages": ("a.pdf", lambda: pdf().replace(b"/Kids [4 0 R]", b"/Kids [2 0 R]")),
    "PDF: hyphens": ("a.pdf", lambda: pdf(text=") Tj T* (".join(["a-"] * 50_000))),
    "PDF: marks": ("a.pdf", lambda: pdf(text="/a1/b2/c3" * 30_000)),
    "PDF: nested": ("a.pdf", lambda: pdf().replace(b"<< /Type /Catalog", b"<< /A " + b"[" * 50_000 + b" /Type /Catalog")),
    "mail: encoded words": ("a.eml", _encoded_words),
    "mail: addresses": ("a.eml", _addresses),
    "mail: nested": ("a.eml", _nested_mail),
    "mail: parameters": ("a.eml", lambda: b"From: a@b\nContent-Type: text/plain; " + b"a*0=b; " * 50_000 + b"\n\nx"),
    "mail: comments": ("a.eml", lambda: b"From: " + b"(" * 50_000 + b"a@b\nSubject: x\n\nx"),
    "mail: parts": ("a.eml", lambda: b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n" + b"--x\n\ny\n" * 20_000),
    "mail: messages in messages": ("a.eml", lambda: b"From: a@b\nContent-Type: message/rfc822\n\n" * 3_000 + b"x"),
    "mail: attachments in attachments": ("a.eml", lambda: b"From: a@b\nContent-Type: multipart/mixed; boundary=x\n\n--x\n"
                                         b'Content-Disposition: attachment; filename="a.eml"\n\n' * 300),
    "mail: flowed": ("a.eml", lambda: b"From: a@b\nContent-Type: text/plain; format=flowed\n\n" + b">>>> a \n" * 100_000),
    "mail: raw headers": ("a.eml", lambda: b"From: a@b\n" + b"Subject: \xff\xe4\n" * 20_000 + b"\nx"),
    "mailbox: envelopes": ("a.mbox", lambda: b"From a 10:00:00 2026\n\n" * 60_000),
    "mailbox: messages": ("a.mbox", lambda: b"From a 10:00:00 2026\nFrom: a\nMessage-ID: <x>\n\ny\n\n" * 5_000),
    "mailbox: one line": ("a.mbox", lambda: b"From a 10:00:00 2026\nFrom: a\n\n" + b"x" * 20_000_000),
    "mailbox: an envelope of digits": ("a.mbox", lambda: b"From a" + b" 10:00:00" * 100_000 + b"\nFrom: a\n\nx"),
    "mail: headers": ("a.eml", lambda: b"From: a@b\n" + b"X-A: b\n" * 100_000 + b"\nx"),
    "Markdown: merge keys": ("a.md", _front_matter(_merge_bomb())),
    "Markdown: aliases": ("a.md", _front_matter("a: &a [x, x, x, x]\n" + "\n".join(
        f"{chr(98 + at)}: &{chr(98 + at)} [{', '.join([f'*{chr(97 + at)}'] * 9)}]" for at in range(12)))),
    "Markdown: deep front matter": ("a.md", _front_matter("a: " + "[" * 15_000)),
    "Markdown: a number": ("a.md", _front_matter("a: 0x" + "f" * 30_000 + "\nb: " + "9" * 30_000)),
    "Markdown: sexagesimal": ("a.md", _front_matter("a: 1" + ":59" * 10_000)),
    "Markdown: a heading of spaces": ("a.md", lambda: b"# a" + b" " * 300_000 + b"b\n"),
    "Markdown: a heading of marks": ("a.md", lambda: b"# a" + b" #" * 150_000 + b" b\n"),
    "Markdown: attributes": ("a.md", lambda: b"# a" + b" {.a" * 100_000 + b"\n"),
    "Markdown: headings": ("a.md", lambda: b"".join(b"%s h%d\n\nx\n\n" % (b"#" * (1 + at % 6), at) for at in range(20_000))),
    "Markdown: links": ("a.md", lambda: b"[a](" * 50_000),
    "Markdown: quotes": ("a.md", lambda: b"> " * 50_000 + b"a\n"),
    "Markdown: emphasis": ("a.md", lambda: b"*a _b " * 40_000),
    "Markdown: ticks": ("a.md", lambda: b"".join(b"`" * (at % 300) + b"a" for at in range(1_000))),
    "Markdown: blank lines": ("a.md", lambda: b"\n" * 3_000_000),
    "Markdown: a table": ("a.md", lambda: b"| a " * 2_000 + b"\n" + b"|---" * 2_000 + b"\n" + b"| 1 " * 20_000),
    "Markdown: open comment": ("a.md", lambda: b"<!--" * 60_000),
    "reST: marks": ("a.rst", lambda: b"=" * 300_000 + b"x\n" + b"a\n=\n" * 20_000),
    "text: one word": ("a.txt", lambda: b"a" * 2_000_000),
    "text: one line": ("a.txt", lambda: b"word " * 100_000),
    "text: spaces": ("a.txt", lambda: b" " * 2_000_000),
    "text: short lines": ("a.txt", lambda: b"a\n" * 150_000),
    "text: bad at its end": ("a.txt", lambda: b"a" * 2_000_000 + b"\xff"),
    "text: no encoding": ("a.txt", lambda: random.Random(0).randbytes(300_000).replace(b"\0", b"1")),
    "text: combining": ("a.txt", lambda: ("a" + "\u0301" * 50_000).encode()),
    "text: emoji": ("a.txt", lambda: "\U0001f469\u200d".encode() * 40_000),
    "text: carriage returns": ("a.txt", lambda: b"\r" * 1_000_000),
    "log": ("a.log", lambda: b"2026-01-01T00:00:00Z GET /api/v1/users 200 timeout\n" * 8_000),
    "code: one line": ("a.js", lambda: b"function f(x){return x+1};" * 5_400),
    "code: one line of UTF-8": ("a.js", lambda: "function é(x){return 'ä'};".encode() * 5_000),
    "code: a list": ("a.py", lambda: b"x = [" + b"1, " * 50_000 + b"]"),
    "code: generics": ("a.java", lambda: b"a<" * 40_000),
    "code: brackets": ("a.js", lambda: b"(" * 100_000),
    "code: templates": ("a.cpp", lambda: b"a<b<c(" * 20_000),
    "code: commas": ("a.rs", lambda: b"a," * 100_000),
    "code: questions": ("a.go", lambda: b"a?b:" * 50_000),
    "code: functions": ("a.ts", lambda: b"fn a(){" * 20_000),
    "code: definitions of UTF-8": ("a.py", lambda: "".join(f"é = 1\ndef f{at}(): pass\n" for at in range(10_000)).encode()),
    "code: indented": ("a.py", lambda: "".join(" " * at + "if a:\n" for at in range(700)).encode()),
    "CSV: columns": ("a.csv", lambda: b",".join(b"%d" % at for at in range(200_000)) + b"\n1,2\n"),
    "CSV: short rows": ("a.csv", lambda: b",".join(b"c%d" % at for at in range(9_000)) + b"\n" + b"a\n" * 20_000),
    "CSV: an open quote": ("a.csv", lambda: b'a,b\n1,"' + b"x\n" * 100_000),
    "CSV: open quotes": ("a.csv", lambda: b"a,b\n" + b'"x,' * 300_000),
    "CSV: open quotes in lines": ("a.csv", lambda: b"a,b\n" + b'"x\n' * 100_000),
    "CSV: doubled quotes": ("a.csv", lambda: b"a,b\n" + b'"""x"",' * 150_000),
    "CSV: quotes and spaces": ("a.csv", lambda: b"a,b\n" + b" " * 900_000 + b'"x" ' + b" " * 900_000 + b"y"),
    "Text: shifts": ("a.txt", lambda: b"~{" * 500_000),
    "Text: data": ("a.md", lambda: b"data:a/b;base64," * 100_000),
    "CSV: a field": ("a.csv", lambda: b"text,b\n" + b"x" * 17_000_000 + b",1\n"),
    "CSV: empty rows": ("a.csv", lambda: b"a,b\n" + b"\n" * 2_000_000),
    "CSV: a title": ("a.csv", lambda: b"title,text\n" + b"word " * 500_000 + b",x\n"),
    "CSV: one id": ("a.csv", lambda: b"id,text\n" + b"1,x\n" * 20_000),
    "JSON: one line": ("a.jsonl", lambda: b'{"text": "' + b"x" * 20_000_000 + b'"}\n{"text": "good"}\n'),
    "JSON: deep": ("a.jsonl", lambda: b"[" * 1_000_000 + b"\n" + b'{"a":' * 200_000 + b'\n{"text": "good"}\n'),
    "JSON: empty lists": ("a.jsonl", lambda: b'{"text": "x", "a": [' + b"[]," * 3_000_000 + b"[]]}\n"),
    "JSON: fields": ("a.jsonl", lambda: json.dumps({f"k{at}": at for at in range(200_000)}).encode()),
    "JSON: a number": ("a.jsonl", lambda: b'{"text": "x", "n": ' + b"9" * 100_000 + b"}\n"),
    "JSON: metadata": ("a.jsonl", lambda: json.dumps({"text": PROSE * 5_000, "note": "n" * 3_000_000}).encode()),
    "JSON: an id": ("a.jsonl", lambda: json.dumps({"_id": "i" * 3_000_000, "text": "x"}).encode()),
    "JSON: a title": ("a.jsonl", lambda: json.dumps({"title": "word " * 500_000, "text": "x"}).encode()),
    "JSON: one id": ("a.jsonl", lambda: b'{"_id": "a", "text": "x"}\n' * 10_000 + b'{"_id": "a~2", "text": "x"}\n' * 5_000),
    "JSON: surrogates": ("a.jsonl", lambda: b'{"_id": "\\ud800", "text": "\\udfff", "\\ud800": 1}\n' * 1_000),
    "notebook: deep": ("a.ipynb", lambda: b'{"cells": ' + b"[" * 500_000),
    "notebook: cells": ("a.ipynb", lambda: _notebook([{"cell_type": "code", "source": "x = 1"}] * 60_000)),
    "notebook: ticks": ("a.ipynb", lambda: _notebook([{"cell_type": "code", "source": "`" * 300_000}])),
    "notebook: markup": ("a.ipynb", lambda: _notebook([{"cell_type": "code", "source": "x", "outputs": [
        {"output_type": "display_data", "data": {"text/html": "<div>" * 100_000}}]}])),
    "notebook: one long cell": ("a.ipynb", lambda: _notebook([{"cell_type": "code", "source": "def f(): pass\n" * 20_000}])),
    "XLSX: a cell far away": ("a.xlsx", lambda: _sheet('<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>', '<row r="1"><c r="A1"><v>1</v></c></row>')),
    "XLSX: merged cells": ("a.xlsx", lambda: _sheet(*(f'<row r="{at}"><c r="A{at}"><v>1</v></c></row>' for at in range(1, 30_000)),
                                                   after='<mergeCells>' + '<mergeCell ref="A1:A1048576"/>' * 3_000 + "</mergeCells>")),
    "EPUB: one chapter many times": ("a.epub", lambda: zipped({"a.opf": '<package><manifest><item id="a" href="a.html"/></manifest><spine>'
        + '<itemref idref="a"/>' * 50_000 + "</spine></package>", "a.html": "<p>Rotate the key</p>" * 100})),
    "EPUB: zip bomb": ("a.epub", lambda: zipped({"a.opf": '<package><manifest><item id="a" href="a.html"/></manifest><spine>'
        '<itemref idref="a"/></spine></package>', "a.html": "x" * 250_000_000})),
    "ODT: repeated": ("a.odt", lambda: _odt('<table:table><table:table-row>' + '<table:table-cell table:number-columns-repeated="999999999">'
        "<text:p>x</text:p></table:table-cell>" * 2_000 + "</table:table-row></table:table>")),
    "ODT: blanks": ("a.odt", lambda: _odt("<text:p>" + '<text:s text:c="999999999"/>x' * 50_000 + "</text:p>")),
    "ODT: nested": ("a.odt", lambda: _odt("<text:section>" * 3_000 + "<text:p>x</text:p>" + "</text:section>" * 3_000)),
    "ODT: tables in tables": ("a.odt", lambda: _odt("<table:table><table:table-row><table:table-cell>" * 70
        + "<text:p>x</text:p>" * 1_000 + "</table:table-cell></table:table-row></table:table>" * 70)),
    "ODT: billion laughs": ("a.fodt", lambda: f"{_laughs()}<office>&l11;</office>".encode()),
    "RTF: braces": ("a.rtf", lambda: b"{\\rtf1 " + b"{" * 500_000 + b"x"),
    "RTF: notes in notes": ("a.rtf", lambda: b"{\\rtf1 " + b"{\\footnote x" * 50_000),
    "RTF: cells": ("a.rtf", lambda: b"{\\rtf1 " + b"\\cell" * 300_000 + b"\\row}"),
    "RTF: escapes": ("a.rtf", lambda: b"{\\rtf1 " + b"\\'e9\\u-1?" * 100_000 + b"}"),
    "RTF: backslashes": ("a.rtf", lambda: b"{\\rtf1 " + b"\\" * 1_000_001),
    "subtitles: arrows": ("a.vtt", lambda: b"WEBVTT\n\n" + b"00:01.000 --> 00:02.000\n" * 50_000),
    "subtitles: tags": ("a.srt", lambda: b"1\n00:00:01,000 --> 00:00:02,000\n" + b"<a" * 200_000),
    "subtitles: one sentence": ("a.srt", lambda: b"".join(b"00:00:01,000 --> 00:00:02,000\nword\n\n" for _ in range(40_000))),
    "gzip: bomb": ("a.txt.gz", lambda: gzip.compress(b"a" * 100_000_000, 1)),
    "gzip: members": ("a.txt.gz", lambda: gzip.compress(b"a ") * 30_000),
    "man: strings": ("a.1", lambda: b".TH A 1\n.ds x " + b"\\*x" * 60 + b"\n" + b"\\*x" * 50_000),
    "man: conditions": ("a.1", lambda: b".TH A 1\n" + b".if n " * 50_000 + b"x\n" + b".if t \\{\n" * 20_000),
    "man: quotes": ("a.1", lambda: b".TH A 1\n.B " + b'""' * 300_000),
    "man: backslashes": ("a.1", lambda: b".TH A 1\n" + b"\\" * 500_000),
    "XML: siblings": ("a.xml", lambda: b"<r>" + b"<a>x</a><b>y</b>" * 100_000 + b"</r>"),
    "XML: attributes": ("a.xml", lambda: b"<r " + b" ".join(b"a%d='some words'" % at for at in range(50_000)) + b"/>"),
    "XML: deep": ("a.xml", lambda: b"<a>" * 500_000),
    "XML: billion laughs": ("a.xml", lambda: f"{_laughs()}<x>&l11;</x>".encode()),
    "XML: mixed": ("a.xml", lambda: b"<r>x" + b"<a>y<b/>" * 120 + b"z" + b"</a>" * 120 + b"</r>"),
    "feed: entries in entries": ("a.rss", lambda: b"<rss>" + b"<item><title>t</title>" * 120 + b"x" * 500_000 + b"</item>" * 120 + b"</rss>"),
    "LaTeX: braces": ("a.tex", lambda: b"{" * 300_000 + b"x"),
    "LaTeX: links": ("a.tex", lambda: b"\\href{a{b}" * 30_000),
    "LaTeX: one line": ("a.tex", lambda: b"\\emph{word} $x^2$ " * 30_000),
    "LaTeX: comments": ("a.tex", lambda: b"\\" * 300_000 + b"% x"),
    "LaTeX: items": ("a.tex", lambda: b"\\item x " * 50_000),
    "Org: drawers": ("a.org", lambda: b":a:\n" * 100_000),
    "Org: links": ("a.org", lambda: b"[[a" * 200_000),
    "AsciiDoc: macros": ("a.adoc", lambda: b"link:image:menu:" * 30_000),
    "AsciiDoc: values": ("a.adoc", lambda: b":a: " + b"x" * 500 + b"\n" + b"{a}" * 100_000),
    "AsciiDoc: marks": ("a.adoc", lambda: b"*a _b `c #d " * 30_000),
}  # fmt: skip
"""Name of the kind, name of the file, and what makes its content."""


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """The seed with one to eight things done to it: bytes changed, taken out, doubled, repeated or moved."""
    data = bytearray(seed)
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(data) + 1)
        length = min(len(data) - at, 1 << rng.randrange(8))
        part = bytes(data[at : at + length])
        match rng.randrange(7):
            case 0:
                data[at : at + length] = rng.randbytes(length)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = part * rng.choice([1, 2, 100, 5_000])
            case 3:
                data[at:at] = rng.choice([b"\0", b"\xff", b"<", b"(", b"{", b"[", b'"', b"\n", b"&", b"#", b"9", b"\r", b"=?"]) * (
                    rng.choice([1, 3, 1_000, 50_000])
                )  # fmt: skip
            case 4:
                data[at:at] = rng.choice(
                    [b"99999999999", b"-1", b"1e999", b"NaN", b"4294967295", b"\xf0\x9f\x98\x80", b"]]>"]
                )
            case 5:
                del data[at:]
            case _:
                other = rng.randrange(len(data) + 1)
                data[other:other] = part
        if len(data) > 2_000_000:
            del data[2_000_000:]
    return bytes(data)


def mutated_part(seed: bytes, rng: random.Random) -> bytes:
    """An archive one of whose parts was mutated before it was packed: a mutation of the archive mostly breaks the archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(seed)) as archive, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        names = archive.namelist()
        chosen = rng.choice(names)
        for name in names:
            made.writestr(name, mutated(archive.read(name), rng) if name == chosen else archive.read(name))
    return out.getvalue()
