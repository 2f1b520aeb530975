"""What lives as long as the server, and what handlers do with it: models, sets, and threads for what blocks."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ParamSpec, Protocol, TypeVar

from embassay.embedders.wrap.batched import DEADLINE
from embassay.embedders.wrap.lane import CHARS_A_TOKEN
from embassay.errors import DeadlinePassed, EmbassayError
from embassay.search.asked import check_query
from embassay.server.home_metrics import HomeMetrics
from embassay.server.metrics import Metrics
from embassay.server.pool import WorkerPool
from embassay.server.refusals import RequestInvalid
from embassay.server.scoring import Scoring
from embassay.server.served import ServedModels

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.embedders.wrap.chain import Fallback
    from embassay.home import Home
    from embassay.reranking.base import Reranked
    from embassay.server.keys.guard import Guard, Taken
    from embassay.server.keys.principal import Principal
    from embassay.server.limits import Limits
    from embassay.server.route import Dialect, Route
    from embassay.session import Session
    from embassay.types import Embeddings, OnLong, Role

    Served = Sequence[tuple[str, Dialect, Route]]

FALLBACKS, RERANKERS, AGENTS, COMPARISONS, NEW_SETS = "fallbacks", "rerankers", "agents", "comparisons", "new sets"
METRICS = "metrics"
"""What `Service.in_worker_for` may wait for beside the models of sets."""
P = ParamSpec("P")
T = TypeVar("T")


class Asking(Protocol):
    """What is asked of the request that something is done for."""

    principal: Principal
    model: str
    """Is set to the model that answers."""
    texts: int
    tokens: int
    """Are set to how much was asked of it."""


@dataclass(frozen=True, slots=True)
class Shares:
    """This process is one of several behind the same addresses."""

    own_port: int | None
    """At which it answers alone."""


class Service:
    """One server. Its handlers run in one asyncio loop; what blocks runs in its threads."""

    def __init__(self, home: Home, session: Session, limits: Limits, guard: Guard) -> None:
        self.home, self.session, self.limits, self.guard = home, session, limits, guard
        self.models = ServedModels(home, session)
        self._scoring = Scoring(session, self.in_worker_for)
        self.started = time.time()
        self.in_flight = 0
        """Requests that are under way."""
        self.metrics = Metrics(session.events, self.models, lambda: self.in_flight, lambda: session.budget.own)
        self.of_home = HomeMetrics(home, session.budget)
        self.metrics.registry.register(self.of_home)
        self.shares: Shares | None = None
        """Set where other processes answer at the same addresses."""
        self.served: Served = ()
        """Every route, once the application is made."""
        self._made: dict[str, bytes] = {}
        self._pools: dict[str, WorkerPool] = {}

    async def in_worker(self, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The result of work that blocks, in one of so many threads, with the deadline of the request.

        Raises DeadlinePassed where none of them came free in time, and Overloaded where too many wait for one already:
        what has begun by then goes on to its end.
        """
        return await self.in_worker_for("", work, *arguments, **named)

    async def in_worker_for(self, waits_for: str, work: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """The same for work that may have to wait for somebody else's service, which has threads of its own: one that
        hangs holds up those who need it, and nobody else. An empty name: it waits for none."""
        context = contextvars.copy_context()
        deadline = DEADLINE.get()

        def run() -> T:
            if deadline is not None and time.monotonic() > deadline:
                raise DeadlinePassed("the deadline of the request passed before it was its turn.")
            return context.run(work, *arguments, **named)

        return await self._pool(waits_for).run(run)

    async def embedder(self, call: Asking, name: str) -> Embedder:
        """The model that a client calls `name`, ready to be asked. Raises ModelNotFound, NotAllowed, ModelError."""
        served = self.models.find(name, call.principal)
        call.model = served
        return await self.opened(served)

    async def opened(self, served: str) -> Embedder:
        """A model by the name that it is served by. Raises ModelError, ConfigError."""
        ready = self.models.ready(served)
        return await self.in_worker(self.models.open, served) if ready is None else ready

    async def embed(
        self, call: Asking, name: str, texts: Sequence[str], role: Role, on_long: OnLong = "truncate"
    ) -> Embeddings:
        """Vectors of `texts` by the model `name`, joined with those of other clients.

        Raises RequestInvalid for too many texts, ModelNotFound, Overloaded, DeadlinePassed, ModelError, ProviderError.
        """
        self.check_count(texts)
        return await self.embed_by(call, await self.embedder(call, name), texts, role, on_long)

    async def embed_by(
        self,
        call: Asking,
        embedder: Embedder,
        texts: Sequence[str],
        role: Role,
        on_long: OnLong = "truncate",
    ) -> Embeddings:
        """The same by a model that was opened before."""
        call.texts += len(texts)
        with self.charged(call, texts, embedder.tokens.max_tokens) as taken:
            made = await embedder.aembed(texts, role, on_long)
            tokens = sum(made.tokens)
            taken.settle(tokens)
        call.tokens += tokens
        return made

    async def embed_through(
        self,
        call: Asking,
        chain: Fallback,
        texts: Sequence[str],
        role: Role,
        on_long: OnLong = "truncate",
    ) -> Embeddings:
        """Vectors by the first model of a chain that gives some, of whatever space: the result names it.

        Raises AllFailed with the cause of each, and as `embed` does.
        """
        call.texts += len(texts)
        with self.charged(call, texts) as taken:
            made = await self.in_worker_for(FALLBACKS, chain.embed, texts, role, on_long, allow_other_space=True)
            tokens = sum(made.tokens)
            taken.settle(tokens)
        call.tokens += tokens
        return made

    def check_count(self, texts: Sequence[str]) -> None:
        """Raises RequestInvalid for more texts than a request may have."""
        if len(texts) > self.limits.inputs:
            raise RequestInvalid(f"{len(texts):,} texts are too many: the most is {self.limits.inputs:,} a request.")

    @contextmanager
    def charged(
        self, call: Asking, texts: Sequence[str], longest: int | None = None, shared: int = 0
    ) -> Iterator[Taken]:
        """Have texts count against the tokens that the key may use: as they are estimated, until they are settled.

        `longest`: tokens of which a text has no more. `shared`: characters that are read with each of them. What fails
        is given back. Raises LimitReached, RequestTooLarge.
        """
        tokens = 0
        if call.principal.slot:
            sizes = [2 + (shared + len(text)) // CHARS_A_TOKEN for text in texts]
            tokens = sum(sizes if longest is None else (min(longest, size) for size in sizes))
        taken = self.guard.charge(call.principal, requests=0, tokens=tokens)
        try:
            yield taken
        except EmbassayError:
            taken.settle(0)
            raise

    async def rerank(self, call: Asking, name: str, query: str, texts: Sequence[str]) -> Reranked:
        """Scores of `texts` for `query` by the reranker `name`. Raises as `Session.rerank` does, and RequestInvalid."""
        self.check_count(texts)
        served = self.models.find_reranker(name, call.principal)
        call.model, call.texts = served, len(texts)
        check_query(query)
        with self.charged(call, texts, shared=len(query)):
            return await self._scoring.score(served, query, texts)

    def _pool(self, waits_for: str) -> WorkerPool:
        """Belongs to the loop. The names are those of models, and a few more: there are not many."""
        pool = self._pools.get(waits_for)
        if pool is None:
            pool = self._pools[waits_for] = WorkerPool(self.limits.threads, f"worker {waits_for}".strip())
        return pool

    async def metrics_page(self, accept: str) -> tuple[bytes, str]:
        """What Prometheus is shown, and its media type, in the format that a client with this Accept header reads."""
        await self.of_home.refresh(partial(self.in_worker_for, METRICS))
        return self.metrics.page(accept)

    def once(self, name: str, make: Callable[[], bytes]) -> bytes:
        """What `make` makes, which is made for the first caller and kept."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def close(self) -> None:
        """End the threads, once what they are at is done."""
        for pool in self._pools.values():
            pool.close()
