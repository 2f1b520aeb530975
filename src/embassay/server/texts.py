"""Texts as clients send them: one or a list, none of them empty where a dialect forbids that."""

from __future__ import annotations

from collections.abc import Sequence

from embassay.server.refusals import RequestInvalid
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


def listed(texts: str | Sequence[str]) -> Sequence[str]:
    """One text or several, as several."""
    return [texts] if isinstance(texts, str) else texts


def not_empty(texts: Sequence[str], place: str) -> None:
    """Raises RequestInvalid where there are no texts, or one of them is empty."""
    if not texts:
        raise RequestInvalid(f"{place} is empty: there is nothing to embed.", place=place)
    for at, text in enumerate(texts):
        if not text:
            raise RequestInvalid(f"{place}[{at}] is empty.", place=f"{place}[{at}]")


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
