"""What every reader has to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from embassay.errors import ReadError
from embassay.ingest.base import LeftOut, SourceFile

if TYPE_CHECKING:
    from embassay.ingest.base import Reader
    from embassay.types import Document


def check_reader(reader: Reader, file: Path) -> list[Document]:
    """Read `file` and check the documents; give them back. Raises AssertionError with what is wrong."""
    assert reader.SUFFIXES and all(s.startswith(".") and s == s.lower() for s in reader.SUFFIXES)
    source = SourceFile(file, file.name)
    documents = []
    for document in reader.read(source):
        assert not isinstance(document, ReadError), document
        if isinstance(document, LeftOut):
            assert document.reason and document.chars >= 0, "what is left out is told with its reason"
        else:
            documents.append(document)
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
