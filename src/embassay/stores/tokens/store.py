"""A store whose rows have token vectors beside them: whoever writes rows need not know of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from embassay.stores.base import Snapshot, Store
from embassay.stores.tokens.file import TokenFile
from embassay.types import Chunk

if TYPE_CHECKING:
    from embassay.types import Vectors


class StoreWithTokens(Store):
    """Notes in the file which rows have to get tokens, and takes those of rows that go out of it."""

    def __init__(self, rows: Store, tokens: TokenFile) -> None:
        """Both are closed with it."""
        self._rows, self._tokens = rows, tokens
        self.collection = rows.collection

    def upsert(self, chunks: Sequence[Chunk], vectors: Mapping[str, Vectors], stale: Sequence[str] = ()) -> None:
        """Rows are noted before they are written: a run that is killed in between is repeated, and has lost nothing."""
        self._tokens.note(chunks)
        self._rows.upsert(chunks, vectors, stale)
        self._tokens.forget([key for key in stale if key not in {chunk.key for chunk in chunks}])

    def delete(self, keys: Iterable[str]) -> None:
        keys = list(keys)
        self._rows.delete(keys)
        self._tokens.forget(keys)

    def snapshot(self) -> Snapshot:
        return self._rows.snapshot()

    def optimise(self, *, thorough: bool = False) -> None:
        self._rows.optimise(thorough=thorough)

    def drop(self) -> None:
        self._rows.drop()
        self._tokens.remove()

    def close(self) -> None:
        self._rows.close()
        self._tokens.close()
