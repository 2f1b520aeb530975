"""An embedder whose vectors are looked up before they are made, found and missing in any mixture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain, compress, islice
from operator import not_
from typing import TYPE_CHECKING, NamedTuple

from embassay.embedders.alongside import Step, alongside, embed_at, rebased
from embassay.embedders.base import Embedder
from embassay.embedders.keeper import FITS, SPLIT, TRUNCATED, Keeper, Kept, Keys
from embassay.embedders.texts.blocks import is_blank, windows
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.types import NO_USAGE, Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.space import Space

LOOKED_UP, LOOKED_UP_SECONDS = 1024, 0.5
"""Texts that are looked up at once, or as many as came in so many seconds."""
RUN_WINDOWS = 17
"""Windows of so many texts that share what was made for them: a text that comes again is not asked for again, and
vectors of later texts wait for those of earlier ones no longer than that."""


class _Sought(NamedTuple):
    """A text and what was found for it."""

    text: str
    key: bytes
    asked: bool
    """Whether its vector is to be made: it was not found, is not blank, and was not asked for before."""
    found: Kept | None


@dataclass(frozen=True, slots=True)
class _LookedUp:
    """Consecutive texts and what the cache has of them."""

    texts: Sequence[str]
    keys: Sequence[bytes]
    asked: Sequence[bool]
    """As in `_Sought`."""
    found: Mapping[bytes, Kept]


@dataclass
class _Run:
    """Consecutive texts whose missing vectors are made in one stream."""

    keys: Keys
    space: Space
    asked: set[bytes] = field(default_factory=set)
    made: dict[bytes, Kept] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)

    @cached_property
    def nothing(self) -> Kept:
        """Stands for the vector of a text that is blank or refused."""
        return Kept(bytes(self.space.dimensions * 4), 0)


class Cached(Wrapper):
    """An embedder whose vectors are looked up before they are made, and kept once they are."""

    is_transparent = True
    remembers = True

    def __init__(self, inner: Embedder, keeper: Keeper) -> None:
        super().__init__(inner)
        self._keeper = keeper

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """Vectors in the order of `texts`: those that were found, and the others as the inner embedder makes them."""
        check_role(role)
        lists = windows(texts, LOOKED_UP, LOOKED_UP_SECONDS)
        start = 0
        for window in lists:
            run = self._run(role, on_long)
            first = self._looked_up(window, run)
            if not run.asked:
                yield self._found(first, run, role)
                start += len(window)
                continue
            behind = (one for texts in islice(lists, RUN_WINDOWS - 1) for one in _sought(self._looked_up(texts, run)))
            count = 0
            with rebased(start.__add__):
                for step in alongside(chain(_sought(first), behind), _missing, self.inner, role, on_long):
                    yield self._taken(step, run, role)
                    count += len(step.items)
            start += count

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """A few texts take the inner embedder's own short way."""
        check_role(role)
        if len(texts) > LOOKED_UP:
            return super().embed(texts, role, on_long)
        run = self._run(role, on_long)
        looked_up = self._looked_up(texts, run)
        if not run.asked:
            return self._found(looked_up, run, role)
        missing = [at for at, asked in enumerate(looked_up.asked) if asked]
        made = embed_at(self.inner, texts, missing, role, on_long)
        rows: list[int | None] = [None] * len(texts)
        for row, at in enumerate(missing):
            rows[at] = row
        return self._taken(Step(list(_sought(looked_up)), rows, made), run, role)

    def _run(self, role: Role, on_long: OnLong) -> _Run:
        witness = self.inner.witness(role)
        return _Run(Keys(self.space, self.precision, role, on_long, self.tokens.max_tokens, witness), self.space)

    def _looked_up(self, texts: Sequence[str], run: _Run) -> _LookedUp:
        """What is known of each text, with one look into the cache."""
        keys = run.keys.of(texts)
        blank = [is_blank(text) for text in texts]
        wanted = dict.fromkeys(keys) if not any(blank) else dict.fromkeys(compress(keys, map(not_, blank)))
        found = self._keeper.find(run.keys, list(wanted))
        asked = []
        for key, empty in zip(keys, blank, strict=True):
            new = key not in found and not empty and key not in run.asked
            if new:
                run.asked.add(key)
            asked.append(new)
        return _LookedUp(texts, keys, asked, found)

    def _found(self, looked_up: _LookedUp, run: _Run, role: Role) -> Embeddings:
        """The vectors of texts that were all found, or are blank."""
        found, nothing = looked_up.found, run.nothing
        return self._embeddings([found.get(key, nothing) for key in looked_up.keys], run, role)

    def _taken(self, step: Step[_Sought], run: _Run, role: Role) -> Embeddings:
        """The vectors of `step`: found, made now, or made before in this run. What was made now is kept."""
        if step.made is not None:
            made: dict[bytes, Kept] = {}
            for one, row in zip(step.items, step.rows, strict=True):
                if row is None:
                    continue
                if row in step.made.refused:
                    run.refused[one.key] = step.made.refused[row]
                else:
                    made[one.key] = _kept(step.made, row, run.keys)
            self._keeper.keep(run.keys, made)
            run.made |= made
        kept = [one.found or run.made.get(one.key, run.nothing) for one in step.items]
        refused = {at: run.refused[one.key] for at, one in enumerate(step.items) if one.key in run.refused}
        return self._embeddings(kept, run, role, step.made, refused)

    def _embeddings(
        self,
        kept: Sequence[Kept],
        run: _Run,
        role: Role,
        made: Embeddings | None = None,
        refused: Mapping[int, str] | None = None,
    ) -> Embeddings:
        import numpy as np

        vectors = np.frombuffer(bytearray().join([one.vector for one in kept]), np.float32)
        found = len([one for one in kept if one is not run.nothing])
        cached = found if made is None else found - (len(made) - len(made.refused))
        return Embeddings(
            vectors=vectors.reshape(len(kept), run.space.dimensions),
            tokens=[one.tokens for one in kept],
            truncated=[one.long == TRUNCATED for one in kept],
            space=run.space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(NO_USAGE if made is None else made.usage, cached=cached),
            refused=refused or {},
        )


def _sought(looked_up: _LookedUp) -> Iterator[_Sought]:
    for text, key, asked in zip(looked_up.texts, looked_up.keys, looked_up.asked, strict=True):
        yield _Sought(text, key, asked, looked_up.found.get(key))


def _missing(one: _Sought) -> str | None:
    return one.text if one.asked else None


def _kept(made: Embeddings, row: int, keys: Keys) -> Kept:
    long = FITS
    if made.truncated[row]:
        long = TRUNCATED
    elif row in made.split or (keys.on_long == "split" and made.tokens[row] > keys.max_tokens):
        long = SPLIT
    return Kept(made.vectors[row].tobytes(), made.tokens[row], long)
