"""What every reader has to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import ReadError
from embassay.ingest.base import LeftOut, SourceFile
from embassay.ingest.guard import guarded

if TYPE_CHECKING:
    from embassay.ingest.base import Read, Reader
    from embassay.types import Document


def check_reader(reader: Reader, file: Path) -> list[Document]:
    """Read `file` and check the documents; give them back. Raises AssertionError with what is wrong."""
    assert reader.SUFFIXES and all(s.startswith(".") and s == s.lower() for s in reader.SUFFIXES)
    source = SourceFile(file, file.name)
    given = list(reader.read(source))
    documents = [document for document in map(_checked, given) if document is not None]
    lost = [read for read in guarded(source, reader) if isinstance(read, LeftOut)]
    untold = lost[len(given) - len(documents) :]
    assert not untold, f"text is lost without a word: {untold}"
    assert documents, "a readable file gives at least one document"
    assert len({d.id for d in documents}) == len(documents), "ids are unique"
    for document in documents:
        assert document.path == source.id and document.id.startswith(source.id)
        assert "\r" not in document.text and "\0" not in document.text
        if document.source_lines is not None:
            assert len(document.source_lines) >= 1 and min(document.source_lines) >= 1
        starts = [heading.at for heading in document.headings]
        assert starts == sorted(starts), "headings are in order"
    return documents


def _checked(read: Read) -> Document | None:
    """The document, None for what the reader says it left out. Raises AssertionError for anything else."""
    assert not isinstance(read, ReadError), read
    if isinstance(read, LeftOut):
        assert read.reason and read.chars >= 0, "what is left out is told with its reason"
        return None
    return read
