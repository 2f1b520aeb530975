"""Texts in, one vector for each of their tokens out: the states of a model's last layer, each at length 1.

Special tokens and those of a prompt have no vector: they say nothing of a text. A text beyond the limit is read in
windows, so that every token of it has one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from embassay.engine.batches import TOKEN_BUDGET
from embassay.engine.unsupported import damaged
from embassay.vectors import SHORTEST

if TYPE_CHECKING:
    import numpy.typing as npt

    from embassay.engine.runtimes.base import Runtime
    from embassay.engine.tokens import Tokens
    from embassay.types import Vectors

BLOCK_TEXTS = 128
"""Texts that are read together, so that those of about one length can be computed in one batch."""


@dataclass(frozen=True, slots=True)
class TokenStates:
    """The tokens of one text, in their order."""

    ids: npt.NDArray[np.int32]
    """(tokens,), in the vocabulary of the model."""
    vectors: Vectors
    """float32 (tokens, width); each has length 1."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What the model reads at once: a text, or a window of it."""

    text: int
    ids: Sequence[int]
    first: int
    """Of the tokens that get a vector, and one behind the last of them."""
    end: int


class TokenEngine:
    """Runs texts through a runtime whose head is `TokenHead`. Threads may share it."""

    def __init__(self, tokens: Tokens, runtime: Runtime, width: int) -> None:
        self.tokens, self.width, self._runtime = tokens, width, runtime

    def embed(self, texts: Sequence[str], prompt: str = "", *, whole: bool = True) -> list[TokenStates]:
        """The tokens of each of `texts`. Raises ModelUnsupported."""
        return list(self.stream(texts, prompt, whole=whole))

    def stream(self, texts: Sequence[str], prompt: str = "", *, whole: bool = True) -> Iterator[TokenStates]:
        """The same in order, in constant memory; without `whole` what is beyond the limit is left out."""
        for start in range(0, len(texts), BLOCK_TEXTS):
            yield from self._block(texts[start : start + BLOCK_TEXTS], prompt, whole)

    def _block(self, texts: Sequence[str], prompt: str, whole: bool) -> list[TokenStates]:
        pieces = [piece for at, text in enumerate(texts) for piece in self._pieces(at, text, prompt, whole)]
        states: dict[int, Vectors] = {}
        order = sorted(range(len(pieces)), key=lambda at: len(pieces[at].ids))
        for batch in _batches(order, [len(piece.ids) for piece in pieces]):
            made = self._runtime.once([pieces[at].ids for at in batch])
            if made.ndim != 3 or made.shape[2] != self.width:
                raise damaged(
                    f"the model gives states of the shape {made.shape}, its files say a width of {self.width}."
                )
            for row, at in enumerate(batch):
                states[at] = _unit(made[row, pieces[at].first : pieces[at].end])
        return [_joined(pieces, states, at, self.width) for at in range(len(texts))]

    def _pieces(self, at: int, text: str, prompt: str, whole: bool) -> Iterator[_Piece]:
        before, after = self.tokens.frame
        encoded = self.tokens.windows(prompt + text) if whole else self.tokens.encode([prompt + text])
        skipped = _common(self.tokens.ids([prompt])[0], encoded[0].ids[len(before) :]) if prompt else 0
        for number, piece in enumerate(encoded):
            first = len(before) + (skipped if number == 0 else 0)
            yield _Piece(at, piece.ids, first, len(piece.ids) - len(after))


def _common(prompt: Sequence[int], ids: Sequence[int]) -> int:
    """How many tokens at the start of `ids` are those of the prompt."""
    count = 0
    for ours, theirs in zip(prompt, ids, strict=False):
        if ours != theirs:
            break
        count += 1
    return count


def _batches(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Pieces from the shortest to the longest, in batches within the budget of padded tokens."""
    batch: list[int] = []
    for at in order:
        if batch and (len(batch) + 1) * lengths[at] > TOKEN_BUDGET:
            yield batch
            batch = []
        batch.append(at)
    if batch:
        yield batch


def _joined(pieces: Sequence[_Piece], states: dict[int, Vectors], text: int, width: int) -> TokenStates:
    own = [at for at, piece in enumerate(pieces) if piece.text == text]
    ids = np.array([i for at in own for i in pieces[at].ids[pieces[at].first : pieces[at].end]], np.int32)
    vectors = np.concatenate([states[at] for at in own]) if own else np.empty((0, width), np.float32)
    return TokenStates(ids, vectors)


def _unit(states: Vectors) -> Vectors:
    lengths = np.sqrt(np.einsum("ij,ij->i", states, states))[:, None]
    made: Vectors = states / np.maximum(lengths, np.float32(SHORTEST))
    return made
