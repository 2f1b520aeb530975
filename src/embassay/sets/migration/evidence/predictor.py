"""Which stored vectors are unlike what the old vector and the words of their text would lead one to expect.

To recompute a sample finds whatever is wrong with many rows. A few wrong rows among many it misses, so every row is
looked at cheaply: a linear map, fitted on all rows, foretells each new vector from the old one and the words, and the
rows that it foretells worst are those worth recomputing. It proves nothing by itself; another vector than that of the
text is almost always among the worst.

The residual of a row is that of a map fitted without it, which ridge regression has in closed form (Allen, "The
relationship between variable selection and data augmentation and a method for prediction", 1974): otherwise a map of
many coefficients on few rows would have learnt the wrong ones too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from embassay.types import Vectors

WORDS = 256
"""Dimensions that words are hashed to: Weinberger et al., "Feature hashing for large scale multitask learning"."""
PENALTY = 0.3
"""Of the coefficients, in units of the mean variance of a feature summed over the rows."""
OLD = 384
"""Dimensions of old vectors that are looked at; longer ones are projected."""
_WORD = re.compile(r"\w+")
_LONGEST = 40
"""Characters of one word at most."""
_WITHOUT_SPACES = "\u0e00"
"""From this character on, scripts are found that put no space between words: runs of them are cut into overlapping
pairs, as is whatever is too long for a word."""


class Predictor:
    """Fitted on blocks of rows, then asked about them. Memory is that of the coefficients."""

    def __init__(self, old_dimensions: int, dimensions: int) -> None:
        import numpy as np

        self._projection = _projection(old_dimensions)
        size = min(old_dimensions, OLD) + WORDS + 1
        self._xx = np.zeros((size, size))
        self._xy = np.zeros((size, dimensions))
        self._sum = np.zeros(dimensions)
        self._rows = 0
        self._solved: tuple[Vectors, Vectors, Vectors] | None = None

    def learn(self, old: Vectors, texts: Sequence[str], new: Vectors) -> None:
        """Take rows in: old vectors (n, old dimensions), their texts, new vectors (n, dimensions)."""
        x = self._features(old, texts)
        self._xx += x.T @ x
        self._xy += x.T @ new
        self._sum += new.sum(axis=0)
        self._rows += len(new)
        self._solved = None

    def oddness(self, old: Vectors, texts: Sequence[str], new: Vectors) -> npt.NDArray[np.float32]:
        """(n,) of rows that were learnt: 0 where a new vector points where it was expected, up to 2 where it does not.

        Directions are taken from the mean of all new vectors, because those of many models share a large part.
        """
        import numpy as np

        inverse, map_, mean = self._solution()
        x = self._features(old, texts)
        lever = np.clip(np.einsum("ij,ij->i", x @ inverse, x), 0.0, 0.999)[:, None]
        expected = (x @ map_ - lever * new) / (1 - lever) - mean
        found = new - mean
        lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(found, axis=1)
        cosine = np.einsum("ij,ij->i", expected, found) / np.maximum(lengths, 1e-12)
        odd: npt.NDArray[np.float32] = (1 - np.nan_to_num(cosine, nan=-1.0)).astype(np.float32)
        return odd

    def _solution(self) -> tuple[Vectors, Vectors, Vectors]:
        import numpy as np

        if self._solved is None:
            size = len(self._xx)
            penalty = PENALTY * np.trace(self._xx[:-1, :-1]) / max(1, size - 1) + 1e-9
            inverse = np.linalg.inv(self._xx + penalty * np.eye(size))
            mean = self._sum / max(1, self._rows)
            solved = (inverse, inverse @ self._xy, mean)
            self._solved = tuple(part.astype(np.float32) for part in solved)  # type: ignore[assignment]
            assert self._solved is not None
        return self._solved

    def _features(self, old: Vectors, texts: Sequence[str]) -> Vectors:
        import numpy as np

        known = np.nan_to_num(old.astype(np.float32))
        if self._projection is not None:
            known = known @ self._projection
        return np.hstack([known, hashed_words(texts), np.ones((len(texts), 1), np.float32)])


def hashed_words(texts: Sequence[str]) -> Vectors:
    """float32 (texts, WORDS) of length 1, or zero: how often each word stands in a text, with a sign by its hash."""
    import numpy as np

    made = np.zeros((len(texts), WORDS), np.float32)
    for at, text in enumerate(texts):
        hashes = np.array([_hash(word) for word in _words(text)], np.int64)
        if len(hashes):
            signs = np.where(hashes & 0x10000, 1.0, -1.0)
            counts = np.bincount(hashes % WORDS, signs, WORDS)
            made[at] = np.sign(counts) * np.sqrt(np.abs(counts))
    lengths = np.linalg.norm(made, axis=1, keepdims=True)
    made /= np.maximum(lengths, 1e-12)
    return made


@lru_cache(1 << 16)
def _hash(word: str) -> int:
    return crc32(word.encode("utf-8", "surrogatepass"))


def _words(text: str) -> list[str]:
    found: list[str] = []
    for word in _WORD.findall(text.lower()):
        if len(word) <= _LONGEST and max(word) < _WITHOUT_SPACES:
            found.append(word)
        else:
            found += (word[at : at + 2] for at in range(len(word) - 1))
    return found


def _projection(dimensions: int) -> Vectors | None:
    """(dimensions, OLD) with orthogonal columns, always the same; None where nothing has to be made shorter."""
    import numpy as np

    if dimensions <= OLD:
        return None
    drawn = np.random.default_rng(0).standard_normal((dimensions, OLD))
    made: Vectors = np.linalg.qr(drawn)[0].astype(np.float32)
    return made
