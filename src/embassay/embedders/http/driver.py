"""Drives any provider over HTTP: texts to batches by tokens and count, and their answers back to texts.

A refused batch is halved until the one bad text is alone. Threads may share an embedder.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from embassay.config.secrets import is_secret
from embassay.embedders.base import Embedder, check_role
from embassay.embedders.estimate import EstimatedTokens
from embassay.embedders.http.api import Api, Caps
from embassay.embedders.http.exchange import Checked, Exchange, Meter
from embassay.embedders.http.faults import Fault
from embassay.embedders.http.pool import Pool
from embassay.embedders.longtext import Piece, halves, joined, pieces, shorter
from embassay.errors import ConfigError, TextTooLong
from embassay.space import NO_TRANSFORM, Space
from embassay.text import encodable
from embassay.types import Embeddings, OnLong, Role, Usage

if TYPE_CHECKING:
    from embassay.types import Vectors

WINDOW_TEXTS = 2048
"""Texts that are planned together; two windows are in flight, so that no connection waits at the seam."""
CUTS = 12
"""How often one text is made shorter before it counts as refused."""
GUESSES = 2
"""Cuts of a text that may be too long, where the provider does not say so."""
CANARY = "a plain sentence"

Arrived = Callable[[Sequence[str], Role, "Sequence[Vectors]", Sequence[int], Sequence[bool]], None]
"""Texts, their role, and of each its vector, its tokens and whether it was cut."""


@dataclass(frozen=True, slots=True)
class _Made:
    """The vector of a piece, or why there is none."""

    piece: Piece
    vector: Vectors | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """What all batches of one call share."""

    role: Role
    prompt: str
    on_long: OnLong
    stopped: threading.Event


@dataclass(slots=True)
class _Window:
    """Consecutive texts of a call, and the batches they went into."""

    texts: Sequence[str]
    counts: Sequence[int]
    start: int
    """Position of the first in the call."""
    meter: Meter = field(default_factory=Meter)
    batches: list[Future[list[_Made]]] = field(default_factory=list)
    whole: frozenset[int] = frozenset()
    """Texts that are one piece: their vectors are complete as they arrive."""
    split: set[int] = field(default_factory=set)
    """Texts that the provider's own limit had split."""


