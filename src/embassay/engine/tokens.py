"""The model's own tokenizer: token ids within the limit, and how long each text really was."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.engine.unsupported import needs_torch
from embassay.errors import ModelUnsupported
from embassay.text import encodable

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as token ids, special tokens included, cut to the limit."""

    ids: Sequence[int]
    tokens: int
    """Its length before the cut."""

    @property
    def truncated(self) -> bool:
        """Whether the end of the text is not among the ids."""
        return self.tokens > len(self.ids)


class Tokens:
    """Encodes texts for one model. Safe to share between threads."""

    def __init__(self, folder: Path, max_tokens: int, *, lower_case: bool = False) -> None:
        self._file = folder / "tokenizer.json"
        self.max_tokens = max_tokens
        self._lower_case = lower_case

    @property
    def safe_tokens(self) -> int:
        """The limit itself, because this tokenizer counts exactly."""
        return self.max_tokens

    @cached_property
    def identity(self) -> str:
        """SHA-256 of the tokenizer's file, marked where texts are made lower case first; empty without a file."""
        digest = hashlib.sha256(self._file.read_bytes()).hexdigest() if self._file.is_file() else ""
        return digest and f"{digest}{' lower' if self._lower_case else ''}"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer without truncation and padding. Raises ModelUnsupported where there is none."""
        from tokenizers import Tokenizer

        if not self._file.is_file():
            raise needs_torch(f"{self._file.parent} has no tokenizer.json.")
        try:
            tokenizer = Tokenizer.from_file(str(self._file))
        except Exception as error:  # the Rust side raises bare Exception
            raise ModelUnsupported(f"{self._file} cannot be read: {error}.", remedy="Download it again.") from error
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """Special tokens before and after a text."""
        bare = self.tokenizer.encode("a", add_special_tokens=False).ids
        whole = self.tokenizer.encode("a").ids
        at = next((i for i in range(len(whole)) if whole[i : i + len(bare)] == bare), 0)
        return whole[:at], whole[at + len(bare) :]

    @property
    def special(self) -> int:
        """How many special tokens frame a text."""
        return len(self._frame[0]) + len(self._frame[1])

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Token ids of each text between its special tokens, cut to the limit."""
        before, after = self._frame
        room = self.max_tokens - len(before) - len(after)
        return [Encoded(before + ids[:room] + after, len(ids) + self.special) for ids in self._ids(texts)]

    def windows(self, text: str) -> list[Encoded]:
        """The whole text as consecutive pieces that each fit the limit with their special tokens."""
        before, after = self._frame
        room = self.max_tokens - len(before) - len(after)
        (ids,) = self._ids([text])
        pieces = [before + ids[i : i + room] + after for i in range(0, max(len(ids), 1), room)]
        return [Encoded(piece, len(piece)) for piece in pieces]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(ids) + self.special for ids in self._ids(texts)]

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        if self._lower_case:
            texts = [text.lower() for text in texts]
        texts = [encodable(text) for text in texts]
        return [e.ids for e in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
