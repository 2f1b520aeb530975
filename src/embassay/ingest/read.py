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
from embassay.text import composed, encodable
from embassay.types import Heading, Scalar

FALLBACK = "text"
"""The reader of files whose suffix no reader claims."""
MAX_ID, MAX_TITLE = 4_000, 2_000
"""Characters."""
MAX_FIELDS, MAX_FIELD_NAME = 1_000, 1_000
MAX_VALUE, MAX_METADATA = 10_000, 200_000
"""Characters of one metadata value that are kept, and of all values of a document."""


def _within_bounds(documents: Iterator[Read]) -> Iterator[Read]:
    """The documents with titles and metadata that every chunk can carry; what is cut off them is told."""
    for document in documents:
        if not isinstance(document, Document):
            yield document
            continue
        bounded = _bounded(document)
        if isinstance(bounded, Document) and bounded.chars < document.chars:
            yield _cut_off(document, bounded)
        yield bounded


def _cut_off(whole: Document, bounded: Document) -> LeftOut:
    """What `_bounded` took of a document."""
    kept = bounded.metadata
    fields = [name for name, value in whole.metadata.items() if len(str(value)) > len(str(kept[name]))]
    chars = sum(len(str(whole.metadata[name])) - len(str(kept[name])) for name in fields)
    names = [f"the field {name[:60]!r}" for name in fields]
    if len(bounded.title) < len(whole.title):
        names.append("the title")
        chars += len(whole.title) - len(bounded.title)
    return LeftOut(f"{' and '.join(names[:3])} of {whole.id[-80:]} was cut", chars)


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


def _bounded(document: Document) -> Document | ReadError:
    """With a title and metadata of a length that every chunk can carry: each of them repeats both.

    An id or metadata beyond all bounds makes a ReadError.
    """
    if len(document.id) > MAX_ID:
        return ReadError(f"an id of {len(document.id):,} characters, the limit is {MAX_ID:,}: {document.id[:60]!r}")
    title, metadata = document.title[:MAX_TITLE], document.metadata
    if len(metadata) > MAX_FIELDS or any(len(key) > MAX_FIELD_NAME for key in metadata):
        return ReadError(f"{len(metadata):,} fields, the limit is {MAX_FIELDS:,} with names of {MAX_FIELD_NAME}")
    if any(_is_long(value) for value in metadata.values()):
        metadata = {key: _shortened(value) for key, value in metadata.items()}
    if sum(len(value) for value in metadata.values() if isinstance(value, str)) > MAX_METADATA:
        return ReadError(f"metadata of more than {MAX_METADATA:,} characters")
    if title is document.title and metadata is document.metadata:
        return document
    return replace(document, title=title, metadata=metadata)


def _is_long(value: Scalar) -> bool:
    return len(value) > MAX_VALUE if isinstance(value, str) else isinstance(value, int) and value.bit_length() > 63


def _shortened(value: Scalar) -> Scalar:
    """What is kept of a value: of a number beyond 64 bits its digits as a text, which filters read alike."""
    if not _is_long(value):
        return value
    if isinstance(value, str):
        return value[:MAX_VALUE]
    number = int(value)
    return str(number) if number.bit_length() < MAX_VALUE else hex(number)[:MAX_VALUE]


def _clean(document: Document) -> Document:
    """Compose accents and syllables, so that both ways to write them meet, and take lone surrogates out, which JSON and
    PDF can hold: they would stop whatever the text goes through next."""
    own = (document.text, document.title, document.id, document.path)
    pairs = document.metadata.items()
    if all(_is_clean(part) for part in (*own, *document.metadata, *(v for _, v in pairs if isinstance(v, str)))):
        return document
    metadata = {_cleaned(k): _cleaned(v) if isinstance(v, str) else v for k, v in pairs}
    headings = _moved(document.headings, encodable(document.text))
    text, title, name, path = map(_cleaned, own)
    return replace(document, text=text, title=title, id=name, path=path, metadata=metadata, headings=headings)


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
