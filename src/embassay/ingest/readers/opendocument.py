"""OpenDocument texts and presentations (ODT, ODP), and their flat XML and that of spreadsheets (FODT, FODP, FODS).

What is read are headings, lists, tables, notes and text boxes.

Deleted text that is kept for review is left out, inserted text is read. Lines are those of the extracted text.
"""

from __future__ import annotations

from collections.abc import Iterator

from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.readers._archive import ZIPPED, Archive, opened
from embassay.ingest.readers._markdown import as_blocks, as_heading, as_row, as_text
from embassay.ingest.readers._xml import Element, attribute, ill_formed, local, number, parse_leniently, text_of

SUFFIXES = frozenset({".odt", ".ott", ".fodt", ".odp", ".otp", ".fodp", ".fods"})
LEFT_OUT = frozenset(
    "tracked-changes change change-start change-end annotation annotation-end forms sequence-decls variable-decls "
    "user-field-decls index-title-template table-of-content-source alphabetical-index-source bibliography-source "
    "illustration-index-source table-index-source object-index-source user-index-source note-citation soft-page-break "
    "event-listeners shapes thumbnail image-map settings date-time-decl page-number page-count "
    "bookmark-ref".split()
)
"""Elements that say nothing, or what nobody is to read: deleted text, comments, declarations, numbers of pages."""
INDEXES = frozenset(
    "table-of-content alphabetical-index illustration-index table-index object-index user-index".split()
)
"""What repeats the headings and words of a document with the numbers of their pages."""
PARAGRAPHS = frozenset({"p", "h"})
MAX_REPEATED = 100
"""Of a cell or a blank that stands for many: the last one of a row may stand for thousands, all of them empty."""


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    parts = _Parts(source.data)
    if local(parts.content) not in ("document-content", "document"):
        raise ReadError("not an OpenDocument file: its content is of another kind")
    writer = _Writer()
    for furniture in parts.styles.iter("{*}header", "{*}footer") if parts.styles is not None else ():
        writer.once(furniture)
    body = next(parts.content.iter("{*}body"), None)
    if body is not None:
        writer.blocks(body)
    about = _described(parts.meta if parts.meta is not None else parts.content)
    yield Document(
        source.id, source.id, as_blocks(writer.done), "markdown", title=about.pop("title", ""), metadata=about
    )
    yield from parts.broken


class _Parts:
    """Content, styles with the heads and feet of pages, and what is said of the whole; a flat file has all in one."""

    def __init__(self, data: bytes) -> None:
        """Raises ReadError for a file without content."""
        self.broken: list[ReadError] = []
        """What is wrong with a part of which the rest was read."""
        self.styles = self.meta = None
        if not data.startswith(ZIPPED):
            self.content = self.styles = self._parsed(data, "")
            return
        with opened(data, "OpenDocument file") as archive:
            manifest = "META-INF/manifest.xml"
            if manifest in archive and b"encryption-data" in archive.read(manifest):
                raise ReadError("encrypted: it needs a password")
            self.content = self._parsed(archive.read("content.xml"), "content.xml")
            self.styles = self._optional(archive, "styles.xml")
            self.meta = self._optional(archive, "meta.xml")

    def _optional(self, archive: Archive, name: str) -> Element | None:
        try:
            return self._parsed(archive.read(name), name) if name in archive else None
        except ReadError as error:
            self.broken.append(error)
            return None

    def _parsed(self, data: bytes, name: str) -> Element:
        root, fault = parse_leniently(data, f"OpenDocument file{f' ({name})' if name else ''}")
        if fault:
            self.broken.append(ill_formed(fault))
        return root


def _described(root: Element) -> dict[str, str]:
    named = {"title": "title", "creator": "author", "initial-creator": "author", "date": "date"}
    found: dict[str, str] = {}
    for meta in root.iter("{*}meta"):
        for element in meta:
            if (name := named.get(local(element))) and (said := text_of(element)):
                found[name] = said
    return found


