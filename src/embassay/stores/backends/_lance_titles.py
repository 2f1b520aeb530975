"""BM25 with weighed titles over a table: Lance's index of words does not know them, so they are counted in memory."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from embassay.errors import StoreError
from embassay.stores.backends._lance_rows import TERMS
from embassay.stores.titles import TitledWords
from embassay.stores.values import Collection, WeightedTexts
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.types import Vectors

MOST_ROWS = 200_000
"""Of a table whose words are counted in memory: about 1 kB a row."""
BATCH = 8192
"""Rows that are read at a time."""


class TitledTable:
    """The words of all rows of one version. They are counted anew for each version, which takes seconds for many."""

    def __init__(self, table: Any, collection: Collection) -> None:
        """Raises StoreError for a table of too many rows."""
        rows = table.count_rows()
        if rows > MOST_ROWS:
            raise StoreError(
                f"words of titles are weighed by the hot index, and this table of {rows:,} chunks has none now; "
                f"without it that is done for {MOST_ROWS:,} at most.",
                remedy="Repeat the search when the hot index is made, in a minute or two; or leave `title` out.",
            )
        self._collection = collection
        self._found: list[Any] = []
        self._words = TitledWords(self._rows(table))
        self.refs = np.concatenate([np.zeros(0, np.uint64), *self._found])
        """Row ids, of every row."""

    def scores(self, query: WeightedTexts) -> Vectors:
        """float32 (rows,), in the order of `refs`."""
        asked: Mapping[str, float] = self._collection.asked(query)
        return self._words.scores({encodable(term): weight for term, weight in asked.items()}, query.title)

    def scores_of(self, query: WeightedTexts, refs: Sequence[Hashable]) -> Vectors:
        """float32 (len(refs),): the same for these rows; 0 for a ref that names none."""
        if not len(self.refs):
            return np.zeros(len(refs), np.float32)
        order = np.argsort(self.refs)
        wanted = np.array([int(str(ref)) for ref in refs], np.uint64)
        at = np.minimum(np.searchsorted(self.refs, wanted, sorter=order), len(order) - 1)
        return np.where(self.refs[order[at]] == wanted, self.scores(query)[order[at]], np.float32(0))

    def _rows(self, table: Any) -> Iterator[tuple[list[str], list[str]]]:
        cut = self._collection.analyser.terms
        kept = [TERMS.name] if TERMS.name in table.schema.names else []
        for batch in table.search().select(["indexed", "section", *kept]).with_row_id(True).to_batches(BATCH):
            self._found.append(batch["_rowid"].to_numpy())
            texts, titles = batch["indexed"].to_pylist(), batch["section"].to_pylist()
            known = batch[TERMS.name].to_pylist() if kept else [None] * len(texts)
            for text, title, terms in zip(texts, titles, known, strict=True):
                of_row = [*map(encodable, cut(text))] if terms is None else terms.split()
                yield of_row, [*map(encodable, cut(title))]
