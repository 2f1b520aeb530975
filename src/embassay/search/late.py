"""Late interaction: a query and a text are compared token by token (Khattab and Zaharia, "ColBERT", SIGIR 2020).

The tokens' vectors are states of the same model that makes one vector a text, which was not trained for it. A text's
score is the mean, over the tokens of the query, of the greatest cosine to any of its tokens; tokens that few of the
candidates have count for more. Texts are compared as sets keep them, whether they are read now or were before.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import ModelUnsupported
from embassay.timed import Timed

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.engine.token_states import TokenStates
    from embassay.stores.tokens.codes import Bytes, PackedTokens
    from embassay.stores.tokens.file import TokenFile
    from embassay.types import Chunk

AT_ONCE = 4096
"""Vectors of texts that are compared with a query at once."""
KEPT_BYTES = 256 << 20
"""Of tokens that were read for searches and are remembered: the next search often finds the same texts."""


class TimedTokens(Timed[str, "PackedTokens"]):
    """Reads the tokens of texts within a time. Threads may share it."""

    def __init__(self, embedder: Callable[[], Embedder]) -> None:
        """`embedder` opens the model when it is first needed."""
        super().__init__(KEPT_BYTES)
        self._open = embedder

    @property
    def remote(self) -> bool:
        """Only a model of this process gives the vectors of tokens."""
        return False

    def query(self, text: str) -> TokenStates:
        """The tokens of a query. Raises ModelUnsupported where the model gives none, ModelError."""
        return next(self._open().token_states([text], "query"))

    def make(self, items: Sequence[str]) -> Iterator[PackedTokens]:
        """The tokens of each text. Raises ModelError."""
        from embassay.stores.tokens.codes import pack

        return (pack(one.ids, one.vectors) for one in self._open().token_states(items, "document"))

    def size(self, made: PackedTokens) -> int:
        """Bytes."""
        return made.nbytes


@dataclass(frozen=True, slots=True)
class LateModel:
    """What a search may ask for tokens: the files of the sets that keep some, and the model for all others."""

    model: TimedTokens
    files: Sequence[TokenFile] = ()

    def stored(self, chunks: Sequence[Chunk]) -> dict[str, PackedTokens]:
        """The tokens of those of `chunks` that are kept, by key. Raises StoreError."""
        found: dict[str, PackedTokens] = {}
        for file in self.files:
            if file.exists:
                found |= file.get([chunk for chunk in chunks if chunk.key not in found])
        return found

    def close(self) -> None:
        """Close the files, and give what is under way a moment to arrive."""
        self.model.close()
        for file in self.files:
            file.close()


def nothing_reads_tokens() -> LateModel:
    """Raises ModelUnsupported: what is searched has no model of its own that could read its texts."""
    raise ModelUnsupported(
        "what is searched here has no model that gives vectors of tokens.", remedy="Leave maxsim out."
    )


def late_scores(query: TokenStates, texts: Mapping[Hashable, PackedTokens]) -> dict[Hashable, float]:
    """The score of each of `texts`; none where the query has no token, and none of a text without tokens.

    The weight of a token is BM25's idf of it among the texts.
    """
    import numpy as np

    from embassay.stores.tokens.codes import cosines

    width = query.vectors.shape[1]
    texts = {ref: text for ref, text in texts.items() if len(text.ids) and text.is_of(width)}
    if not len(query.ids) or not texts:
        return {}
    names, of_query = np.unique(query.ids, return_inverse=True)
    ids = np.concatenate([text.ids for text in texts.values()])  # of each text every one once
    at = np.searchsorted(names, ids).clip(max=len(names) - 1)
    in_texts = np.bincount(at[names[at] == ids], minlength=len(names))[of_query]
    weights = np.log1p((len(texts) - in_texts + 0.5) / (in_texts + 0.5))
    weights /= weights.sum()
    scores: list[float] = []
    for some in _together([text.codes for text in texts.values()]):
        starts = np.cumsum([0, *(len(codes) for codes in some[:-1])])
        greatest = np.maximum.reduceat(cosines(query.vectors, np.concatenate(some)), starts, axis=1)
        scores += (weights.astype(np.float32) @ greatest).tolist()
    return dict(zip(texts, scores, strict=True))


def _together(codes: Sequence[Bytes]) -> Iterator[Sequence[Bytes]]:
    """Texts whose codes are compared at once: so many that a processor's own cache holds them."""
    some: list[Bytes] = []
    count = 0
    for of_text in codes:
        if some and count + len(of_text) > AT_ONCE:
            yield some
            some, count = [], 0
        some.append(of_text)
        count += len(of_text)
    yield some