class _Writer:
    """Writes the blocks of a document as Markdown. libxml2 allows 256 levels of elements, so that this may recurse."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self._later: list[str] = []
        """Notes and text boxes of the present paragraph, which stand behind it."""
        self._furniture: set[str] = set()
        self._pages = 0

    def once(self, furniture: Element) -> None:
        """The head or foot of pages, unless it was said before, or says nothing but the number of the page."""
        text = "\n".join(filter(None, (self._said(p).strip() for p in furniture.iter("{*}p", "{*}h"))))
        if any(c.isalpha() for c in text) and text not in self._furniture:
            self._furniture.add(text)
            self.done.append(as_text(text))

    def blocks(self, element: Element) -> None:
        """All that `element` holds, block after block."""
        for child in element:
            name = local(child)
            if name in LEFT_OUT or name in INDEXES or not name:
                continue
            if name in PARAGRAPHS:
                self._paragraph(child)
            elif name == "list":
                self.done.append("\n".join(self._items(child, 0)))
            elif name == "table":
                self.done.append(self._table(child))
            elif name == "page":
                self._page(child)
            elif name in ("title", "desc"):
                self.done.append(as_text(text_of(child)))
            else:
                self.blocks(child)
            self._put_down()

    def _put_down(self) -> None:
        self.done += self._later
        self._later = []

    def _paragraph(self, element: Element) -> None:
        text = self._said(element).strip()
        if local(element) == "h":
            self.done.append(as_heading(number(attribute(element, "outline-level"), 1), text))
        else:
            self.done.append(as_text(text))

    def _page(self, page: Element) -> None:
        """A slide, under its title."""
        self._pages += 1
        frames = [frame for frame in page if attribute(frame, "class") == "title"]
        title = " ".join(" ".join(self._said(p) for f in frames for p in f.iter("{*}p")).split())
        self.done.append(as_heading(1, title or f"Slide {self._pages}"))
        for child in page:
            if child in frames:
                continue
            if local(child) == "notes":
                self.done.append("Notes:")
            inner = _Writer()
            inner.blocks([child])
            self.done += inner.done
        if self.done[-1] == "Notes:":
            self.done.pop()

    def _items(self, element: Element, depth: int) -> Iterator[str]:
        for item in element:
            first = True
            for child in item:
                if local(child) == "list":
                    yield from self._items(child, depth + 1)
                elif local(child) in PARAGRAPHS and (text := self._said(child).strip()):
                    mark = "- " if first and local(item) == "list-item" else "  "
                    yield "  " * min(depth, 9) + mark + as_text(text)
                    first = False

    def _table(self, table: Element) -> str:
        """The rows of a table, a line each; a table in a cell is told in that cell."""
        rows = []
        for line in table.iter("{*}table-row"):
            if next(line.iterancestors("{*}table")) is not table:
                continue
            cells: list[str] = []
            for cell in line:
                text = self._cell(cell)
                times = number(attribute(cell, "number-columns-repeated"), 1) if text else 1
                cells += [text] * min(times, MAX_REPEATED)
            while cells and not cells[-1]:
                cells.pop()
            if cells:
                rows.append(as_row(cells))
        return as_text("\n".join(rows))

    def _cell(self, cell: Element) -> str:
        inner = _Writer()
        inner.blocks(cell)
        return "\n".join(block.lstrip("#") for block in inner.done)

    def _said(self, element: Element) -> str:
        """The text of a paragraph, with its notes and boxes kept for later."""
        parts = [element.text or ""]
        for child in element:
            parts += [self._inline(child), child.tail or ""]
        return _collapsed("".join(parts)) if local(element) in PARAGRAPHS else "".join(parts)

    def _inline(self, child: Element) -> str:
        name = local(child)
        match name:
            case "s":
                return KEPT_BLANK * min(number(attribute(child, "c"), 1), MAX_REPEATED)
            case "tab":
                return KEPT_TAB
            case "line-break":
                return KEPT_BREAK
            case "note":
                self._set_aside(next(child.iter("{*}note-body"), child))
                return ""
            case "frame" | "custom-shape" | "text-box" | "rect" | "g":
                self._set_aside(child)
                return ""
            case "ruby":
                return "".join(self._said(part) for part in child)
            case _ if name in LEFT_OUT or not name:
                return ""
            case _:
                return self._said(child)

    def _set_aside(self, element: Element) -> None:
        inner = _Writer()
        inner.blocks(element)
        self._later += inner.done


KEPT_BLANK, KEPT_TAB, KEPT_BREAK = "\ue000", "\ue001", "\ue002"
"""Stand for white space that is kept while what surrounds it is joined to single spaces."""


def _collapsed(text: str) -> str:
    """White space as OpenDocument has it (part 3, 6.1.2): what the file is laid out with counts as one space."""
    text = " ".join(text.split())
    return text.replace(KEPT_BLANK, " ").replace(KEPT_TAB, "\t").replace(KEPT_BREAK, "\n")
