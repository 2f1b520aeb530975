"""Books (EPUB): the chapters in the order of the book's spine; lines count the extracted text.

The table of contents and what the spine leaves out are no part of the text.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from embassay.ingest.base import Document, LeftOut, Read, ReadError, SourceFile
from embassay.ingest.charset import decoded_page
from embassay.ingest.html_text import extract
from embassay.ingest.readers._archive import Archive, opened
from embassay.ingest.readers._markdown import as_blocks
from embassay.ingest.readers._xml import Element, attribute, local, parse, text_of

SUFFIXES = frozenset({".epub"})
CONTAINER, ENCRYPTION = "META-INF/container.xml", "META-INF/encryption.xml"
PAGES = frozenset({"application/xhtml+xml", "text/html", "text/x-oeb1-document", "application/x-dtbook+xml"})
"""Media types of chapters."""
OBFUSCATED = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""How fonts are hidden; that is no encryption of the book."""
KEPT = {"title": "title", "creator": "author", "language": "language", "date": "date", "publisher": "publisher"}
"""What the book says of itself that becomes metadata, by the names of Dublin Core."""
SAID = ("creator", "contributor", "publisher", "date", "subject", "description", "rights")
"""What stands in front of the first chapter as text, as on the first pages of a printed book."""


def read(source: SourceFile) -> Iterator[Read]:
    with opened(source.data, "EPUB") as archive:
        package_name = _package(archive)
        package = parse(archive.read(package_name), "EPUB")
        hidden = _encrypted(archive)
        about = _described(package)
        chapters: list[str] = []
        missing: list[ReadError | LeftOut] = []
        for name in _spine(package, posixpath.dirname(package_name)):
            if name in hidden:
                missing.append(
                    LeftOut(f"chapter {name!r} is under rights management: its seller's programs alone read it")
                )
                continue
            try:
                chapters.append(_chapter(archive.read(name)))
            except ReadError as error:
                missing.append(error)
    if missing and not any(chapter.strip() for chapter in chapters):
        raise missing[0] if isinstance(missing[0], ReadError) else ReadError(missing[0].reason)
    metadata = {KEPT[name]: ", ".join(dict.fromkeys(said)) for name, said in about.items() if name in KEPT}
    text = as_blocks([_front(about), *chapters])
    title = about.get("title", [""])[0]
    yield Document(source.id, source.id, text, "markdown", title=title, metadata=metadata)
    yield from missing


def _package(archive: Archive) -> str:
    """The name of the part that describes the book."""
    if CONTAINER in archive:
        for root in parse(archive.read(CONTAINER), "EPUB").iter("{*}rootfile"):
            if root.get("full-path"):
                return str(root.get("full-path"))
    found = next((name for name in archive if name.endswith(".opf")), "")
    if not found:
        raise ReadError("not a readable EPUB: nothing describes the book")
    return found


def _spine(package: Element, folder: str) -> Iterator[str]:
    """The names of the chapters in their order; a chapter that is the navigation, and nothing else, is left out."""
    items = {item.get("id"): item for item in package.iter("{*}item")}
    for reference in package.iter("{*}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or not item.get("href") or "nav" in (item.get("properties") or "").split():
            continue
        if item.get("media-type", "application/xhtml+xml") in PAGES:
            yield posixpath.normpath(posixpath.join(folder, unquote(item.get("href").partition("#")[0])))


def _encrypted(archive: Archive) -> frozenset[str]:
    """The names of the parts that only their seller's programs can read."""
    if ENCRYPTION not in archive:
        return frozenset()
    found = set()
    for each in parse(archive.read(ENCRYPTION), "EPUB").iter("{*}EncryptedData"):
        method = next((attribute(way, "Algorithm") for way in each.iter("{*}EncryptionMethod")), "")
        if method not in OBFUSCATED:
            found |= {unquote(part.get("URI", "")) for part in each.iter("{*}CipherReference")}
    return frozenset(found)


def _described(package: Element) -> dict[str, list[str]]:
    """What the book says of itself, by the names of Dublin Core."""
    found: dict[str, list[str]] = {}
    for described in package.iter("{*}metadata"):
        for element in described.iter():
            if (name := local(element)) in {*KEPT, *SAID} and (said := text_of(element)):
                found.setdefault(name, []).append(said)
    return found


def _front(about: Mapping[str, list[str]]) -> str:
    return "\n".join(f"{name}: {', '.join(dict.fromkeys(about[name]))}" for name in SAID if name in about)


def _chapter(page: bytes) -> str:
    return "\n".join(extract(decoded_page(page))[1].text)
