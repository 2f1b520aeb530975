"""PDF files made object by object, so that a test shows the structure that it is about."""

from __future__ import annotations

from collections.abc import Sequence

HELVETICA = "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
IMAGE = (
    "<< /Type /XObject /Subtype /Image /Width 1 /Height 1 /ColorSpace /DeviceGray /BitsPerComponent 8 /Length 1 >>\n"
    "stream\nx\nendstream"
)


def stream(content: str, entries: str = "") -> str:
    """An object that holds content."""
    return f"<< /Length {len(content.encode('latin-1'))} {entries}>>\nstream\n{content}\nendstream"


def lines(*texts: str) -> str:
    """What draws these lines, in the font F1."""
    return "BT /F1 12 Tf 72 720 Td 14 TL\n" + "".join(f"({text}) Tj T*\n" for text in texts) + "ET"


def pdf(
    pages: Sequence[str], *, font: str = HELVETICA, extra: Sequence[str] = (), page: str = "", root: str = ""
) -> bytes:
    """A file with these contents of pages. Objects: 1 the catalogue, 2 the pages, 3 the font, 4 an image, then `extra`.

    `page` and `root` are entries of every page and of the catalogue. Every page can draw the image, as Im1.
    """
    first = 5 + len(extra)
    objects = [
        f"<< /Type /Catalog /Pages 2 0 R {root}>>",
        f"<< /Type /Pages /Kids [{' '.join(f'{first + 2 * at} 0 R' for at in range(len(pages)))}] /Count {len(pages)} >>",
        font,
        IMAGE,
        *extra,
    ]
    for at, content in enumerate(pages):
        drawn = "/XObject << /Im1 4 0 R >>" if "Im1" in content else ""
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {first + 2 * at + 1} 0 R {page} "
            f"/Resources << /Font << /F1 3 0 R >> {drawn} >> >>"
        )
        objects.append(stream(content))
    out, offsets = bytearray(b"%PDF-1.5\n"), []
    for number, body in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010d} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    start = len(out)
    out += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer << /Size {size} /Root 1 0 R >>\n".encode()
    return bytes(out) + f"startxref\n{start}\n%%EOF".encode()
