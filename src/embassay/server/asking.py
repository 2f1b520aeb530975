"""Texts to vectors as any dialect asks for them: by which role or task, and on which side long ones are cut."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from embassay import remedy
from embassay.embedders.alongside import rebased
from embassay.errors import TextTooLong
from embassay.models.reference import MOST_DIMENSIONS, cut_to, uncut
from embassay.server.refusals import RequestInvalid
from embassay.server.texts import ROLES, without_beginnings

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.server.call import Call
    from embassay.types import Embeddings, OnLong

Dimensions = Annotated[int, msgspec.Meta(ge=1, le=MOST_DIMENSIONS)]
Cut = Literal["none", "start", "end"]
"""What is left out of a text above the token limit; ``none``: it is refused."""
PLAIN = "document"
"""What a text is taken for that nobody says anything of."""

SHORTEN = "Send a shorter text, or several."


@dataclass(frozen=True, slots=True)
class Wish:
    """How texts are to be embedded."""

    kind: str | None = None
    """The role in the words of a dialect, or a task for which the model's card has a prompt. None: nobody says it. Then
    the client may have put a prompt of the model before a text, as it has to elsewhere: that says the role, and the
    prompt is not put before it twice."""
    cut: Cut = "none"
    dimensions: int | None = None
    place: str = "input_type"
    """Where `kind` stood in the request."""
    mend: tuple[str, str | bool] | None = None
    """The field of the dialect, and its value, by which texts are cut that are refused now."""

    @property
    def on_long(self) -> OnLong:
        """The same as the models know it; what is cut at its start is cut before."""
        return "error" if self.cut == "none" else "truncate"


async def embedded(call: Call, name: str, texts: Sequence[str], wish: Wish) -> Embeddings:
    """Vectors of `texts` by the model `name`, in their order.

    Raises RequestInvalid for a task that the model has no prompt for, and as `Service.embed` does.
    """
    try:
        return await _by_kinds(call, name, texts, wish)
    except TextTooLong as error:
        field, value = wish.mend or ("", "")
        error.remedy = remedy.option(field, value, say="Send {} to have it cut.") if field else remedy.say(SHORTEN)
        raise


async def _by_kinds(call: Call, name: str, texts: Sequence[str], wish: Wish) -> Embeddings:
    service = call.service
    service.check_count(texts)
    if wish.dimensions is not None:
        name = cut_to(uncut(name or service.models.default), wish.dimensions)
    embedder = await service.embedder(call, name)
    if wish.kind is not None:
        return await _embedded(call, embedder, texts, wish.kind, wish)
    kinds, bare = _told_apart(call, embedder, texts)
    if len(set(kinds)) <= 1:
        return await _embedded(call, embedder, bare, kinds[0] if kinds else PLAIN, wish)
    parts: list[tuple[list[int], Embeddings]] = []
    for kind in dict.fromkeys(kinds):
        places = [at for at, one in enumerate(kinds) if one == kind]
        with rebased(places.__getitem__):
            parts.append((places, await _embedded(call, embedder, [bare[at] for at in places], kind, wish)))
    return _woven(parts, len(texts))


async def _embedded(call: Call, embedder: Embedder, texts: Sequence[str], kind: str, wish: Wish) -> Embeddings:
    service = call.service
    role = ROLES.get(kind.lower())
    if role is None:
        of_task = service.models.for_task(call.model, kind.lower())
        if of_task is None:
            raise RequestInvalid(
                f"{wish.place} {kind[:40]!r} is none of query and document, and the card of {call.model} has no prompt "
                "for it.",
                place=wish.place,
                remedy="Say query for what is searched with, and document for what is searched.",
            )
        embedder = await service.opened(of_task)
        role = "document"
    if wish.cut == "start":
        texts = await service.in_worker(without_beginnings, embedder.tokens, embedder.prompt(role), texts)
    return await service.embed_by(call, embedder, texts, role, wish.on_long)


def _told_apart(call: Call, embedder: Embedder, texts: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """The kind of each text, and the text without the prompt by which that was told."""
    prompts = dict(call.service.models.tasks(call.model))
    prompts |= {role: embedder.prompt(role) for role in ("document", "query")}
    known = sorted(((prompt, kind) for kind, prompt in prompts.items() if prompt), key=lambda one: -len(one[0]))
    if not known:
        return [PLAIN] * len(texts), texts
    kinds, bare = [], []
    for text in texts:
        prompt, kind = next((one for one in known if text.startswith(one[0])), ("", PLAIN))
        kinds.append(kind)
        bare.append(text[len(prompt) :])
    return kinds, bare


def _woven(parts: Sequence[tuple[Sequence[int], Embeddings]], count: int) -> Embeddings:
    """Vectors of texts of several kinds, in the order of the texts."""
    import numpy as np

    first = parts[0][1]
    vectors = np.empty((count, first.vectors.shape[1]), np.float32)
    tokens, truncated, usage = [0] * count, [False] * count, first.usage
    for places, made in parts:
        vectors[list(places)] = made.vectors
        for at, number, cut in zip(places, made.tokens, made.truncated, strict=True):
            tokens[at], truncated[at] = number, cut
        usage = usage if made is first else usage + made.usage
    return replace(first, vectors=vectors, tokens=tokens, truncated=truncated, usage=usage, split=())
