"""Vectors that something else has made and kept, as a source of a run: each row becomes a record of one chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.columns.opening import ColumnNames, open_table
from embassay.errors import ReadError, UsageError
from embassay.ingest.spans import chunk_key
from embassay.metadata import kept
from embassay.sets.build.origin import Change, New, Origin, recall
from embassay.sets.build.source import SourceOutcome
from embassay.sets.records.given import digest_of, read_record
from embassay.sets.state import RECORD
from embassay.text import composed
from embassay.types import Chunk, Record

if TYPE_CHECKING:
    from collections.abc import Callable

    from embassay.columns.base import RowBlock
    from embassay.embedders.base import Embedder
    from embassay.sets.state import Generation, State
    from embassay.stores.base import Store

LISTED = 1_000
"""Rows that were left out of which the reasons are kept; the others are counted."""


class ForeignRows:
    """The rows of a table. Each is an origin."""

    total: int | None = None

    def __init__(
        self, place: Path, names: ColumnNames, embedder: Embedder, vouch: Callable[[Sequence[Record]], Sequence[Record]]
    ) -> None:
        """`vouch` makes sure of the vectors of some records before any of them is written. Raises UsageError where
        the columns cannot be told, and ReadError."""
        self._place, self._embedder, self._vouch = place, embedder, vouch
        with open_table(place) as table:
            self._id, self._text, self._vector = names.id_in(table), names.text_in(table), names.vector_in(table)
            self._fields = table.fields
            self.what = f"{table.rows:,} rows" if table.rows is not None else "rows"
        self._seen: set[str] = set()
        self.written = self.left_out = 0
        self.reasons: list[tuple[str, str]] = []

    def begin(self, state: State, generation: Generation, store: Store) -> None:
        """Hold it against what the set has already. Raises UsageError where that did not come by an import."""
        self._books = state, generation, store
        if state.sources(generation) and not any(job.kind == "import" for job in state.jobs.of(generation.id)[1:]):
            raise UsageError(
                f"set {generation.set_name!r} is there already, and was not made by an import.",
                remedy="Import into another set.",
            )

    def __iter__(self) -> Iterator[Change]:
        with open_table(self._place) as table:
            for block in table.blocks(self._fields, self._vector):
                if records := list(self._records(block)):
                    yield from self._changes(self._vouch(records))

    def outcome(self) -> SourceOutcome:
        """Counts of rows."""
        return SourceOutcome(len(self._seen))

    def _records(self, block: RowBlock) -> Iterator[Record]:
        """The records of the rows that make one."""
        for at, vector in enumerate(block.vectors):
            row = {name: values[at] for name, values in block.fields.items()}
            try:
                found = kept({k: v for k, v in row.items() if k not in (self._id, self._text) and v is not None})
                given = {"id": row[self._id], "text": row[self._text], "metadata": found.metadata, "vector": vector}
                record = read_record(given, "of this row")
                if record.id in self._seen:
                    raise ReadError("its id came before")
                if not record.text.strip():
                    raise ReadError("it has no text")
            except (ReadError, UsageError) as error:
                self.left_out += 1
                if len(self.reasons) < LISTED:
                    self.reasons.append((f"row {block.first + at:,}", error.message))
                continue
            self._seen.add(record.id)
            yield record

    def _changes(self, records: Sequence[Record]) -> Iterator[Change]:
        state, generation, store = self._books
        rows = state.sources_of(generation, [record.id for record in records])
        origins = []
        for record in records:
            digest, before = digest_of(record), rows.get(record.id)
            if before is not None and (before.state, before.digest, before.chunks) == ("ok", digest, 1):
                continue  # written by a run that was stopped later
            origins.append(
                Origin(
                    record.id, before, len(record.text), digest=digest, reader=RECORD, record=record,
                    vector=record.vector, afresh=True, documents=1, readable=True,  # type: ignore[arg-type]
                )
            )  # fmt: skip
        recall(store, origins)
        for origin, chunk in zip(origins, self._chunks([o.record for o in origins if o.record]), strict=True):
            origin.chars = len(chunk.indexed)
            change = origin.take(chunk)
            assert isinstance(change, New), "what is written afresh is new"
            self.written += 1
            yield change
            yield origin.end()

    def _chunks(self, records: Sequence[Record]) -> Iterator[Chunk]:
        """The chunk of each record: its whole text, whatever of it the model has read."""
        tokens, prompt = self._embedder.tokens, self._embedder.space.document_prompt
        texts = [composed(record.text) for record in records]
        counts = tokens.count([prompt + text.strip() for text in texts]) if texts else []
        for record, text, count in zip(records, texts, counts, strict=True):
            body = text.strip()
            start = len(text) - len(text.lstrip())
            first = 1 + text.count("\n", 0, start)
            yield Chunk(
                key=chunk_key(record.id, body, 1),
                document=record.id,
                path=record.id,
                section="",
                indexed=body,
                body_at=0,
                lines=(first, first + body.count("\n")),
                span=(start, start + len(body)),
                tokens=count,
                truncated=count > tokens.max_tokens,
                metadata=record.metadata,
            )