class HttpEmbedder(Embedder):
    """An embedder over an `Api`."""

    remote = True
    arrived: Arrived | None = None
    """Told of every vector as it comes, in the thread that received it."""

    def __init__(self, api: Api) -> None:
        self.api, self.settings, self.card = api, api.settings, api.card
        if not api.model:
            raise ConfigError(f"a model of {api.name} needs a model_id.", remedy="model_id: as the provider calls it")
        dimensions = self.settings.dimensions or (self.card.dimensions if self.card else None)
        self.exchange = Exchange(api, self.name, dimensions, normalised=self._is_unit)

    # -- what it is -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return f"{self.api.name}/{self.api.model}"

    @property
    def precision(self) -> str:
        return "f32"

    @cached_property
    def space(self) -> Space:
        known = self.card
        normalised = self._is_unit
        cut = known and known.dimensions and self.settings.dimensions and self.settings.dimensions < known.dimensions
        return Space(
            model=self.name,
            weights=self._weights,
            dimensions=self.dimensions,
            pooling=(known.pooling if known else "") or "unknown",
            normalised=normalised,
            query_prompt=self._prompt_in_space("query"),
            document_prompt=self._prompt_in_space("document"),
            transform="matryoshka" if cut else NO_TRANSFORM,
        )

    @cached_property
    def tokens(self) -> EstimatedTokens:
        known = self.card.max_tokens if self.card else None
        limits = [n for n in (self.settings.max_tokens, known, self.exchange.description.max_tokens) if n]
        return EstimatedTokens(min(limits) if limits else self.api.max_tokens)

    @property
    def dimensions(self) -> int:
        """As set or known; otherwise the provider is asked for the vector of one word."""
        if self.exchange.dimensions is None:
            self.embed([CANARY], "document")
        assert self.exchange.dimensions is not None
        return self.exchange.dimensions

    @property
    def price(self) -> float | None:
        """USD per million tokens; 0 for a server of the user's own, None if unknown."""
        if self.settings.usd_per_million_tokens is not None:
            return self.settings.usd_per_million_tokens
        if self.card and self.card.usd_per_million_tokens is not None:
            return self.card.usd_per_million_tokens
        return None if self.api.is_paid() else 0.0

    def prompt(self, role: Role) -> str:
        known = self.card.prompts if self.card and not self.api.role_by_parameter else {}
        return self.settings.prompt(role, known.get(role, ""))

    def check_key(self) -> None:
        """Raises KeyMissing or ConfigError where there is none; nothing is sent."""
        self.exchange.check_key()

    def close(self) -> None:
        self.exchange.close()

    @cached_property
    def _weights(self) -> str:
        """Identifies the weights as well as can be: pinned, as the server says, or by the service's own address."""
        stated = self.settings.revision or self.exchange.description.revision
        if stated:
            return stated + self._variant()
        parts = urlsplit(self.api.base_url())
        place = "" if self.api.is_default_service() else f":{parts.netloc.rpartition('@')[2]}{parts.path}"
        return f"hosted{place}{self._variant()}"

    def _variant(self) -> str:
        """A digest of what else chooses the model or changes its vectors; empty where nothing does."""
        settings = self.settings
        query = urlsplit(self.api.base_url()).query
        headers = {name: text for name, text in settings.headers.items() if not is_secret(name)}
        parts = [self.api.variant(), query, settings.extra_body or "", headers or ""]
        if not any(parts):
            return ""
        return "+" + hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:8]

    @property
    def _is_unit(self) -> bool:
        """Whether the space promises vectors of length 1; not every server keeps that."""
        return self.api.normalises or bool(self.card and self.card.normalised)

    def _prompt_in_space(self, role: Role) -> str:
        if self.api.role_by_parameter and self.card and self.card.role_parameter and not self.prompt(role):
            return self.card.role_parameter.get(role, "")
        return f"{role} by parameter" if self.api.role_by_parameter and not self.prompt(role) else self.prompt(role)

    # -- batches --------------------------------------------------------------------------------------------

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        check_role(role)
        job = _Job(role, self.prompt(role), on_long, threading.Event())
        waiting: deque[_Window] = deque()
        source, start = iter(texts), 0
        pool: Pool[list[_Made]] = Pool(self.settings.concurrency)
        try:
            while window := list(islice(source, WINDOW_TEXTS)):
                waiting.append(self._submit(pool, window, job, start))
                start += len(window)
                if len(waiting) > 1:
                    yield self._finish(waiting.popleft(), role)
            while waiting:
                yield self._finish(waiting.popleft(), role)
        finally:
            job.stopped.set()
            pool.close()

    def _submit(self, pool: Pool[list[_Made]], texts: Sequence[str], job: _Job, start: int) -> _Window:
        given, texts = texts, [encodable(text) for text in texts]
        counts = self.tokens.count([job.prompt + text for text in texts] if job.prompt else texts)
        counts = [0 if not text or text.isspace() else n for text, n in zip(texts, counts, strict=True)]
        window = _Window(given, counts, start)
        parts = [p for p in pieces(texts, counts, self.tokens, job.prompt, job.on_long, start) if counts[p.owner]]
        repeats = Counter(part.owner for part in parts)
        window.whole = frozenset(owner for owner, count in repeats.items() if count == 1)
        batches = list(self._batches(parts))
        if len(batches) == 1 and len(texts) < WINDOW_TEXTS and not pool.started:  # all there is: no thread is needed
            only: Future[list[_Made]] = Future()
            only.set_result(self._make(batches[0], job, window))
            window.batches.append(only)
        else:
            window.batches += [pool.submit(self._make, batch, job, window) for batch in batches]
        return window

    def _batches(self, whole: Sequence[Piece]) -> Iterator[list[Piece]]:
        batch: list[Piece] = []
        held = 0
        for piece in whole:
            if batch and (
                len(batch) >= self.caps.inputs or held + piece.tokens > (self.caps.tokens or held + piece.tokens)
            ):
                yield batch
                batch, held = [], 0
            batch.append(piece)
            held += piece.tokens
        if batch:
            yield batch

    @cached_property
    def caps(self) -> Caps:
        """Most that one request may hold: as set, else what card, server or provider say."""
        card, caps, settings = self.card, self.api.caps, self.settings
        stated = self.exchange.description.max_inputs
        inputs = [n for n in (card and card.max_batch_inputs, stated, caps.inputs if stated is None else None) if n]
        tokens = [n for n in (settings.batch_tokens, (card and card.max_batch_tokens) or caps.tokens) if n]
        return Caps(settings.batch_size or min(inputs), min(tokens, default=None))

    def _finish(self, window: _Window, role: Role) -> Embeddings:
        import numpy as np

        made = [one for batch in window.batches for one in batch.result()]
        refused = {one.piece.owner: one.reason for one in made if one.vector is None}
        kept = [one for one in made if one.vector is not None and one.piece.owner not in refused]
        count = len(window.counts)
        truncated = [False] * count
        for one in kept:
            truncated[one.piece.owner] |= one.piece.truncated
        vectors = np.zeros((count, self.dimensions), np.float32)
        if kept:
            stacked = np.stack([one.vector for one in kept if one.vector is not None])
            owners, weights = [one.piece.owner for one in kept], [one.piece.tokens for one in kept]
            vectors = joined(stacked, owners, weights, count, normalised=self.space.normalised)
        tokens = window.meter.tokens
        usd = 0.0 if self.price == 0 else tokens * self.price / 1e6 if tokens is not None and self.price else None
        usage = Usage(window.meter.requests, tokens, usd if window.meter.requests else 0.0)
        return Embeddings(
            vectors, window.counts, truncated, self.space, role, "f32", self.name, usage, window.split, refused
        )

    def _make(self, batch: Sequence[Piece], job: _Job, window: _Window, until: float | None = None) -> list[_Made]:
        """Vectors of a batch; halves of it where the provider will not take it whole. All of it by `until`."""
        until = until or time.monotonic() + self.settings.deadline
        result = self._ask(batch, job, window.meter, until)
        if isinstance(result, Checked):
            cut = result.truncated or [False] * len(batch)
            made = [
                _Made(p if not c else Piece(p.owner, p.text, p.tokens, truncated=True), v)
                for p, v, c in zip(batch, result.vectors, cut, strict=True)
            ]
            self._hand_over(made, job, window)
            return made
        if len(batch) > 1:
            middle = len(batch) // 2
            return self._make(batch[:middle], job, window, until) + self._make(batch[middle:], job, window, until)
        perhaps = job.on_long != "error" and batch[0].tokens > self.tokens.safe_tokens  # whatever it says
        if result.too_long or perhaps:
            return self._shorten(batch[0], result, job, window, until)
        self._blame(result, job, window.meter, until)
        return [_Made(batch[0], None, result.error.message)]

    def _hand_over(self, made: Sequence[_Made], job: _Job, window: _Window) -> None:
        """Tell whoever keeps vectors at once: what is paid for survives whatever happens to the rest of the call."""
        if self.arrived is None:
            return
        whole = [one for one in made if one.piece.owner in window.whole]
        self.arrived(
            [window.texts[one.piece.owner] for one in whole],
            job.role,
            [one.vector for one in whole if one.vector is not None],
            [window.counts[one.piece.owner] for one in whole],
            [one.piece.truncated for one in whole],
        )

    def _shorten(self, piece: Piece, fault: Fault, job: _Job, window: _Window, until: float) -> list[_Made]:
        if job.on_long == "error":
            raise TextTooLong(window.start + piece.owner, piece.tokens, self.tokens.max_tokens) from fault.error
        if len(piece.text) - len(job.prompt) < 2:
            return [_Made(piece, None, fault.error.message)]
        if job.on_long == "split":
            window.whole -= {piece.owner}
            window.split.add(piece.owner)
            return [one for half in halves(piece, job.prompt) for one in self._make([half], job, window, until)]
        for attempt in range(CUTS):
            piece = shorter(piece, job.prompt)
            result = self._ask([piece], job, window.meter, until)
            if isinstance(result, Checked):
                made = [_Made(piece, result.vectors[0])]
                self._hand_over(made, job, window)
                return made
            if not result.too_long and attempt >= GUESSES:
                break
        self._blame(fault, job, window.meter, until)
        return [_Made(piece, None, fault.error.message)]

    def _blame(self, fault: Fault, job: _Job, meter: Meter, until: float) -> None:
        """Raise unless it is the text that is refused: until something passed, it may be the whole set-up."""
        if self.exchange.answered:
            return
        plain = Piece(0, job.prompt + CANARY, 8)
        if isinstance(self._ask([plain], job, meter, until), Fault):
            raise fault.error

    def _ask(self, batch: Sequence[Piece], job: _Job, meter: Meter, until: float) -> Checked | Fault:
        texts, tokens = [piece.text for piece in batch], sum(piece.tokens for piece in batch)
        return self.exchange.ask(texts, job.role, tokens, until, meter, job.stopped)
