"""Texts as clients send them: one or a list, none of them empty where a dialect forbids that."""

from __future__ import annotations

from collections.abc import Sequence

from embassay.embedders.texts.longtext import fitting_end
from embassay.server.refusals import InputEmpty, RequestInvalid
from embassay.types import Counts, Role

ROLES: dict[str, Role] = {
    "query": "query",
    "search_query": "query",
    "retrieval.query": "query",
    "document": "document",
    "passage": "document",
    "search_document": "document",
    "retrieval.passage": "document",
}
"""What the input types of several dialects are here."""
CHARS_IN_WINDOW = 8
"""Characters for each token of the limit, in which the end of a long text is looked for first."""


def listed(texts: str | Sequence[str]) -> Sequence[str]:
    """One text or several, as several."""
    return [texts] if isinstance(texts, str) else texts


def not_empty(texts: Sequence[str], place: str) -> None:
    """Raises InputEmpty where there are no texts, or one of them is empty."""
    if not texts:
        raise InputEmpty(f"{place} is empty: there is nothing to read.", place=place)
    for at, text in enumerate(texts):
        if not text:
            raise InputEmpty(f"{place}[{at}] is empty.", place=f"{place}[{at}]")


def text_of_ids(tokens: Counts, ids: object, place: str) -> str:
    """The text that token ids stand for, where they are surely those of the model's own tokenizer.

    Ids of any tokenizer decode to something. Those that begin and end with its special tokens, and that its text gives
    again, are its own. Raises RequestInvalid for all others.
    """
    tokenizer = tokens.tokenizer
    if isinstance(ids, list) and all(isinstance(one, int) and 0 <= one < 1 << 31 for one in ids):
        text = tokenizer.decode(ids, skip_special_tokens=True)
        if tokens.special and len(ids) > tokens.special and tokenizer.encode(text).ids == ids:
            return text
    raise RequestInvalid(
        f"{place} is no text, and no token ids of the tokenizer of this model, with its special tokens around them.",
        place=place,
        remedy="Send texts; with LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False.",
    )


def role_of(kind: str | None, default: Role, place: str) -> Role:
    """The role that an input type stands for. Raises RequestInvalid for another one, which names the two roles."""
    if kind is None:
        return default
    role = ROLES.get(kind.lower())
    if role is None:
        raise RequestInvalid(f"{place} {kind[:40]!r} is none of query and document.", place=place)
    return role


def without_beginnings(tokens: Counts, prompt: str, texts: Sequence[str]) -> list[str]:
    """`texts`, of which those above the token limit lose their beginnings: what is kept fits behind `prompt`."""
    counts = tokens.count([prompt + text for text in texts])
    return [
        text if count <= tokens.safe_tokens else _end_of(tokens, prompt, text)
        for text, count in zip(texts, counts, strict=True)
    ]


def _end_of(tokens: Counts, prompt: str, text: str) -> str:
    """The longest end of a text that fits, found by bisection in a window of about the size of the limit."""

    def fits(start: int) -> bool:
        return tokens.count([prompt + text[start:]])[0] <= tokens.safe_tokens

    size = tokens.safe_tokens * CHARS_IN_WINDOW
    while size < len(text) and fits(len(text) - size):
        size *= 2
    low, high = max(0, len(text) - size), len(text)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return text[high:]


def heads_of(tokens: Counts, texts: Sequence[str], most: int) -> list[str]:
    """`texts`, each of which is cut to at most so many tokens, if possible between words."""
    counts = tokens.count(texts)
    return [
        text if count <= most else text[: fitting_end(text, 0, most, tokens)]
        for text, count in zip(texts, counts, strict=True)
    ]
