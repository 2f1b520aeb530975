"""Items and the vectors of their texts, kept in step.

An embedder takes texts and gives vectors. Whoever works with more than texts (chunks of files, records, texts of
which some are in a cache) has to find each vector's item again. That is done here, and nowhere else:

    for step in alongside(chunks, lambda chunk: chunk.indexed if chunk.is_new else None, embedder, "document"):
        for chunk, row in zip(step.items, step.rows, strict=True):
            vector = None if row is None else step.made.vectors[row]

Errors about one text name its position among the texts that were sent. `rebased` turns that into the position among
the items that the caller knows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from embassay.errors import ModelError, TextRefused, TextTooLong

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Embeddings, OnLong, Role

Item = TypeVar("Item")
MOST_WITHOUT = 1024
"""Items without a text that are collected before they are handed on, as long as no model is at work."""


@dataclass(frozen=True, slots=True)
class Step(Generic[Item]):
    """Consecutive items, in the order they came, with the vectors of those that have a text."""

    items: Sequence[Item]
    rows: Sequence[int | None]
    """For each item its row in `made`; None for an item without a text."""
    made: Embeddings | None
    """None where no item of this step has a text."""


def alongside(
    items: Iterable[Item],
    text_of: Callable[[Item], str | None],
    embedder: Embedder,
    role: Role,
    on_long: OnLong = "truncate",
) -> Generator[Step[Item], None, None]:
    """Embed the texts of `items`, and give the items back in order, each with its vector.

    An item whose `text_of` is None needs no vector and keeps its place among the others. Where no item has a text, the
    embedder is not asked at all. `items` may be consumed in another thread and ahead of the steps, because streams
    read ahead. Closing the iterator closes the stream of the embedder.

    Refused texts are named in ``made.refused`` by their row. Raises what `Embedder.stream` raises; the position in a
    TextTooLong or TextRefused is that of the item.
    """
    return in_step(items, text_of, lambda texts: embedder.stream(texts, role, on_long))


def in_step(
    items: Iterable[Item],
    text_of: Callable[[Item], str | None],
    stream: Callable[[Iterator[str]], Iterator[Embeddings]],
) -> Generator[Step[Item], None, None]:
    """The same over any function that turns a stream of texts into blocks of vectors, one row a text, in order."""
    pending: _Pending[Item] = _Pending(iter(items), text_of)
    while (first := pending.first_text()) is None:
        if not (step := pending.take(None)).items:
            return
        yield step
    with rebased(pending.item_of):
        blocks = stream(chain([first], pending.texts()))
        try:
            for block in blocks:
                yield pending.take(block)
        finally:
            if close := getattr(blocks, "close", None):
                close()
    if (rest := pending.take(None)).items:
        yield rest


def with_zeros(step: Step[str], nothing: Embeddings) -> Embeddings:
    """The texts of `step` as one block, in which those without a row have the zero vector and no tokens.

    `nothing` is a block of no texts: it says whose the block is where none of the texts has a row.
    """
    import numpy as np

    made = nothing if step.made is None else step.made
    if len(made) == len(step.items):
        return made
    filled = [at for at, row in enumerate(step.rows) if row is not None]
    vectors = np.zeros((len(step.items), made.space.dimensions), np.float32)
    vectors[filled] = made.vectors
    return replace(
        made,
        vectors=vectors,
        tokens=[0 if row is None else made.tokens[row] for row in step.rows],
        truncated=[row is not None and made.truncated[row] for row in step.rows],
        split={filled[row] for row in made.split},
        refused={filled[row]: reason for row, reason in made.refused.items()},
    )


def embed_at(
    embedder: Embedder, texts: Sequence[str], positions: Sequence[int], role: Role, on_long: OnLong = "truncate"
) -> Embeddings:
    """`Embedder.embed` of the texts at `positions`, one row a position. Errors name the position in `texts`."""
    with rebased(positions.__getitem__):
        return embedder.embed([texts[at] for at in positions], role, on_long)


@contextmanager
def rebased(position_of: Callable[[int], int]) -> Iterator[None]:
    """Inside, errors about one text get the position that `position_of` makes of theirs."""
    try:
        yield
    except TextTooLong as error:
        raise TextTooLong(position_of(error.position), error.tokens, error.limit) from error
    except TextRefused as error:
        raise TextRefused(position_of(error.position), error.reason) from error


class _Pending(Generic[Item]):
    """Items that were read and not handed on yet. One thread may read while another one takes."""

    def __init__(self, source: Iterator[Item], text_of: Callable[[Item], str | None]) -> None:
        self._source, self._text_of = source, text_of
        self._waiting: deque[tuple[Item, bool]] = deque()
        """Each item, and whether it has a text."""
        self._items = self._texts = 0
        """How many items were handed on, and how many texts among them."""

    def first_text(self) -> str | None:
        """Read up to the first item with a text. None where the items end before, or enough of them have none."""
        for item in self._source:
            text = self._text_of(item)
            self._waiting.append((item, text is not None))
            if text is not None or len(self._waiting) >= MOST_WITHOUT:
                return text
        return None

    def texts(self) -> Iterator[str]:
        for item in self._source:
            text = self._text_of(item)
            self._waiting.append((item, text is not None))
            if text is not None:
                yield text

    def take(self, made: Embeddings | None) -> Step[Item]:
        """The items of the rows in `made`, with those between and behind them that have no text."""
        waiting, count = self._waiting, 0 if made is None else len(made)
        items: list[Item] = []
        rows: list[int | None] = []
        row = 0
        while waiting and (row < count or not waiting[0][1]):
            item, has_text = waiting.popleft()
            items.append(item)
            rows.append(row if has_text else None)
            row += has_text
        if row < count or (made is None and waiting):
            raise ModelError(f"a stream gave {self._texts + count} vectors for another number of texts.")
        self._items += len(items)
        self._texts += row
        return Step(items, rows, made)

    def item_of(self, text: int) -> int:
        """The position among all items of the text at position `text` among all texts."""
        ahead = text - self._texts
        with_text = [at for at, (_, has_text) in enumerate(self._waiting.copy()) if has_text]
        return self._items + (with_text[ahead] if 0 <= ahead < len(with_text) else ahead)
