"""A query and a text as one row of token ids, for models that read both at once.

Models of the BERT family tell the two apart by a type of each token, 0 or 1. It travels within the id, so that a pair
is batched, padded and sent as a text is: a token of type 1 has its own id plus the size of the vocabulary, and the
graph takes that off again (`graph.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from embassay.engine.tokens import PROBES, Encoded, Tokens, check_known
from embassay.engine.unsupported import damaged, needs_torch


@dataclass(frozen=True, slots=True)
class PairFrame:
    """The special tokens of a pair, and what is added to the ids of either text."""

    before: Sequence[int]
    between: Sequence[int]
    after: Sequence[int]
    shifts: tuple[int, int]

    @property
    def special(self) -> int:
        """How many special tokens there are."""
        return len(self.before) + len(self.between) + len(self.after)


class Pairs:
    """Encodes pairs for one model. Safe to share between threads."""

    def __init__(self, tokens: Tokens, model: str, vocabulary: int, types: int) -> None:
        """`types`: how many types of token the model tells apart; 1 where it does not. `model` is for messages."""
        self._tokens, self._model = tokens, model
        self._vocabulary, self._types = vocabulary, types

    @cached_property
    def frame(self) -> PairFrame:
        """What stands around two texts. Raises ModelUnsupported where the tokenizer does more than that."""
        tokens = self._tokens
        bare, text = next(((ids, one) for one in PROBES if (ids := tokens.ids([one])[0])), ((), ""))
        if not bare:
            raise damaged(f"{self._model}: its tokenizer makes no token of {', '.join(PROBES)}.")
        whole = tokens.paired(text)
        types = whole.type_ids if tokens.read.token_types and self._types > 1 else [0] * len(whole.ids)
        if not set(types) <= {0, 1}:
            raise needs_torch(f"{self._model}: its tokenizer makes tokens of types {sorted(set(types))}, not 0 and 1.")
        ids = [one + kind * self._vocabulary for one, kind in zip(whole.ids, types, strict=True)]
        places = [[at for at, of in enumerate(whole.sequence_ids) if of == which] for which in (0, 1)]
        (first, *_), (second, *_) = places
        ends = first + len(bare), second + len(bare)
        if [whole.ids[at] for of in places for at in of] != [*bare, *bare] or ends[0] > second:
            raise damaged(f"{self._model}: its tokenizer does more than put special tokens around a pair of texts.")
        frame = PairFrame(
            ids[:first], ids[ends[0] : second], ids[ends[1] :], (self._shift(types[first]), self._shift(types[second]))
        )
        if tokens.max_tokens < frame.special + 2:
            raise damaged(f"{self._model}: a limit of {tokens.max_tokens} tokens leaves no room for a pair of texts.")
        return frame

    def _shift(self, kind: int) -> int:
        return kind * self._vocabulary

    def encode(self, query: str, texts: Sequence[str]) -> list[Encoded]:
        """`query` with each of `texts`, the longer of the two cut where both do not fit the limit.

        Raises ModelUnsupported for a token that the model does not know.
        """
        frame, room = self.frame, self._tokens.max_tokens - self.frame.special
        (asked,), others = self._tokens.ids([query]), self._tokens.ids(texts)
        if self._tokens.largest >= self._vocabulary:
            check_known([Encoded(ids, len(ids)) for ids in (asked, *others)], self._vocabulary)
        firsts, seconds = frame.shifts
        asked = [one + firsts for one in asked] if firsts else asked
        made = []
        for ids in others:
            lengths = longest_first(len(asked), len(ids), room)
            query_ids, text_ids = (self._cut(*one) for one in zip((asked, ids), lengths, strict=True))
            text_ids = [one + seconds for one in text_ids] if seconds else text_ids
            row = [*frame.before, *query_ids, *frame.between, *text_ids, *frame.after]
            made.append(Encoded(row, len(asked) + len(ids) + frame.special))
        return made

    def _cut(self, ids: list[int], length: int) -> list[int]:
        if self._tokens.truncation == "right":
            return ids[:length]
        return ids[len(ids) - length :]


def longest_first(first: int, second: int, room: int) -> tuple[int, int]:
    """How many tokens are kept of each of two texts, so that both have `room`: the longer one is cut first.

    As `truncation_strategy="longest_first"` of transformers has it: once both are equally long they share the room, and
    the odd token is that of the longer one.
    """
    if first + second <= room:
        return first, second
    short = min(first, second)
    kept = max(short, room - short)
    if short + kept > room:
        short, kept = room // 2, room - room // 2
    return (short, kept) if first <= second else (kept, short)
