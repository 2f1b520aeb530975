"""Texts above a model's limit, cut or split as the caller asks; `vectors.mean_of_parts` makes one vector of parts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import ConfigError, TextTooLong

if TYPE_CHECKING:
    from embassay.types import Counts, OnLong

CUT_AGAIN = 0.8
"""A part that is still too long keeps this share of itself. It can be, because the count was an estimate."""


@dataclass(frozen=True, slots=True)
class TextPart:
    """A whole text, or a part of one that the model takes."""

    owner: int
    """Position of its text."""
    text: str
    tokens: int
    truncated: bool = False


def parts_of(
    texts: Sequence[str], counts: Sequence[int], tokens: Counts, prompt: str, on_long: OnLong, start: int = 0
) -> Iterator[TextPart]:
    """Each text with its prompt, cut or split where `counts` (prompt included) are above the limit.

    Raises TextTooLong under ``error``, with the position counted from `start`.
    """
    limit = tokens.max_tokens
    for owner, (text, count) in enumerate(zip(texts, counts, strict=True)):
        if count <= limit:
            yield TextPart(owner, prompt + text, count)
        elif on_long == "error":
            raise TextTooLong(start + owner, count, limit)
        else:
            yield from _cut(owner, text, tokens, prompt, whole=on_long == "split")


def shorter(part: TextPart, prompt: str) -> TextPart:
    """The head of a part that a provider refused as too long."""
    body = part.text[len(prompt) :]
    kept = max(1, int(len(body) * CUT_AGAIN))
    return TextPart(part.owner, prompt + body[:kept], max(1, int(part.tokens * CUT_AGAIN)), truncated=True)


def halves(part: TextPart, prompt: str) -> tuple[TextPart, TextPart]:
    """Both halves of a part that a provider refused as too long, cut between words if possible."""
    body = part.text[len(prompt) :]
    middle = _space(body, len(body) // 2)
    return (
        TextPart(part.owner, prompt + body[:middle], (part.tokens + 1) // 2),
        TextPart(part.owner, prompt + body[middle:], (part.tokens + 1) // 2),
    )


def _cut(owner: int, text: str, tokens: Counts, prompt: str, *, whole: bool) -> Iterator[TextPart]:
    """Parts of at most the limit each: of all the text where `whole`, else its head alone."""
    room = tokens.max_tokens - (tokens.count([prompt])[0] if prompt else 0)
    if room < 1:
        raise ConfigError(
            f"the prompt {prompt!r} leaves no room in the {tokens.max_tokens} tokens that the model takes.",
            remedy="Raise max_tokens, or shorten the prompt.",
        )
    at = 0
    while at < len(text):
        end = fitting_end(text, at, room, tokens)
        body = text[at:end]
        yield TextPart(owner, prompt + body, tokens.count([prompt + body])[0], truncated=not whole)
        if not whole:
            return
        at = end


def fitting_end(text: str, at: int, room: int, tokens: Counts) -> int:
    """Where the longest stretch from `at` of at most `room` tokens ends, if possible between words.

    Bisection over a window that is wide enough for the longest tokens, so that a text of any length costs
    the same.
    """
    window = text[at : at + room * 16]
    if tokens.count([window])[0] <= room:
        return at + len(window)
    low, high = 1, len(window)
    while high - low > max(1, low // 64):
        middle = (low + high) // 2
        if tokens.count([window[:middle]])[0] <= room:
            low = middle
        else:
            high = middle
    return at + _space(window, low)


def _space(text: str, at: int) -> int:
    """The last white space before `at`, unless that gives up a lot."""
    space = max(text.rfind(" ", 0, at), text.rfind("\n", 0, at))
    return space + 1 if space > at * 0.8 else at
