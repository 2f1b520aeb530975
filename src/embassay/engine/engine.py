"""Texts in, vectors out: one local model at one precision."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from embassay.engine.batches import TOKEN_BUDGET, plan
from embassay.engine.runtimes.base import Queue, Runtime
from embassay.engine.runtimes.target import Target, check_width
from embassay.engine.tokens import Encoded, Tokens
from embassay.errors import ModelUnsupported, TextTooLong
from embassay.vectors import mean_of_parts

if TYPE_CHECKING:
    from embassay.types import OnLong, Vectors

SORTED_TEXTS = 4096
SORTED_CHARS = 500_000
"""Texts are sorted by length within a window of at most so many; two windows are in memory at a time.
A window of long texts is a few seconds of work: that much is lost when a run is stopped."""


_In = TypeVar("_In")
_Out = TypeVar("_Out")


@dataclass(frozen=True, slots=True)
class Block:
    """Vectors of consecutive texts, in the order they came."""

    vectors: Vectors
    tokens: Sequence[int]
    truncated: Sequence[bool]


@dataclass(frozen=True, slots=True)
class _Window:
    """Texts as the pieces to infer: one a text, or several where a long text is split."""

    pieces: Sequence[Encoded]
    owner: Sequence[int]
    """The text of each piece."""
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
        if sum(map(len, texts)) < TOKEN_BUDGET:  # a token is rarely less than a character
            window = self._encode(texts, prompt, on_long)
            if window.pieces and sum(len(p.ids) for p in window.pieces) <= TOKEN_BUDGET:
                vectors = self._runtime.once([p.ids for p in window.pieces])
                check_width(vectors, self.dimensions)
                return self._join(window, vectors)
        blocks = list(self.stream(texts, prompt, on_long))
        return Block(
            np.concatenate([b.vectors for b in blocks]) if blocks else np.empty((0, self.dimensions), np.float32),
            [count for b in blocks for count in b.tokens],
            [cut for b in blocks for cut in b.truncated],
        )

    def stream(self, texts: Iterable[str], prompt: str = "", on_long: OnLong = "truncate") -> Iterator[Block]:
        """Vectors of any number of texts, in blocks of consecutive texts, in constant memory.

        `texts` is consumed in a thread of its own: while one window is inferred the next is made and
        tokenised. A window is handed out once the one behind it is fully submitted, so that no core waits
        at the seam.
        """
        queue = self._runtime.queue()
        waiting: deque[tuple[_Window, Target]] = deque()
        with ThreadPoolExecutor(1, "tokenise") as pool:
            try:
                for window in _ahead(pool, lambda at: self._encode(at[1], prompt, on_long, at[0]), _windows(texts)):
                    waiting.append((window, self._submit(queue, window)))
                    if len(waiting) > 1:
                        yield self._finish(queue, *waiting.popleft())
                while waiting:
                    yield self._finish(queue, *waiting.popleft())
            finally:
                queue.close()

    def _submit(self, queue: Queue, window: _Window) -> Target:
        target = Target(len(window.pieces), self.dimensions)
        ids = [piece.ids for piece in window.pieces]
        for width, rows in plan([len(i) for i in ids]):
            queue.submit([ids[row] for row in rows], width, rows, target)
        return target

    def _finish(self, queue: Queue, window: _Window, target: Target) -> Block:
        return self._join(window, queue.finish(target))

    def _encode(self, texts: Sequence[str], prompt: str, on_long: OnLong, start: int = 0) -> _Window:
        encoded = self.tokens.encode([prompt + text for text in texts] if prompt else texts)
        if self._vocabulary is not None:
            _check_ids(encoded, self._vocabulary)
        counts = [e.tokens for e in encoded]
        cut = [e.truncated for e in encoded]
        if on_long == "truncate" or not any(cut):
            return _Window(encoded, range(len(encoded)), counts, cut)
        if on_long == "error":
            at = cut.index(True)
            raise TextTooLong(start + at, counts[at], self.tokens.max_tokens)
        pieces: list[Encoded] = []
        owner: list[int] = []
        for at, whole in enumerate(encoded):
            parts = self.tokens.windows(prompt + texts[at]) if cut[at] else [whole]
            pieces += parts
            owner += [at] * len(parts)
        return _Window(pieces, owner, counts, [False] * len(encoded))

    def _join(self, window: _Window, vectors: Vectors) -> Block:
        """The vectors of pieces as one vector for each text."""
        weights = [len(piece.ids) for piece in window.pieces]
        vectors = mean_of_parts(vectors, window.owner, weights, len(window.tokens), normalised=self._normalise)
        return Block(vectors, window.tokens, window.truncated)


def _check_ids(encoded: Sequence[Encoded], vocabulary: int) -> None:
    """Raises ModelUnsupported for a token that the model has no vector for."""
    largest = max((max(one.ids, default=0) for one in encoded), default=0)
    if largest >= vocabulary:
        raise ModelUnsupported(
            f"a text has the token {largest}, and the model's weights know {vocabulary}.",
            remedy="Take that token out of the text, or choose another model.",
        )


def _windows(texts: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """(position of the first, texts) of each window."""
    window: list[str] = []
    start = chars = 0
    for text in texts:
        window.append(text)
        chars += len(text)
        if len(window) >= SORTED_TEXTS or chars >= SORTED_CHARS:
            yield start, window
            start, window, chars = start + len(window), [], 0
    if window:
        yield start, window


def _ahead(pool: ThreadPoolExecutor, work: Callable[[_In], _Out], items: Iterator[_In]) -> Iterator[_Out]:
    """Results in order; the next item is taken and worked on while the one before it is in use."""

    def step() -> tuple[_Out] | None:
        for item in items:
            return (work(item),)
        return None

    pending: Future[tuple[_Out] | None] = pool.submit(step)
    while result := pending.result():
        pending = pool.submit(step)
        yield result[0]
