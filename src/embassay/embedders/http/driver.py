"""Drives any provider over HTTP: texts to batches by tokens and count, and their answers back to texts."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TOKENS
from embassay.embedders.base import Embedder
from embassay.embedders.http.api import Caps
from embassay.embedders.http.delivery import Delivery
from embassay.embedders.http.exchange import Exchange
from embassay.embedders.http.identity import Identity
from embassay.embedders.http.pool import Pool
from embassay.embedders.http.purse import Purse
from embassay.embedders.http.vigil import Vigil
from embassay.embedders.http.watch import Watch
from embassay.embedders.http.window import Made, Shared, Window, batches, windows_of
from embassay.embedders.keeper import Keeper, Keys
from embassay.embedders.texts.bill import BillCheck
from embassay.embedders.texts.blocks import is_blank
from embassay.embedders.texts.estimate import EstimatedTokens
from embassay.embedders.texts.longtext import parts_of
from embassay.text import encodable
from embassay.types import Embeddings, OnLong, RequestLimits, Role, Usage, check_role

if TYPE_CHECKING:
    from embassay.canaries import Canaries, CanaryMemory
    from embassay.embedders.http.api import Api
    from embassay.embedders.wrap.budget import Budget
    from embassay.space import Space
    from embassay.types import Vectors

PLANNED_TEXTS, PLANNED_SECONDS = 2048, 1.0
"""About so many texts are planned together, or what came in so many seconds; two plans are in flight, so that no
connection waits at the seam."""

ARRIVAL_SECONDS = 1.0
"""How long replies are waited for that nobody wants any more but whoever keeps vectors."""


class HttpEmbedder(Embedder):
    """An embedder over an `Api`. Threads may share it."""

    remote = True

    def __init__(
        self,
        api: Api,
        keeper: Keeper | None = None,
        memory: CanaryMemory | None = None,
        anchor: Canaries | None = None,
        budget: Budget | None = None,
    ) -> None:
        """`keeper` keeps every vector as it arrives. `budget` pays for every request.

        The service is held against where it put the canaries before: when a set was made (`anchor`), else as `memory`
        has it; without both it is believed. Raises ConfigError for settings that name no model.
        """
        self.api, self.settings, self.card = api, api.settings, api.card
        self._keeper, self._identity = keeper, Identity(api)
        identity, watched = self._identity, api.settings.canaries
        bill = BillCheck(identity.name, identity.price, api.settings.usage)
        known = next(iter(anchor.values())).shape[1] if anchor else None
        dimensions = identity.dimensions or known
        purse = Purse(budget, identity.name, identity.price)
        self.exchange = Exchange(api, identity.name, dimensions, bill, purse, normalised=identity.normalised)
        self._vigil = Vigil(
            identity.name,
            anchor if watched else None,
            keeps=watched and memory is not None,
            roles_differ=identity.roles_differ,
            similarity=identity.similarity,
            forget=keeper.forget if keeper else lambda _: None,
        )
        self._watch = Watch(self.exchange, self._vigil, self, memory, self.settings.deadline)

    @property
    def name(self) -> str:
        return self._identity.name

    @property
    def precision(self) -> str:
        """``f32``: what providers send is taken as that."""
        return "f32"

    @property
    def price(self) -> float | None:
        """As set, or as the card says; 0 for a server of the user's own that needs no key."""
        return self._identity.price

    @cached_property
    def space(self) -> Space:
        """The space. Where neither settings nor a card say its dimensions, the provider is asked, see `dimensions`."""
        return self._identity.space(self.dimensions, self.exchange.description)

    @property
    def former_space(self) -> Space:
        return self._identity.former_space(self.dimensions, self.exchange.description)

    @property
    def is_trusted(self) -> bool:
        """Where the settings say so. An address says nothing of the model behind it."""
        return not self.settings.canaries

    @property
    def is_anchored(self) -> bool:
        return self._vigil.is_anchored

    @property
    def carries_canaries(self) -> bool:  # type: ignore[override]
        """Whether its vectors outlive the process, so that the service has to prove itself."""
        return self._vigil.is_on

    @property
    def pays(self) -> bool:  # type: ignore[override]
        """Whether each request is paid for from a budget when it is sent."""
        return self.exchange.purse.pays

    @property
    def unmeasured(self) -> bool:  # type: ignore[override]
        """Whether only a first vector will tell the dimensions."""
        return self.exchange.dimensions is None

    @cached_property
    def tokens(self) -> EstimatedTokens:
        """Counts by an estimate, because the tokenizer of a hosted model is not at hand."""
        return EstimatedTokens(self._identity.max_tokens(self.exchange.description))

    @property
    def dimensions(self) -> int:
        """As set or known; otherwise the provider is asked for the vectors of the canaries."""
        if self.exchange.dimensions is None:
            self._watch.prove("document")
        assert self.exchange.dimensions is not None
        return self.exchange.dimensions

    @property
    def limits(self) -> RequestLimits:
        caps, settings = self.caps, self.settings
        return RequestLimits(caps.inputs, caps.tokens, settings.concurrency, settings.tokens_per_minute)

    def prompt(self, role: Role) -> str:
        return self._identity.prompt(role)

    @cached_property
    def caps(self) -> Caps:
        """Most that one request may hold."""
        return self._identity.caps(self.exchange.description)

    @cached_property
    def _planned_caps(self) -> Caps:
        """The same, with room left for a canary."""
        caps = self.caps
        if not self._vigil.is_on or caps.inputs < 2:
            return caps
        return Caps(caps.inputs - 1, caps.tokens and max(1, caps.tokens - 2 * CANARY_TOKENS))

    @property
    def _window_texts(self) -> int:
        """Texts of a plan: as many as fill its requests."""
        inputs = self._planned_caps.inputs
        return max(1, PLANNED_TEXTS // inputs) * min(inputs, PLANNED_TEXTS)

    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """Two plans are in flight at a time; texts are handed out as soon as they and those before them are there.

        Closing the iterator, and an error, stop what was not sent yet, and give what is under way a second to arrive.
        """
        check_role(role)
        self._watch.make_sure(role)
        call = Shared(role, self._identity.prompt(role), on_long)
        delivery = Delivery(self._watch, call, self.tokens, self.settings.deadline, self._arrived)
        waiting: deque[Window] = deque()
        pool: Pool[list[Made]] = Pool(self.settings.concurrency)
        try:
            for start, plan, is_last in self._plans(texts):
                before = len(waiting)
                waiting += self._planned(plan, call, start)
                is_all = is_last and start == 0 and len(waiting) == len(waiting[0].planned) == 1
                for window in list(waiting)[before:]:
                    self._send(pool, delivery, window, at_once=is_all)
                for _ in range(before):
                    yield self._finish(waiting.popleft(), role)
                while waiting and waiting[0].ready:
                    yield self._finish(waiting.popleft(), role)
            while waiting:
                yield self._finish(waiting.popleft(), role)
        finally:
            call.stopped.set()
            pool.close()
            pool.settle(ARRIVAL_SECONDS)  # what is under way is paid for: counted, and kept as it arrives

    def canaries(self, role: Role) -> Vectors:
        """Where the service puts the canaries. It is asked once; what was known before is given as it was."""
        return self._watch.canaries(role)

    def witness(self, role: Role) -> str:
        return self._watch.witness(role)

    def check_ready(self) -> None:
        """Raises KeyMissing or ConfigError where there is no key; nothing is sent."""
        self.exchange.check_key()

    def close(self) -> None:
        self.exchange.close()

    def _plans(self, texts: Iterable[str]) -> Iterator[tuple[int, list[str], bool]]:
        """(position of the first, texts, whether they are the last) of each plan; slow ones are not waited for."""
        most, start = self._window_texts, 0
        plan: list[str] = []
        since = time.monotonic()
        for text in texts:
            plan.append(text)
            if len(plan) >= most or time.monotonic() - since > PLANNED_SECONDS:
                yield start, plan, False
                start, plan, since = start + len(plan), [], time.monotonic()
        if plan:
            yield start, plan, True

    def _planned(self, given: Sequence[str], call: Shared, start: int) -> Iterator[Window]:
        texts = [encodable(text) for text in given]
        counts = self.tokens.count([call.prompt + text for text in texts] if call.prompt else texts)
        counts = [0 if is_blank(text) else n for text, n in zip(texts, counts, strict=True)]
        parts = [p for p in parts_of(texts, counts, self.tokens, call.prompt, call.on_long, start) if counts[p.owner]]
        return windows_of(given, counts, start, list(batches(parts, self._planned_caps)))

    def _send(self, pool: Pool[list[Made]], delivery: Delivery, window: Window, *, at_once: bool) -> None:
        """Have the batches of a window sent, or send its only one in this thread."""
        if at_once:
            only: Future[list[Made]] = Future()
            only.set_result(delivery.make(window.planned[0], window))
            window.batches.append(only)
        else:
            window.batches += [pool.submit(delivery.make, batch, window) for batch in window.planned]

    def _arrived(self, call: Shared, window: Window, made: Sequence[Made]) -> None:
        """Keep the vectors of whole texts, if anybody does."""
        if self._keeper is None:
            return
        witness = self._vigil.witness(call.role)
        keys = Keys(self.space, self.precision, call.role, "truncate", self.tokens.max_tokens, witness)
        vectors = [(one.part, one.vector) for one in made if one.vector is not None]
        kept = self._keeper.arrive(
            keys,
            [window.texts[part.owner] for part, _ in vectors],
            [vector for _, vector in vectors],
            [window.counts[part.owner] for part, _ in vectors],
            [part.truncated for part, _ in vectors],
        )
        self._vigil.kept(kept)

    def _finish(self, window: Window, role: Role) -> Embeddings:
        made = window.wait()  # before the dimensions are asked for: the first vectors tell them
        if role == "document":  # documents stay: none is handed out before the service was proven behind it
            self._watch.settle(role)
        vectors, truncated, refused = window.collect(made, self.dimensions, normalised=self.space.normalised)
        meter = window.meter
        meter.take(self._watch.spent)
        usage = Usage(meter.requests, meter.tokens, self._identity.usd(meter.counts))
        return Embeddings(
            vectors, window.counts, truncated, self.space, role, "f32", self.name, usage, window.split, refused
        )
