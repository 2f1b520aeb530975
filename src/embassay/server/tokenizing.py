"""Texts to the tokens of a model and back, for clients that ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.server.refusals import RequestInvalid
from embassay.text import encodable

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.types import Counts, Role

LARGEST_ID = 1 << 31
MOST_CHARACTERS = 250_000
"""Of all texts whose tokens are told at once: each of them is many times as long in the answer."""


@dataclass(frozen=True, slots=True)
class TextToken:
    """A token, and where it stands."""

    id: int
    text: str
    special: bool
    start: int | None
    """Character of the text; None for a special token."""
    stop: int | None


def tokens_of(
    embedder: Embedder, texts: Sequence[str], role: Role | None, *, special: bool = True
) -> list[list[TextToken]]:
    """The tokens of each text as the model sees it, behind the prompt of `role` where one is named.

    Raises RequestInvalid for more text than `MOST_CHARACTERS`, and for a hosted model, whose tokenizer is not here.
    """
    characters = sum(map(len, texts))
    if characters > MOST_CHARACTERS:
        raise RequestInvalid(
            f"the texts have {characters:,} characters; the most is {MOST_CHARACTERS:,} a request.", place="inputs"
        )
    tokens = tokenizer_of(embedder)
    prompt = embedder.prompt(role) if role else ""
    made = []
    for text in texts:
        whole = prompt + text
        encoded = tokens.tokenizer.encode(encodable(whole), add_special_tokens=special)
        row = zip(encoded.ids, encoded.tokens, encoded.special_tokens_mask, encoded.offsets, strict=True)
        made.append(
            [
                TextToken(one, token, True, None, None)
                if framing
                else TextToken(one, whole[start:stop] or token, False, start, stop)
                for one, token, framing, (start, stop) in row
            ]
        )
    return made


def texts_of(embedder: Embedder, ids: Sequence[Sequence[int]], *, skip_special: bool = True) -> list[str]:
    """What token ids stand for. Raises RequestInvalid for ids that the model has not, and for a hosted model."""
    tokenizer = tokenizer_of(embedder).tokenizer
    for row in ids:
        for one in row:
            if not 0 <= one < LARGEST_ID or tokenizer.id_to_token(one) is None:
                raise RequestInvalid(f"the model has no token {one}.", place="ids")
    return [tokenizer.decode(list(row), skip_special_tokens=skip_special) for row in ids]


def tokenizer_of(embedder: Embedder) -> Counts:
    """What counts the tokens of a model of this machine. Raises RequestInvalid for a hosted one."""
    if not embedder.tokens.special and embedder.remote:
        raise RequestInvalid(f"the tokenizer of {embedder.name} is not here: it is a hosted model.", place="model")
    return embedder.tokens
