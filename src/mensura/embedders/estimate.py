"""Tokens of a text for a model whose tokenizer only its provider has."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from mensura.text import encodable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ERROR = 0.25
"""By which the count of one text may be too low."""
PATTERN = r" ?\p{L}{1,6}|\p{N}{1,3}| ?[^\s\p{L}\p{N}]{1,2}|\s+"


class EstimatedTokens:
    """Counts as the models' own tokenizers do, but for the error said in `ERROR`."""

    special = 0

    def __init__(self, max_tokens: int) -> None:
        self.max_tokens = max_tokens

    @property
    def tokenizer(self) -> Tokenizer:
        return _tokenizer()

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(e.ids) for e in _tokenizer().encode_batch_fast([encodable(t) for t in texts])]


@lru_cache(maxsize=1)
def _tokenizer() -> Tokenizer:
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(PATTERN), "isolated")
    return tokenizer
