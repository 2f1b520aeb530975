"""An embedder whose vectors are looked up before they are made, found and missing in any mixture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from embassay.embedders.alongside import Step, alongside, embed_at, rebased
from embassay.embedders.base import Embedder
from embassay.embedders.keeper import FITS, SPLIT, TRUNCATED, Keeper, Kept, Keys
from embassay.embedders.texts.blocks import is_blank, windows
from embassay.embedders.wrap.wrapper import Wrapper
from embassay.types import NO_USAGE, Embeddings, OnLong, Role, check_role

if TYPE_CHECKING:
    from embassay.space import Space

LOOKED_UP = 1024
"""Texts that are looked up at once."""
RUN_WINDOWS = 17
"""Windows of so many texts that share what was made for them: a text that comes again is not asked for again, and
vectors of later texts wait for those of earlier ones no longer than that."""


@dataclass(frozen=True, slots=True)
class _Sought:
    """A text and what was found for it."""

    text: str
    key: bytes
    asked: bool
    """Whether its vector is to be made: it was not found, is not blank, and was not asked for before."""
    found: Kept | None


@dataclass(slots=True)
class _Run:
    """Consecutive texts whose missing vectors are made in one stream."""

    keys: Keys
    space: Space
    asked: set[bytes] = field(default_factory=set)
    made: dict[bytes, Kept] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)


class Cached(Wrapper):
    """An embedder whose vectors are looked up before they are made, and kept once they are."""

    remembers = True

    def __init__(self, inner: Embedder, keeper: Keeper) -> None:
        super().__init__(inner)
        self._keeper = keeper

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        lists = windows(texts, LOOKED_UP)
        start = 0
        for first in lists:
            run, count = self._run(role, on_long), 0
            sought = self._all_sought(chain([first], islice(lists, RUN_WINDOWS - 1)), run)
            with rebased(start.__add__):
                for step in alongside(sought, _missing, self.inner, role, on_long):
                    yield self._taken(step, run, role)
                    count += len(step.items)
            start += count

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """A few texts take the inner embedder's own short way."""
        check_role(role)
        if len(texts) > LOOKED_UP:
            return super().embed(texts, role, on_long)
        run = self._run(role, on_long)
        sought = self._sought(texts, run)
        missing = [at for at, one in enumerate(sought) if one.asked]
        made = embed_at(self.inner, texts, missing, role, on_long) if missing else None
        rows: list[int | None] = [None] * len(sought)
        for row, at in enumerate(missing):
            rows[at] = row
        return self._taken(Step(sought, rows, made), run, role)

    def _run(self, role: Role, on_long: OnLong) -> _Run:
        return _Run(Keys(self.space, self.precision, role, on_long, self.tokens.max_tokens), self.space)

    def _all_sought(self, lists: Iterable[Sequence[str]], run: _Run) -> Iterator[_Sought]:
        for texts in lists:
            yield from self._sought(texts, run)

    def _sought(self, texts: Sequence[str], run: _Run) -> list[_Sought]:
        """What is known of each text, with one look into the cache."""
        keys = run.keys.of(texts)
        blank = [is_blank(text) for text in texts]
        wanted = dict.fromkeys(key for key, empty in zip(keys, blank, strict=True) if not empty)
        found = self._keeper.find(run.keys, list(wanted))
        sought = []
        for text, key, empty in zip(texts, keys, blank, strict=True):
            asked = not empty and key not in found and key not in run.asked
            if asked:
                run.asked.add(key)
            sought.append(_Sought(text, key, asked, found.get(key)))
        return sought

    def _taken(self, step: Step[_Sought], run: _Run, role: Role) -> Embeddings:
        """The vectors of `step`: found, made now, or made before in this run. What was made now is kept."""
        made: dict[bytes, Kept] = {}
        if step.made is not None:
            for one, row in zip(step.items, step.rows, strict=True):
                if row is None:
                    continue
                if row in step.made.refused:
                    run.refused[one.key] = step.made.refused[row]
                else:
                    made[one.key] = _kept(step.made, row, run.keys)
            self._keeper.keep(run.keys, made)
            run.made |= made
        return self._embeddings(step, run, role)

    def _embeddings(self, step: Step[_Sought], run: _Run, role: Role) -> Embeddings:
        import numpy as np

        usage = NO_USAGE if step.made is None else step.made.usage
        nothing = Kept(bytes(run.space.dimensions * 4), 0)  # of a text that is blank or refused
        kept = [one.found or run.made.get(one.key, nothing) for one in step.items]
        vectors = np.frombuffer(bytearray().join([one.vector for one in kept]), np.float32)
        asked_here = 0 if step.made is None else len(step.made)
        blank = sum(one is nothing and item.key not in run.refused for one, item in zip(kept, step.items, strict=True))
        return Embeddings(
            vectors=vectors.reshape(len(kept), run.space.dimensions),
            tokens=[one.tokens for one in kept],
            truncated=[one.long == TRUNCATED for one in kept],
            space=run.space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(usage, cached=len(kept) - blank - asked_here),
            refused=_refused(step.items, run.refused) if run.refused else {},
        )


def _missing(one: _Sought) -> str | None:
    return one.text if one.asked else None


def _kept(made: Embeddings, row: int, keys: Keys) -> Kept:
    long = FITS
    if made.truncated[row]:
        long = TRUNCATED
    elif row in made.split or (keys.on_long == "split" and made.tokens[row] > keys.max_tokens):
        long = SPLIT
    return Kept(made.vectors[row].tobytes(), made.tokens[row], long)


def _refused(items: Sequence[_Sought], reasons: Mapping[bytes, str]) -> dict[int, str]:
    return {at: reasons[one.key] for at, one in enumerate(items) if one.key in reasons}
