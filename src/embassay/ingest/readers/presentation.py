"""Presentations (PPTX): a section for each slide, with its tables, charts, diagrams and notes.

The parts of the file are read as XML: pictures and films, which are most of a presentation, are never unpacked. Lines
are those of the extracted text.
"""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._archive import opened
from embassay.ingest.readers._drawingml import shown
from embassay.ingest.readers._markdown import as_blocks, as_heading, as_row, as_text
from embassay.ingest.readers._package import Package
from embassay.ingest.readers._xml import Element, attribute, local, number, text_of

SUFFIXES = frozenset({".pptx", ".pptm", ".ppsx", ".potx"})
TITLES = frozenset({"title", "ctrTitle"})
LEFT_OUT = frozenset({"sldNum", "dt", "hdr", "sldImg"})
"""Kinds of placeholders that say nothing of a slide: its number, the date, the header of printed notes, its picture."""
SHOWN = ("chart", "chartEx", "diagramData")
"""Kinds of other parts whose text a slide shows."""


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    with opened(source.data, "PPTX") as archive:
        package = Package(archive, "PPTX")
        main = package.main("ppt/presentation.xml")
        named = package.relations(main)
        listed = [_reference(each) for each in package.root(main).iter("{*}sldId")]
        footers: set[str] = set()
        slides: list[_Slide] = []
        broken: list[ReadError] = []
        for number, part in enumerate((named[each].target for each in listed if each in named), 1):
            try:
                slides.append(_Slide(package, part, number, footers))
            except ReadError as error:
                broken.append(ReadError(f"slide {number} cannot be read: {error.message}"))
        about = _properties(package)
    if broken and not slides:
        raise broken[0]
    titles = [slide.title for slide in slides if slide.title]
    text = as_blocks(slide.text() for slide in slides)
    title = about.pop("title", "") or (titles[0] if titles else "")
    yield Document(source.id, source.id, text, "markdown", title=title, metadata=about)
    yield from broken


def _reference(element: Element) -> str:
    """The id by which an element refers to another part; in both dialects of the format it alone has a namespace."""
    return next((str(value) for key, value in element.items() if key.endswith("}id")), "")


def _properties(package: Package) -> dict[str, str]:
    """Title and author of the document, where they are given."""
    names = {"title": "title", "creator": "author"}
    found: dict[str, str] = {}
    for part in package.of_kind("", "core-properties"):
        for child in package.root(part):
            if (name := names.get(local(child))) and (said := text_of(child)):
                found[name] = said
    return found


class _Slide:
    """What one slide says."""

    def __init__(self, package: Package, part: str, number: int, footers: set[str]) -> None:
        """Raises ReadError for a part of it that is missing or broken; `number` counts from 1."""
        self.title = ""
        self._number = number
        self._blocks: list[str] = []
        self._notes: list[str] = []
        self._footers = footers
        self._tree(package.root(part))
        for kind in SHOWN:
            for shown_part in package.of_kind(part, kind):
                self._blocks += map(as_text, shown(package.root(shown_part)))
        for notes in package.of_kind(part, "notesSlide"):
            for shape in package.root(notes).iter("{*}sp"):
                if _placeholder(shape) not in LEFT_OUT:
                    self._notes.append(as_text(_paragraphs(shape)))

    def text(self) -> str:
        """The slide as a section."""
        head = as_heading(1, self.title or f"Slide {self._number}")
        notes = ["Notes:", *self._notes] if any(note.strip() for note in self._notes) else []
        return as_blocks([head, *self._blocks, *notes])

    def _tree(self, element: Element) -> None:
        """Shapes in the order of the file, groups of shapes included."""
        for child in element:
            match local(child):
                case "sp":
                    self._shape(child)
                case "tbl":
                    rows = ([_paragraphs(cell) for cell in row.iter("{*}tc")] for row in child.iter("{*}tr"))
                    self._blocks.append(as_text("\n".join(map(as_row, rows))))
                case "pic":
                    self._blocks.append(as_text(_described(child)))
                case "Fallback":  # what stands beside it says the same to newer programs
                    pass
                case _:
                    self._tree(child)

    def _shape(self, shape: Element) -> None:
        kind, text = _placeholder(shape), _paragraphs(shape)
        if kind in LEFT_OUT or not text.strip():
            return
        if kind in TITLES and not self.title:
            self.title = " ".join(text.split())
        elif kind == "ftr":
            if text not in self._footers:
                self._footers.add(text)
                self._blocks.append(as_text(text))
        else:
            self._blocks.append(as_text(text))


def _placeholder(shape: Element) -> str:
    """What kind of placeholder a shape fills; empty for one that fills none."""
    found = next(shape.iter("{*}ph"), None)
    return "" if found is None else found.get("type", "body")


def _described(picture: Element) -> str:
    """The words that stand for a picture."""
    return next((each.get("descr", "") for each in picture.iter("{*}cNvPr")), "")


def _paragraphs(element: Element) -> str:
    """The paragraphs in `element`, a line each, indented by their level."""
    lines = []
    for paragraph in element.iter("{*}p"):
        level = next((number(each.get("lvl", "")) for each in paragraph.iter("{*}pPr")), 0)
        said = _said(paragraph)
        if said.strip():
            lines.append("  " * min(level, 9) + said)
    return "\n".join(lines)


def _said(paragraph: Element) -> str:
    """The text of a paragraph: runs, fields, formulas; the number of the slide is none."""
    parts = []
    for element in paragraph.iter("{*}t", "{*}br", "{*}fld"):
        name = local(element)
        if name == "br":
            parts.append("\n")
        elif name == "t" and attribute(element.getparent(), "type") != "slidenum":
            parts.append(element.text or "")
    return "".join(parts)
