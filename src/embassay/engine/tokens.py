"""The model's own tokenizer: token ids within the limit, and how long each text really was."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import msgspec

from embassay.engine.fields import Json
from embassay.engine.unsupported import damaged
from embassay.errors import ModelUnsupported
from embassay.text import encodable

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from embassay.engine.tokenizing.reading import ReadTokenizer

PROBES = ("a", "1", "。", "é", ".")
"""Texts of one token or more, by which the special tokens around a text are found."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """One text as token ids, special tokens included, cut to the limit."""

    ids: Sequence[int]
    tokens: int
    """Its length before the cut."""

    @property
    def truncated(self) -> bool:
        """Whether a part of the text is not among the ids."""
        return self.tokens > len(self.ids)


class Tokens:
    """Encodes texts for one model. Safe to share between threads."""

    def __init__(self, read: Callable[[], ReadTokenizer], max_tokens: int, model: str) -> None:
        """`read` reads the tokenizer when it is first needed; `model` is whose it is, for messages."""
        self._reader, self._model = read, model
        self.max_tokens = max_tokens

    @property
    def safe_tokens(self) -> int:
        """The limit itself, because this tokenizer counts exactly."""
        return self.max_tokens

    @cached_property
    def identity(self) -> str:
        """SHA-256, in hex, of everything by which texts become token ids, before any cut."""
        return tokenizer_digest(self.tokenizer, self._frame)

    @property
    def truncation(self) -> str:
        """The side on which long texts are cut: ``right`` or ``left``."""
        return self.read.truncation

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer without truncation and padding. Raises ModelUnsupported where there is none."""
        return self.read.backend

    @cached_property
    def read(self) -> ReadTokenizer:
        """The tokenizer, and what its files say of its use. Raises ModelUnsupported."""
        return self._reader()

    @cached_property
    def typed(self) -> bool:
        """Whether a text has tokens of another type than 0. Raises ModelUnsupported."""
        return self.read.token_types and any(self._probe[1].type_ids)

    @cached_property
    def largest(self) -> int:
        """The largest id that a text can have."""
        return max(
            self.tokenizer.get_vocab_size(with_added_tokens=True) - 1, *self.tokenizer.get_added_tokens_decoder()
        )

    @cached_property
    def _probe(self) -> tuple[Encoding, Encoding]:
        """A text without its special tokens, and with them."""
        for text in PROBES:
            bare, whole = self._encode_one(text, special=False), self._encode_one(text, special=True)
            if bare.ids:
                return bare, whole
        raise damaged(f"{self._model}: its tokenizer makes no token of {', '.join(PROBES)}.")

    @cached_property
    def _frame(self) -> tuple[list[int], list[int]]:
        """Special tokens before and after a text."""
        bare, whole = self._probe
        own = [i for i, of in enumerate(whole.sequence_ids) if of is not None]
        at = own[0] if own else 0
        if whole.ids[at : at + len(bare.ids)] != bare.ids or len(own) != len(bare.ids):
            raise damaged(f"{self._model}: its tokenizer does more than put special tokens around a text.")
        frame = whole.ids[:at], whole.ids[at + len(bare.ids) :]
        if self.max_tokens <= len(frame[0]) + len(frame[1]):
            raise damaged(f"{self._model}: a limit of {self.max_tokens} tokens leaves no room for a text.")
        return frame

    @property
    def frame(self) -> tuple[Sequence[int], Sequence[int]]:
        """The special tokens before a text, and those behind it."""
        return self._frame

    @property
    def special(self) -> int:
        """How many special tokens frame a text."""
        return len(self._frame[0]) + len(self._frame[1])

    def encode(self, texts: Sequence[str]) -> list[Encoded]:
        """Token ids of each text between its special tokens, cut to the limit."""
        before, after = self._frame
        room = self.max_tokens - self.special
        kept = slice(None, room) if self.truncation == "right" else slice(-room, None)
        return [Encoded(before + ids[kept] + after, len(ids) + self.special) for ids in self.ids(texts)]

    def windows(self, text: str) -> list[Encoded]:
        """The whole text as consecutive pieces that each fit the limit with their special tokens."""
        before, after = self._frame
        room = self.max_tokens - self.special
        (ids,) = self.ids([text])
        pieces = [before + ids[i : i + room] + after for i in range(0, max(len(ids), 1), room)]
        return [Encoded(piece, len(piece)) for piece in pieces]

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special tokens included."""
        return [len(ids) + self.special for ids in self.ids(texts)]

    def ids(self, texts: Sequence[str]) -> list[list[int]]:
        """Token ids of each text, without special tokens, however many. Raises ModelUnsupported."""
        texts = [encodable(text) for text in texts]
        try:
            return [e.ids for e in self.tokenizer.encode_batch_fast(texts, add_special_tokens=False)]
        except BaseException as error:
            raise self._failed(error) from error

    def paired(self, text: str) -> Encoding:
        """`text` and `text` again as a pair, with the special tokens around both. Raises ModelUnsupported."""
        try:
            return self.tokenizer.encode(text, text)
        except BaseException as error:
            raise self._failed(error) from error

    def _encode_one(self, text: str, *, special: bool) -> Encoding:
        try:
            return self.tokenizer.encode(text, add_special_tokens=special)
        except BaseException as error:
            raise self._failed(error) from error

    def _failed(self, error: BaseException) -> BaseException:
        """What an error of the Rust side, a bare Exception or a panic, is here; any other is left as it is."""
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            return error
        return damaged(f"{self._model}: its tokenizer fails: {error}.")


def check_known(encoded: Sequence[Encoded], vocabulary: int) -> None:
    """Raises ModelUnsupported for a token that the model has no vector for."""
    largest = max((max(one.ids, default=0) for one in encoded), default=0)
    if largest >= vocabulary:
        raise ModelUnsupported(
            f"a text has the token {largest}, and the model's weights know {vocabulary}.",
            remedy="Take that token out of the text, or choose another model.",
        )


def tokenizer_digest(tokenizer: Tokenizer, frame: tuple[Sequence[int], Sequence[int]]) -> str:
    """SHA-256, in hex, of what decides the ids of a text. Truncation, padding, decoding and offsets do not.

    It is taken from the tokenizer itself as the library writes it down, which knows no order of keys and no field that
    it does not use. Fields at their default are left out, so that one which a later version adds changes nothing.
    """
    parts = msgspec.json.decode(tokenizer.to_str(), type=dict[str, msgspec.Raw])
    model = msgspec.json.decode(parts["model"], type=dict[str, msgspec.Raw])
    _check_ids(tokenizer, model["vocab"])
    large = {name: hashlib.sha256(model.pop(name)).hexdigest() for name in ("vocab", "merges") if name in model}
    small: dict[str, Json] = {name: msgspec.json.decode(raw) for name, raw in model.items()}
    small |= {name: msgspec.json.decode(parts[name]) for name in ("added_tokens", "normalizer", "pre_tokenizer")}
    said = [large, _stated(small), list(frame[0]), list(frame[1]), bool(tokenizer.encode_special_tokens)]
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _check_ids(tokenizer: Tokenizer, vocabulary: msgspec.Raw) -> None:
    """Raises ModelUnsupported for two pieces with one id: which of them is written down is then left to chance."""
    if bytes(memoryview(vocabulary)[:1]) != b"{":
        return
    if len(msgspec.json.decode(vocabulary)) != tokenizer.get_vocab_size(with_added_tokens=False):
        raise damaged("its tokenizer has pieces that share an id.")


def _stated(value: Json) -> Json:
    if isinstance(value, dict):
        return {k: _stated(v) for k, v in value.items() if v not in (None, False, "", []) and k != "trim_offsets"}
    if isinstance(value, list):
        return [_stated(one) for one in value]
    return value
