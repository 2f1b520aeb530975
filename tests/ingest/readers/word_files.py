"""Word documents made part by part, so that a test shows the markup that it is about."""

from __future__ import annotations

import io
import zipfile

from benchmarks.hostile import docx

W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
NAMESPACES = (
    f'xmlns:w="{W}" xmlns:r="{R}" xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math" '
    'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" xmlns:v="urn:schemas-microsoft-com:vml" '
    'xmlns:wp="http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing" '
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:c="http://schemas.openxmlformats.org/drawingml/2006/chart" '
    'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
)


def run(text: str) -> str:
    """A run of a paragraph."""
    return f'<w:r><w:t xml:space="preserve">{text}</w:t></w:r>'


def paragraph(*content: str, style: str = "") -> str:
    """A paragraph; what does not begin with a tag becomes a run."""
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}{''.join(part if part.startswith('<') else run(part) for part in content)}</w:p>"


def word(body: str, **parts: str) -> bytes:
    """A Word file with this body, and parts by the kind of relation that leads to each, such as ``footnotes``.

    The id of the relation is the kind's name as well. A digit at the end of a name makes another part of that kind.
    """
    packed = io.BytesIO(docx(body))
    made = io.BytesIO()
    with zipfile.ZipFile(packed) as archive, zipfile.ZipFile(made, "w") as out:
        for name in archive.namelist():
            text = archive.read(name).decode()
            out.writestr(name, text.replace(f'xmlns:w="{W}"', NAMESPACES) if name == "word/document.xml" else text)
        relations = "".join(
            f'<Relationship Id="{name}" Type="{R}/{name.rstrip("0123456789")}" Target="{name}.xml"/>' for name in parts
        )
        out.writestr(
            "word/_rels/document.xml.rels",
            f'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{relations}</Relationships>',
        )
        for name, xml in parts.items():
            out.writestr(
                f"word/{name}.xml", f"<w:{name.rstrip('0123456789')} {NAMESPACES}>{xml}</w:{name.rstrip('0123456789')}>"
            )
    return made.getvalue()
