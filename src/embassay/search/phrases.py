"""Asks a chat model for other ways to say a query, and reads what it answers, whatever it wrote around that."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.errors import BadReply, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STRING = re.compile(r'"((?:[^"\\\n]|\\.){1,1000})"')
_BULLET = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s+(.+)$", re.MULTILINE)
_LIST = re.compile(r"\[[^\[\]{}]*(?:\]|\Z)", re.DOTALL)


def phrases(ask: Callable[[str], str], message: str, query: str, most: int, letters: int) -> list[str]:
    """What a chat model lists when it is asked: at most `most` texts of at most `letters` characters, none of them the
    query itself. Raises BadReply where the answer has no list, and whatever asking raises.
    """
    answer = ask(message)
    found = [" ".join(one.split()) for one in listed(answer)]
    query = query.casefold()
    fit = [one for one in found if one and len(one) <= letters and one.isprintable() and one.casefold() != query]
    if not fit:
        raise BadReply(
            f"the chat model was asked for a list, and its answer has none: {answer[:80]!r}.",
            remedy="A larger model may follow the instruction; max_reply_tokens has to hold its reasoning as well.",
        )
    return list(dict.fromkeys(fit))[:most]


def listed(answer: str) -> Iterator[str]:
    """The texts of a list in JSON, which may stand in prose or be cut off, else the lines that begin with a bullet.

    >>> list(listed('Sure! ["rotate keys", "key rotat'))
    ['rotate keys']
    """
    match = _LIST.search(answer)
    if match is None:
        yield from (line.strip().strip('"') for line in _BULLET.findall(answer))
        return
    for quoted in _STRING.finditer(match[0]):
        try:
            text = jsontext.loads(quoted[0])
        except ValueError:
            continue
        if isinstance(text, str):
            yield text


def nobody_to_ask(message: str) -> str:  # noqa: ARG001
    """In the place of a chat model where there is none. Raises UsageError."""
    raise UsageError("no chat model can be asked here.", remedy="Leave the stage out.")
