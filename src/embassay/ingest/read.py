"""Reads a file into documents, with the reader that claims its suffix."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from embassay import plugins
from embassay.errors import NotText, ReadError
from embassay.ingest.base import Document, Reader, SourceFile
from embassay.ingest.decode import looks_binary
from embassay.text import encodable

FALLBACK = "text"
"""The reader of files whose suffix no reader claims."""


def _unique(documents: Iterator[Document | ReadError]) -> Iterator[Document | ReadError]:
    """Give every document an id of its own: where records share one, the second becomes ``id~2``."""
    seen: Counter[str] = Counter()
    for document in documents:
        if isinstance(document, ReadError):
            yield document
            continue
        seen[document.id] += 1
        name = document.id
        while seen[document.id] > 1 and name in seen:
            name = f"{document.id}~{seen[document.id]}"
            seen[document.id] += name in seen
        if name != document.id:
            seen[name] += 1
        yield _clean(replace(document, id=name) if name != document.id else document)


def _clean(document: Document) -> Document:
    """Take lone surrogates out, which JSON and PDF can hold: they would stop whatever the text goes through next."""
    whole = (document.text, document.title, document.id, *map(str, document.metadata.values()))
    if all(encodable(part) is part for part in whole):
        return document
    metadata = {k: encodable(v) if isinstance(v, str) else v for k, v in document.metadata.items()}
    text, title, name = (encodable(part) for part in whole[:3])
    return replace(document, text=text, title=title, id=name, metadata=metadata)


@cache
def readers() -> Mapping[str, Reader]:
    """Every suffix that a reader claims, with that reader.

    This imports all reader modules, but not the libraries that they use: they import those when they read.
    """
    loaded = plugins.load_all("embassay.ingest.readers")
    return {suffix: reader for reader in loaded.values() for suffix in reader.SUFFIXES}


def streams() -> frozenset[str]:
    """Suffixes of files that are read without being held in memory, so that no size limit applies to them."""
    return frozenset(suffix for suffix, reader in readers().items() if getattr(reader, "STREAMS", False))


def read(source: SourceFile) -> Iterator[Document | ReadError]:
    """The documents of a file, in order; a ReadError stands in the place of a record that could not be read.

    Raises NotText for a file without text, and ReadError for whatever goes wrong inside a reader.
    """
    reader = readers().get(source.file.suffix.lower())
    try:
        if source.file.stat().st_size == 0:
            return
        if reader is None:
            reader = plugins.load("embassay.ingest.readers", FALLBACK)
            with source.file.open("rb") as stream:
                if looks_binary(stream.read(8192)):
                    raise NotText("binary file")
        yield from _unique(reader.read(source))
    except ReadError:
        raise
    except MemoryError as error:
        raise ReadError("does not fit in memory") from error
    except OSError as error:
        raise ReadError(error.strerror or str(error)) from error
    except Exception as error:  # a reader may fail in any way; the run must not
        raise ReadError(f"{type(error).__name__}: {' '.join(str(error).split())[:200]}") from error
