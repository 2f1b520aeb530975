"""Reads a file into documents, with the reader that claims its suffix."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import pairwise

from embassay import plugins
from embassay.errors import NotText, ReadError
from embassay.ingest.base import Document, LeftOut, Read, Reader, SourceFile
from embassay.ingest.decode import HEAD, looks_binary
from embassay.ingest.guard import guarded
from embassay.metadata import kept
from embassay.text import composed, encodable
from embassay.types import Heading

FALLBACK = "text"
"""The reader of files whose suffix no reader claims."""
MAX_ID, MAX_TITLE = 4_000, 2_000
"""Characters."""


def _within_bounds(documents: Iterator[Read]) -> Iterator[Read]:
    """The documents with titles and metadata that every chunk can carry; what is cut off them is told."""
    for document in documents:
        if isinstance(document, Document):
            yield from _bounded(document)
        else:
            yield document


def _bounded(document: Document) -> Iterator[Read]:
    """With a title and metadata of a length that every chunk can carry, because each of them repeats both; what is cut
    off is told before it. An id or metadata beyond all bounds makes a ReadError."""
    if len(document.id) > MAX_ID:
        yield ReadError(f"an id of {len(document.id):,} characters, the limit is {MAX_ID:,}: {document.id[:60]!r}")
        return
    try:
        found = kept(document.metadata)
    except ReadError as error:
        yield error
        return
    title = document.title[:MAX_TITLE]
    owner = document.id[-80:]
    losses = [f"the field {name[:60]!r} of {owner} {what}" for name, what in found.losses.items()]
    chars = found.chars + len(document.title) - len(title)
    if len(title) < len(document.title):
        losses.append(f"the title of {owner} was cut")
    if losses:
        yield LeftOut(" and ".join(losses[:3]), chars)
    if title is not document.title or found.metadata is not document.metadata:
        document = replace(document, title=title, metadata=found.metadata)
    yield document


def _unique(documents: Iterator[Read]) -> Iterator[Read]:
    """Give every document an id of its own: where records share one, the second becomes ``id~2``."""
    seen: Counter[str] = Counter()
    for document in documents:
        if not isinstance(document, Document):
            yield document
            continue
        seen[document.id] += 1
        name = document.id
        while seen[document.id] > 1 and name in seen:
            name = f"{document.id}~{seen[document.id]}"
            seen[document.id] += name in seen
        if name != document.id:
            seen[name] += 1
            document = replace(document, id=name)
        yield _clean(document)


def _clean(document: Document) -> Document:
    """Compose accents and syllables, so that both ways to write them meet, and take lone surrogates out, which JSON and
    PDF can hold: they would stop whatever the text goes through next."""
    own = (document.text, document.title, document.id, document.path)
    if all(map(_is_clean, own)):
        return document
    headings = _moved(document.headings, encodable(document.text))
    text, title, name, path = map(_cleaned, own)
    return replace(document, text=text, title=title, id=name, path=path, headings=headings)


def _is_clean(text: str) -> bool:
    return text.isascii() or (encodable(text) is text and unicodedata.is_normalized("NFC", text))


def _cleaned(text: str) -> str:
    return composed(encodable(text))


def _moved(headings: Sequence[Heading], text: str) -> Sequence[Heading]:
    """The headings where they stand once `text` is composed, which makes it shorter."""
    if not headings:
        return headings
    places = sorted({place for h in headings for place in (h.at, h.end) if place <= len(text)})
    new = {0: 0}
    for before, place in pairwise([0, *places]):
        new[place] = new[before] + len(composed(text[before:place]))
    return [replace(h, at=new.get(h.at, h.at), title=_cleaned(h.title), end=new.get(h.end, h.end)) for h in headings]


@cache
def readers() -> Mapping[str, Reader]:
    """Every suffix that a reader claims, with that reader.

    This imports all reader modules, but not the libraries that they use: they import those when they read.
    """
    loaded = plugins.load_all("embassay.ingest.readers")
    return {suffix: reader for reader in loaded.values() for suffix in reader.SUFFIXES}


def reader_of(suffix: str) -> Reader:
    """The reader of files with this suffix, in whatever case."""
    found = readers().get(suffix.lower())
    return found if found is not None else plugins.load("embassay.ingest.readers", FALLBACK)


def reader_name(suffix: str) -> str:
    """The name of the reader of files with this suffix, in whatever case."""
    return str(getattr(reader_of(suffix), "__name__", FALLBACK)).rpartition(".")[2]


def streams() -> frozenset[str]:
    """Suffixes of files that are read without being held in memory, so that no size limit applies to them."""
    return frozenset(suffix for suffix, reader in readers().items() if getattr(reader, "STREAMS", False))


def read(source: SourceFile) -> Iterator[Read]:
    """The documents of a file, in order; a ReadError stands in the place of a record that could not be read, and a
    LeftOut in that of a part without text.

    Raises NotText for a file without text, and ReadError for whatever goes wrong inside a reader.
    """
    suffix = source.file.suffix.lower()
    reader = reader_of(suffix)
    try:
        if source.size == 0:
            return
        if suffix not in readers():
            with source.open() as stream:
                if looks_binary(stream.read(HEAD)):
                    raise NotText("binary file")
        yield from _unique(_within_bounds(guarded(source, reader)))
    except ReadError:
        raise
    except MemoryError as error:
        raise ReadError("does not fit in memory") from error
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error
    except Exception as error:  # a reader may fail in any way; the run must not
        raise ReadError(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}") from error
