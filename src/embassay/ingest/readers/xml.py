"""XML of any kind: the text of its elements in their order, each line tied to its line in the file.

Titles of the vocabularies of documentation (DocBook, JATS, DITA, TEI) are headings. Each entry of a feed (RSS, Atom) is
a document of its own. In records, a short text stands behind the name of its element, as ``city: Bern``.
Settings, which are attributes mostly, stay as they are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.errors import NotText
from embassay.ingest.base import Document, ReadError, SourceFile
from embassay.ingest.charset import decoded_page
from embassay.ingest.dates import sortable_date
from embassay.ingest.html_text import extract
from embassay.ingest.readers._markdown import as_blocks, as_code, as_heading, as_row, as_text
from embassay.ingest.readers._xml import Element, attribute, ill_formed, local, parse_leniently, text_of
from embassay.types import Metadata

SUFFIXES = frozenset(
    {
        ".xml",
        ".rss",
        ".atom",
        ".docbook",
        ".dbk",
        ".nxml",
        ".jats",
        ".dita",
        ".ditamap",
        ".tei",
        ".opml",
        ".fb2",
        ".xlf",
    }
)
TITLES = frozenset({"title", "head", "subtitle", "article-title"})
SECTIONS = frozenset(
    "article book part chapter section sect1 sect2 sect3 sect4 sect5 sec appendix preface refentry refsect1 "
    "refsect2 refsect3 refsection simplesect abstract glossary bibliography topic concept task reference div div1 "
    "div2 div3 body front back app ack app-group slides set".split()
)
"""Elements whose title is a heading, one level below that of the section around them."""
INLINE = frozenset(
    "emphasis literal command option filename link ulink xref ext-link italic bold sup sub sc monospace a b i em "
    "strong code tt span u hi ref citation phrase term quote foreignphrase replaceable varname function classname "
    "methodname userinput computeroutput guimenu guibutton guilabel keycap acronym abbrev trademark productname "
    "email uri styled-content named-content superscript subscript inlineequation mml ph codeph uicontrol filepath "
    "g bpt ept mrk br math inline-formula disp-formula alternatives tex-math mrow mi mo mn msup msub mfrac".split()
)
"""Elements inside of a paragraph, also where no other text stands beside them."""
VERBATIM = frozenset(
    {"programlisting", "screen", "literallayout", "codeblock", "pre", "preformat", "synopsis", "code-block"}
)
ROWS = frozenset({"row", "tr"})
SILENT = frozenset({"script", "style", "binary", "bin", "object-id", "svg"})
"""Elements whose text is none that is read."""
NOTED = frozenset({"footnote", "fn"})
ABOUT = frozenset(
    "title link guid id pubDate published updated date creator author category rights contributor source".split()
)
"""Parts of an entry that are no text of it."""
SETTINGS = 2
"""Characters in attributes for each of text from which on a file is taken for settings."""
MAX_NAMED = 80
"""Characters of a text that stands behind the name of its element; a longer one is prose."""
_BEGINNING = re.compile(rb"(?:\xef\xbb\xbf)?\s*<[?!A-Za-z_:]|\xff\xfe<\0|\xfe\xff\0<|<\0|\0<")
"""In UTF-8 and its like, or in UTF-16 with and without a mark."""
_PROSE = re.compile(r"[^\W\d_]{2,}\s+[^\W\d_]{2,}")
_STATEMENT = re.compile(r"[{};=<>]|://|^[\w.-]+(?:/[\w.-]+)+$")
_MARKUP = re.compile(r"<(?:p|br|div|a|ul|ol|b|i|em|strong|h[1-6]|img|span|table|blockquote)\b[^<>]*>", re.IGNORECASE)


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    if not _BEGINNING.match(source.data):
        yield Document(source.id, source.id, source.text(), "text")  # a template of XML, or anything else
        return
    root, fault = parse_leniently(source.data, "XML file")
    if local(root) == "svg":
        raise NotText("a drawing (SVG)")
    if local(root) == "html":
        title, page = extract(decoded_page(source.data))
        yield Document(source.id, source.id, "\n".join(page.text), "markdown", title=title, source_lines=page.numbers)
        return
    entries = [e for e in root.iter("{*}item", "{*}entry") if local(root) in ("rss", "feed", "RDF")]
    for number, entry in enumerate(entries, 1):
        yield _entry(source, entry, number)
    for entry in entries:
        entry.clear()
    lines = _Lines()
    lines.add(root)
    if not entries and _is_settings(root, lines):
        yield Document(source.id, source.id, source.text(), "text")
    elif lines.text or not entries:
        yield Document(source.id, source.id, "\n".join(lines.text), "markdown", source_lines=lines.numbers or None)
    if fault:
        yield ill_formed(fault)


def _is_settings(root: Element, lines: _Lines) -> bool:
    """Whether a file says most of what it says in attributes, as the settings of programs do."""
    said = sum(map(len, lines.text))
    return sum(len(value) for element in root.iter("*") for value in element.values()) > SETTINGS * said


def _entry(source: SourceFile, entry: Element, number: int) -> Document:
    """An entry of a feed. Its text is HTML mostly, escaped or not."""
    said: dict[str, str] = {}
    for child in entry:
        name = local(child)
        value = text_of(child) if len(child) or name != "link" else text_of(child) or attribute(child, "href")
        if name and len(value) > len(said.get(name, "")):
            said[name] = value
    body = next((said[name] for name in ("encoded", "content", "description", "summary") if said.get(name)), "")
    others = (value for name, value in said.items() if name not in ABOUT and "://" not in value)
    rest = [value for value in others if value not in body]
    when = sortable_date(next((said[name] for name in ("pubDate", "published", "updated", "date") if name in said), ""))
    who = said.get("creator") or said.get("author", "")
    named = (("link", said.get("link", "")), ("date", when), ("author", who), ("category", said.get("category", "")))
    metadata: Metadata = {name: value for name, value in named if value}
    text = as_blocks(_rendered(part) for part in (body, *rest))
    name = said.get("guid") or said.get("id") or said.get("link") or str(number)
    return Document(
        f"{source.id}#{name[:500]}",
        source.id,
        text or said.get("title", ""),
        "markdown",
        title=said.get("title", "") if text else "",
        metadata=metadata,
        source_lines=(entry.sourceline or 1,),
    )


def _rendered(text: str) -> str:
    return "\n".join(extract(text)[1].text) if _MARKUP.search(text) else as_text(text)


class _Lines:
    """Collects the lines of a document. libxml2 allows 256 levels of elements, so that this may recurse."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.numbers: list[int] = []

    def add(self, element: Element, level: int = 0, *, named: bool = False) -> None:
        """Take in all that `element` holds, below headings of this level; `named` if its name says what it is."""
        name = local(element)
        if not name or name in SILENT:
            return
        if name in SECTIONS:
            level += 1
        if name in TITLES and level:
            self._put(as_heading(level, text_of(element)), element)
            return
        self._attributes(element)
        if name in VERBATIM:
            self._put(as_code(str(element.xpath("string()"))), element)
        elif name in ROWS and len(element):
            self._put(as_text(as_row(text_of(cell) for cell in element if local(cell))), element, apart=False)
        elif _is_leaf(element):
            self._leaf(element, name if named else "")
        elif _is_mixed(element):
            self._mixed(element, level)
        else:
            named = not _says_itself(element)
            for child in element:
                self.add(child, level, named=named)

    def _leaf(self, element: Element, name: str) -> None:
        text = text_of(element)
        named = bool(name) and len(text) <= MAX_NAMED
        if _MARKUP.search(text):
            text, named = _rendered(text), False
        self._put(f"{name}: {text}" if named and text else as_text(text), element, apart=not named)

    def _mixed(self, element: Element, level: int) -> None:
        """A paragraph: its text with what stands inline; blocks in it stand behind what was said before them."""
        said = [element.text or ""]
        notes: list[Element] = []
        for child in element:
            if local(child) in NOTED:
                notes.append(child)
            elif local(child) and not _is_inline(child):
                self._put(as_text(" ".join("".join(said).split())), element)
                said = []
                self.add(child, level)
            elif local(child):
                said.append(_inline(child, notes))
            said.append(child.tail or "")
        self._put(as_text(" ".join("".join(said).split())), element)
        for note in notes:
            self._put(as_text(text_of(note)), note)

    def _attributes(self, element: Element) -> None:
        """The values of attributes that hold prose: several words, and no expression or path."""
        for name, value in element.items():
            if len(value) >= 8 and _PROSE.search(value) and not _STATEMENT.search(value):
                self._put(f"{name.rpartition('}')[2]}: {' '.join(value.split())}", element, apart=False)

    def _put(self, text: str, element: Element, *, apart: bool = True) -> None:
        if not text.strip():
            return
        number = element.sourceline or 1
        if apart and self.text and self.text[-1]:
            self.text.append("")
            self.numbers.append(number)
        rows = text.split("\n")
        rows += [""] if apart else []
        self.text += rows
        self.numbers += [number] * len(rows)


def _is_leaf(element: Element) -> bool:
    return not any(local(child) for child in element)


def _is_mixed(element: Element) -> bool:
    """Whether text of its own stands among its children, or nothing but what belongs into a paragraph."""
    own = (element.text or "") + "".join(child.tail or "" for child in element)
    return bool(own.strip()) or all(local(child) in INLINE for child in element)


def _is_inline(element: Element) -> bool:
    """Whether an element among text is a part of the sentence: one that is known as such, or has no element in it."""
    return local(element) in INLINE or all(local(child) in INLINE for child in element if local(child))


def _says_itself(parent: Element) -> bool:
    """Whether the children of `parent` are alike or prose, so that their name says nothing."""
    names = {local(child) for child in parent} - {""}
    return len(names) < 2 or bool(names & {"para", "p", "simpara", "title"})


def _inline(element: Element, notes: list[Element]) -> str:
    """The text of an element in a sentence; a note in it is told behind the paragraph."""
    if local(element) in NOTED:
        notes.append(element)
        return ""
    said = [element.text or ""]
    for child in element:
        said += [_inline(child, notes) if local(child) else "", child.tail or ""]
    return "".join(said) if local(element) != "br" else " "
