"""A source that is no files: records that a program hands over. Run as a program, it indexes some until it is killed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import embassay
from embassay.ingest.chunk import Chunker
from embassay.ingest.flow import FileEnd, Loaded, ReadStep, chunked
from embassay.sets.build.origin import Change, Origin, changes, recall
from embassay.sets.build.report import IndexReport
from embassay.sets.build.run import build
from embassay.sets.build.source import SourceOutcome
from embassay.sets.build.writer import Writer
from embassay.sets.folder import HomeFolder
from embassay.sets.state import SourceRow
from embassay.types import Document
from tests.sets.indexed import opened


class Records:
    """All records that there are, by name. Each is an origin; one that was there before and is not now is gone."""

    total = None

    def __init__(self, records: Mapping[str, str], rows: list[SourceRow], store, chunker: Chunker) -> None:
        before = {row.path: row for row in rows}
        self._records, self._store, self._chunker = records, store, chunker
        self._gone = [Origin(row.path, row, digest=row.digest, gone=True) for row in rows if row.path not in records]
        known = {
            name
            for name, row in before.items()
            if (row.state, row.digest, row.reason) == ("ok", digest(records.get(name, "")), "")
        }
        self._due = [
            Origin(name, before.get(name), len(text), digest=digest(text))
            for name, text in records.items()
            if name not in known
        ]
        self.what = f"{len(self._due)} records"

    def __iter__(self) -> Iterator[Change]:
        recall(self._store, [*self._gone, *self._due])
        yield from (origin.end() for origin in self._gone)
        yield from changes(chunked(self._read(), self._chunker))

    def _read(self) -> Iterator[ReadStep[Origin]]:
        for origin in self._due:
            yield Loaded(origin, document(origin.name, self._records[origin.name]))
            yield FileEnd(origin)

    def outcome(self) -> SourceOutcome:
        return SourceOutcome(len(self._due), len(self._records) - len(self._due), len(self._gone))


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def document(name: str, text: str) -> Document:
    return Document(name, name, text)


def many(count: int, version: int = 0) -> dict[str, str]:
    return {
        f"record {i}": "\n\n".join(f"Rotate the key {i} {p} {version if i % 3 == 0 else 0}. " * 3 for p in range(6))
        for i in range(count)
    }


def index_records(home: embassay.Home, records: Mapping[str, str], model: str, **parameters) -> IndexReport:
    """Bring the default set of a home up to date with `records`, through the writer that files go through."""
    home.index([], model=model)
    embedder = home.embedder()
    with opened(home) as (state, generation, store), HomeFolder(home.folder).writing(generation):
        chunker = Chunker(embedder.tokens, generation.spec.chunk_tokens)
        source = Records(records, state.sources(generation), store, chunker)
        return build(source, Writer(state, generation, store, **parameters), embedder)


if __name__ == "__main__":
    folder, model, count, version = sys.argv[1:]
    with embassay.open(Path(folder)) as home:
        index_records(home, many(int(count), int(version)), model, rows=200)
