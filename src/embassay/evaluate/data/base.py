"""The contract of a format of judged data: one file in `formats/`, whose name is the format's name.

    EXPECTED = "corpus.jsonl, queries.jsonl and qrels/<split>.tsv"
    def claims(path: Path) -> bool: ...
    def read(path: Path, split: str | None) -> JudgedFiles: ...

Other packages join through the entry-point group ``embassay.formats``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from embassay.types import Document

Qrels = Mapping[str, Mapping[str, int]]
"""Query id to document id to grade; a grade above 0 says that the document is relevant."""


@dataclass(frozen=True, slots=True)
class JudgedFiles:
    """What stands in the files of a judged set, before anybody has checked that it holds together."""

    name: str
    documents: tuple[Document, ...]
    queries: Mapping[str, str]
    """Query id to its text."""
    qrels: Qrels
    judgments: Path
    """The file that the judgments were read from, for messages."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Query id to how the query was made, where the file says so."""


class JudgedFormat(Protocol):
    """A module of `formats/`."""

    EXPECTED: str
    """What a folder of this format holds, for messages."""

    def claims(self, path: Path) -> bool:
        """Whether the folder or file at `path` is of this format."""
        ...

    def read(self, path: Path, split: str | None) -> JudgedFiles:
        """Read it; `split` chooses among several files of judgments. Raises JudgedSetError with file and line."""
        ...
