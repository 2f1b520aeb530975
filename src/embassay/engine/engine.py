"""Texts in, vectors out: one local model at one precision."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.ahead import Ahead
from embassay.engine.batches import TOKEN_BUDGET
from embassay.engine.pace import Pace
from embassay.engine.runtimes.base import Runtime
from embassay.engine.runtimes.padding import check_width
from embassay.engine.stream import LOOKAHEAD_SECONDS, Stream, Text
from embassay.engine.tokens import Tokens, check_known
from embassay.errors import TextTooLong
from embassay.vectors import mean_of_parts

if TYPE_CHECKING:
    from embassay.types import OnLong, Vectors

GROUP_TEXTS, GROUP_CHARS, GROUP_SECONDS = 256, 10_000, 0.25
"""Texts are tokenised together, because a tokenizer works on many at once: so many texts or characters, or what came
in so many seconds."""


@dataclass(frozen=True, slots=True)
class Block:
    """Vectors of consecutive texts, in the order they came."""

    vectors: Vectors
    tokens: Sequence[int]
    truncated: Sequence[bool]


class Engine:
    """Runs texts through a runtime. Threads may share it."""

    def __init__(
        self, tokens: Tokens, runtime: Runtime, dimensions: int, *, normalise: bool, vocabulary: int | None = None
    ) -> None:
        """`vocabulary`: token ids that the model has vectors for; None where that is not known."""
        self.tokens, self._runtime = tokens, runtime
        self.dimensions, self._normalise = dimensions, normalise
        self._vocabulary = vocabulary if vocabulary is not None and tokens.largest >= vocabulary else None

    def embed(self, texts: Sequence[str], prompt: str = "", on_long: OnLong = "truncate") -> Block:
        """Vectors of `texts`, float32 (len(texts), dimensions). A few short texts take the fast path of a query."""
        if texts and sum(map(len, texts)) < TOKEN_BUDGET:  # a token is rarely less than a character
            encoded = self._encode(texts, prompt, on_long)
            ids = [piece.ids for text in encoded for piece in text.pieces]
            if sum(map(len, ids)) <= TOKEN_BUDGET:
                vectors = self._runtime.once(ids)
                check_width(vectors, self.dimensions)
                return self._block(encoded, vectors)
        blocks = list(self._stream(texts, prompt, on_long, Pace(None)))
        return Block(
            np.concatenate([b.vectors for b in blocks]) if blocks else np.empty((0, self.dimensions), np.float32),
            [count for b in blocks for count in b.tokens],
            [cut for b in blocks for cut in b.truncated],
        )

    def stream(self, texts: Iterable[str], prompt: str = "", on_long: OnLong = "truncate") -> Iterator[Block]:
        """Vectors of any number of texts, in blocks of consecutive texts, in constant memory.

        Texts are handed out as they are computed, about a second of work behind the first that was begun. `texts` is
        consumed in a thread of its own, ahead of what is computed.
        """
        return self._stream(texts, prompt, on_long, Pace(LOOKAHEAD_SECONDS))

    def _stream(self, texts: Iterable[str], prompt: str, on_long: OnLong, pace: Pace) -> Iterator[Block]:
        queue = self._runtime.queue()
        work = Stream(queue, self.dimensions, pace)
        with Ahead(lambda at: self._encode(at[1], prompt, on_long, at[0]), in_groups(texts), "tokenise") as encoded:
            try:
                for done in work.run(encoded):
                    yield self._block(done, np.stack([row for text in done for row in text.rows if row is not None]))
            finally:
                queue.close()

    def _encode(self, texts: Sequence[str], prompt: str, on_long: OnLong, start: int = 0) -> list[Text]:
        encoded = self.tokens.encode([prompt + text for text in texts] if prompt else texts)
        if self._vocabulary is not None:
            check_known(encoded, self._vocabulary)
        made = []
        for at, whole in enumerate(encoded):
            if whole.truncated and on_long == "error":
                raise TextTooLong(start + at, whole.tokens, self.tokens.max_tokens)
            split = whole.truncated and on_long == "split"
            pieces = self.tokens.windows(prompt + texts[at]) if split else [whole]
            made.append(Text(pieces, whole.tokens, whole.truncated and not split))
        return made

    def _block(self, texts: Sequence[Text], vectors: Vectors) -> Block:
        """The vectors of all pieces as one vector for each text."""
        owners = [at for at, text in enumerate(texts) for _ in text.pieces]
        weights = [len(piece.ids) for text in texts for piece in text.pieces]
        vectors = mean_of_parts(vectors, owners, weights, len(texts), normalised=self._normalise)
        return Block(vectors, [text.tokens for text in texts], [text.truncated for text in texts])


def in_groups(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """(position of the first, texts) of each group that is tokenised at once."""
    group: list[str] = []
    start, chars, since = 0, 0, time.monotonic()
    for text in texts:
        group.append(text)
        chars += len(text)
        if len(group) >= GROUP_TEXTS or chars >= GROUP_CHARS or time.monotonic() - since > GROUP_SECONDS:
            yield start, group
            start, group, chars, since = start + len(group), [], 0, time.monotonic()
    if group:
        yield start, group
