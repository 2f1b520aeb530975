"""Word documents: all text that Word shows, in order, headings as Markdown; lines are those of that text."""

from __future__ import annotations

import re
from collections.abc import Iterator

from embassay.ingest.base import Document, LeftOut, NotText, Read, ReadError, SourceFile
from embassay.ingest.decode import looks_binary
from embassay.ingest.readers._archive import opened
from embassay.ingest.readers._content import read_as, suffix_of
from embassay.ingest.readers._package import Package
from embassay.ingest.readers._wordml import Beside, Story
from embassay.ingest.readers._wordml_lists import Lists
from embassay.ingest.readers._wordml_parts import Notes, Styles
from embassay.ingest.readers._xml import Element, attribute, local

OLD = frozenset({".doc", ".dot"})
"""Of Word 97; programs export pages, mails and Rich Text under them, because Word opens these as well."""
SUFFIXES = frozenset({".docx", ".docm", ".dotx", ".dotm"}) | OLD
COMPOUND = b"\xd0\xcf\x11\xe0"
"""How a document of Word 97 begins, and the envelope of one that is encrypted."""
_PAGE_WORDS = frozenset(
    "page pages pg p of from seite seiten von página pagina pág de di da sur sida av side af 第 页 頁 共".split()
)
"""What surrounds a page's number in headers and footers; nothing else in them is a reason to keep it."""
_WORD = re.compile(r"[^\W\d_]+")


def read(source: SourceFile) -> Iterator[Read]:
    is_old = source.file.suffix.lower() in OLD
    if kind := suffix_of(source.data) or (".txt" if is_old and not looks_binary(source.data) else ""):
        yield from read_as(kind, source)
        return
    if source.data.startswith(COMPOUND):
        is_locked = "EncryptedPackage".encode("utf-16-le") in source.data
        if is_old and not is_locked:
            raise NotText("a document of Word 97, which is not read: save it as .docx")
        raise ReadError("encrypted: it needs a password" if is_locked else "not a readable DOCX: it is of Word 97")
    damaged: list[str] = []
    with opened(source.data, "DOCX") as archive:
        try:
            text = _text(Package(archive, "DOCX"), damaged)
        except RecursionError as error:
            raise ReadError("not a readable DOCX: its elements nest too deeply") from error
    yield Document(source.id, source.id, text, "markdown")
    for reason in damaged:
        yield LeftOut(f"damaged: {reason}")


def _text(package: Package, damaged: list[str]) -> str:
    part = package.main("word/document.xml")
    root = package.root(part)
    body = next((child for child in root if local(child) == "body"), None)
    if body is None:
        raise ReadError("not a readable DOCX: its document has no body")

    def first(kind: str) -> Element | None:
        found = package.of_kind(part, kind)
        return _root(package, found[0], damaged) if found else None

    styles = Styles(first("styles"))
    notes = Notes({kind: first(kind) for kind in ("footnotes", "endnotes", "comments")})
    beside = Beside(styles, Lists(first("numbering"), styles), notes, damaged)
    blocks = Story(package, part, body, beside).blocks(body)
    head, foot = (_edges(package, part, root, beside, kind) for kind in ("header", "footer"))
    return "\n\n".join([*head, *blocks, *foot])


def _root(package: Package, part: str, damaged: list[str]) -> Element | None:
    """The root element of a part without which the text can still be read."""
    try:
        return package.root(part)
    except ReadError as error:
        damaged.append(error.message)
        return None


def _edges(package: Package, part: str, root: Element, beside: Beside, kind: str) -> list[str]:
    """The text of headers or footers, each once, in the order in which sections refer to them."""
    said: dict[str, None] = {}
    relations = package.relations(part)
    references = [reference for section in root.iter("{*}sectPr") for reference in section]
    names = [attribute(each, "id") for each in references if local(each) == f"{kind}Reference"]
    for target in dict.fromkeys(relations[name].target for name in names if name in relations):
        edge = _root(package, target, beside.damaged) if target else None
        if edge is not None:
            blocks = Story(package, target, edge, beside).blocks(edge)
            said.update(dict.fromkeys(block for block in blocks if not _is_page_number(block)))
    return list(said)


def _is_page_number(text: str) -> bool:
    return all(word.lower() in _PAGE_WORDS for word in _WORD.findall(text))
