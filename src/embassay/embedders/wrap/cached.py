"""An embedder whose vectors are looked up before they are made, window by window, found and missing in any mixture."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from typing import TYPE_CHECKING

from embassay.embedders.base import Embedder, check_role
from embassay.embedders.wrap.wrapper import Wrapper, innermost
from embassay.errors import TextRefused, TextTooLong
from embassay.models.cache import FITS, SPLIT, TRUNCATED, Entry, VectorCache
from embassay.types import NO_USAGE, Embeddings, OnLong, Role, Usage

if TYPE_CHECKING:
    from embassay.space import Space
    from embassay.types import Vectors

WINDOW_TEXTS = 1024
AHEAD_TEXTS = 16_384
"""Texts whose vectors may wait for those of texts before them."""


@dataclass(slots=True)
class _Run:
    """What windows of one run share: a text that comes again is not asked for again."""

    asked: set[bytes] = field(default_factory=set)
    made: dict[bytes, Entry] = field(default_factory=dict)
    refused: dict[bytes, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Window:
    """Consecutive texts, of which some were found and the others are on their way."""

    run: _Run
    keys: Sequence[bytes]
    blank: Sequence[bool]
    found: Mapping[bytes, Entry]
    missing: Sequence[int]
    """Positions whose vectors are to come."""
    got: int = 0
    usage: Usage = NO_USAGE

    @property
    def complete(self) -> bool:
        return self.got == len(self.missing)

    def entry(self, at: int) -> Entry | None:
        return self.found.get(self.keys[at]) or self.run.made.get(self.keys[at])


class Cached(Wrapper):
    """An embedder whose vectors are looked up before they are made."""

    def __init__(self, inner: Embedder, cache: VectorCache, ttl: float | None = None) -> None:
        super().__init__(inner)
        self._cache, self._ttl = cache, ttl
        self._kept: set[bytes] = set()
        """Stored as they arrived, and not handed on yet."""
        if hasattr(source := innermost(inner), "arrived"):
            source.arrived = self._keep

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        source = iter(texts)
        start = 0
        while window_texts := list(islice(source, WINDOW_TEXTS)):
            window = self._look_up(window_texts, role, on_long, _Run())
            if window.complete:
                yield self._finish(window, role)
                start += len(window_texts)
                continue
            for made, count in self._run(window, window_texts, source, start, role, on_long):
                yield made
                start += count

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """A few texts take the inner embedder's own short way."""
        check_role(role)
        if len(texts) > WINDOW_TEXTS:
            return super().embed(texts, role, on_long)
        window = self._look_up(texts, role, on_long, _Run())
        if not window.complete:
            try:
                made = self.inner.embed([texts[at] for at in window.missing], role, on_long)
            except TextTooLong as error:
                raise TextTooLong(window.missing[error.position], error.tokens, error.limit) from error
            except TextRefused as error:
                raise TextRefused(window.missing[error.position], error.reason) from error
            self._take(window, made, on_long)
        return self._finish(window, role)

    @property
    def memory(self) -> VectorCache:
        return self._cache

    def cached(self, texts: Sequence[str], role: Role, space: Space | None = None) -> Embeddings | None:
        """Short texts only: those that are cut or split are not looked for."""
        space = space or self.space
        keys = self._keys(texts, role, space)
        found = self._cache.get(list(dict.fromkeys(keys)), self._ttl)
        if len(found) < len(set(keys)):
            return None
        return self._finish(_Window(_Run(), keys, [False] * len(keys), found, ()), role, space)

    def _look_up(self, texts: Sequence[str], role: Role, on_long: OnLong, run: _Run) -> _Window:
        keys = self._keys(texts, role, self.space)
        blank = [not text or text.isspace() for text in texts]
        found = self._found(keys, blank, on_long)
        missing = []
        for at, key in enumerate(keys):
            if key not in found and key not in run.asked and not blank[at]:
                missing.append(at)
                run.asked.add(key)
        return _Window(run, keys, blank, found, missing)

    def _found(self, keys: Sequence[bytes], blank: Sequence[bool], on_long: OnLong) -> dict[bytes, Entry]:
        """What is there of whole texts that the present limit admits; else of texts cut or split as asked now."""
        wanted = list(dict.fromkeys(key for key, empty in zip(keys, blank, strict=True) if not empty))
        limit = self.tokens.max_tokens
        found = {key: entry for key, entry in self._cache.get(wanted, self._ttl).items() if entry.tokens <= limit}
        absent = {self._long_key(key, on_long): key for key in wanted if key not in found}
        if absent and on_long != "error":
            found |= {absent[key]: entry for key, entry in self._cache.get(list(absent), self._ttl).items()}
        self._cache.tell(len(found), len(wanted) - len(found))
        return found

    def _long_key(self, key: bytes, on_long: OnLong) -> bytes:
        """Of a text that does not fit: its vector depends on what is done about it, and on the limit."""
        return blake2b(f"{on_long} {self.tokens.max_tokens}".encode(), key=key, digest_size=16).digest()

    def _keys(self, texts: Sequence[str], role: Role, space: Space) -> list[bytes]:
        base = blake2b(f"{space.digest}\0{self.precision}\0{role}\0".encode(), digest_size=16)
        keys = []
        for text in texts:
            digest = base.copy()
            digest.update(text.encode("utf-8", "surrogatepass"))
            keys.append(digest.digest())
        return keys

    def _keep(
        self, texts: Sequence[str], role: Role, vectors: Sequence[Vectors], tokens: Sequence[int], cut: Sequence[bool]
    ) -> None:
        """Store what a provider has just answered, whatever becomes of the call that asked."""
        keys = self._keys(texts, role, self.space)
        rows = [
            (self._long_key(key, "truncate"), Entry(vector.tobytes(), count, TRUNCATED))
            if short
            else (key, Entry(vector.tobytes(), count, FITS))
            for key, vector, count, short in zip(keys, vectors, tokens, cut, strict=True)
        ]
        self._cache.put(rows)
        self._kept.update(key for key, _ in rows)

    def _run(
        self, first: _Window, first_texts: Sequence[str], source: Iterator[str], start: int, role: Role, on_long: OnLong
    ) -> Iterator[tuple[Embeddings, int]]:
        """One run of the inner embedder over the misses of many windows, which are completed in order."""
        windows: deque[_Window] = deque([first])
        positions: list[int] = [start + at for at in first.missing]

        def misses() -> Iterator[str]:
            yield from (first_texts[at] for at in first.missing)
            ahead = at_start = len(first_texts)
            while ahead < AHEAD_TEXTS and (texts := list(islice(source, WINDOW_TEXTS))):
                window = self._look_up(texts, role, on_long, first.run)
                windows.append(window)
                positions.extend(start + at_start + at for at in window.missing)
                ahead += len(texts)
                at_start += len(texts)
                yield from (texts[at] for at in window.missing)

        try:
            with closing(self.inner.stream(misses(), role, on_long)) as blocks:  # type: ignore[type-var]
                for block in blocks:
                    used = 0
                    while used < len(block):
                        window = next(windows[i] for i in range(len(windows)) if not windows[i].complete)
                        used += self._take(window, _slice(block, used, len(window.missing) - window.got), on_long)
                    while windows and windows[0].complete:
                        window = windows.popleft()
                        yield self._finish(window, role), len(window.keys)
        except TextTooLong as error:
            raise TextTooLong(positions[error.position], error.tokens, error.limit) from error
        while windows:
            window = windows.popleft()
            yield self._finish(window, role), len(window.keys)

    def _take(self, window: _Window, made: Embeddings, on_long: OnLong) -> int:
        """Store what was made, and keep it for its window; how many rows that was."""
        limit = self.tokens.max_tokens
        rows = []
        for at in range(len(made)):
            key = window.keys[window.missing[window.got + at]]
            if at in made.refused:
                window.run.refused[key] = made.refused[at]
                continue
            long = FITS
            if made.truncated[at]:
                long = TRUNCATED
            elif at in made.split or (on_long == "split" and made.tokens[at] > limit):
                long = SPLIT
            entry = window.run.made[key] = Entry(made.vectors[at].tobytes(), made.tokens[at], long)
            stored = key if long == FITS else self._long_key(key, on_long)
            if stored in self._kept:
                self._kept.discard(stored)
            else:
                rows.append((stored, entry))
        if rows:
            self._cache.put(rows)
        window.usage += made.usage
        window.got += len(made)
        return len(made)

    def _finish(self, window: _Window, role: Role, space: Space | None = None) -> Embeddings:
        import numpy as np

        space = space or self.space
        dimensions = space.dimensions
        nothing = Entry(bytes(dimensions * 4), 0, FITS)
        entries = [
            nothing if blank else window.entry(at) or nothing  # a refused text has none
            for at, blank in enumerate(window.blank)
        ]
        vectors = np.frombuffer(bytearray().join([e.vector for e in entries]), np.float32)
        refused = window.run.refused
        asked = sum(not blank for blank in window.blank)
        return Embeddings(
            vectors=vectors.reshape(len(entries), dimensions),
            tokens=[e.tokens for e in entries],
            truncated=[e.long == TRUNCATED for e in entries],
            space=space,
            role=role,
            precision=self.precision,
            model=self.name,
            usage=replace(window.usage, cached=asked - window.got),
            refused={at: refused[key] for at, key in enumerate(window.keys) if key in refused} if refused else {},
        )


def _slice(block: Embeddings, start: int, count: int) -> Embeddings:
    """Rows `start` to `start + count`; the usage goes with the first."""
    if start == 0 and count >= len(block):
        return block
    end = min(len(block), start + count)
    return replace(
        block,
        vectors=block.vectors[start:end],
        tokens=block.tokens[start:end],
        truncated=block.truncated[start:end],
        usage=block.usage if start == 0 else Usage(),
        refused={at - start: reason for at, reason in block.refused.items() if start <= at < end},
    )
