"""What a query is asked of: a set that is bound to its embedder and its store, or several of one space."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Protocol

from embassay.embedders.wrap.wrapper import uncached
from embassay.errors import IndexDamaged, UsageError
from embassay.events import SILENCE, Events, Searched
from embassay.search.answered import Calibration, CalibrationMemory, Gauge, best_dense, names_what_was_asked
from embassay.search.asked import check_query
from embassay.search.context import Context
from embassay.search.late import LateModel, TimedTokens, nothing_reads_tokens
from embassay.search.neighbours import check_context, shown_whole
from embassay.search.other import OtherSet, no_other_set
from embassay.search.phrases import nobody_to_ask
from embassay.search.pipeline import Pipeline
from embassay.search.result import SearchResult
from embassay.search.run import Ranked, run
from embassay.search.second import SecondSpace, TimedModel
from embassay.search.trace import Trace
from embassay.space import Space
from embassay.stores.base import Readable, Snapshot
from embassay.stores.filters.values import Filter
from embassay.stores.narrowed import whole_of
from embassay.text import composed
from embassay.types import Hit
from embassay.vectors import comparable
from embassay.words.languages import DEFAULT

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.reranking.timed import TimedReranker
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.tokens.file import TokenFile
    from embassay.types import Role, Vectors

Opening = Callable[[ExitStack, Trace], SecondSpace | None]
"""Opens the second space of one search, or says in its trace why there is none."""


class Others(Protocol):
    """The other sets that one search may look in; see `embassay.search.other`."""

    def index(self, name: str, held: ExitStack) -> Index:
        """One of them for the time of the search. Raises SetNotFound."""

    def snapshot(self, index: Index, held: ExitStack) -> Snapshot:
        """The version of it that is read."""


class Searcher(ABC):
    """Searches what lies in one space. Threads may share it; writes of other processes are seen by the next search."""

    def __init__(self, sets: Sequence[str], space: Space, events: Events, language: str) -> None:
        """`language` is the code of the one that words are told apart by."""
        self.sets, self.space, self.language = tuple(sets), space, language
        self.reranker: Callable[[str], TimedReranker] | None = None
        """Opens a reranker by its name, where one can be asked."""
        self.chat: Callable[[str], str] = nobody_to_ask
        self.coarse: Callable[[int], CoarseForm] | None = None
        """Tells how it is searched by vectors of so many dimensions, where it can be."""
        self.others: Others | None = None
        """Opens other sets, where there may be some."""
        self._events = events

    @property
    def name(self) -> str:
        """The names of its sets, with commas between."""
        return ", ".join(self.sets)

    @abstractmethod
    def snapshots(self, held: ExitStack) -> Mapping[str, Snapshot]:
        """The version of each set that one search reads, by its name; `held` gives them back behind it."""

    @abstractmethod
    def embed(self, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:
        """The vector (dimensions,) of `text`. Raises ModelError, ProviderError, SpaceMismatch."""

    def late(self) -> LateModel:
        """What makes vectors of tokens, by the model of the set. Raises ModelUnsupported where there is none."""
        return nothing_reads_tokens()

    @abstractmethod
    def check_open(self) -> None:
        """Raises UsageError once it is closed."""

    @abstractmethod
    def calibrations(self, parts: Mapping[str, Snapshot]) -> Mapping[str, Calibration]:
        """How near texts come that have nothing to do with each set, for those sets of which that is known."""

    def second(self, held: ExitStack, trace: Trace) -> SecondSpace | None:  # noqa: ARG002
        """The space that it is being moved to; `held` gives back what one search reads of it."""
        trace.notices.append("No cascade: several sets are searched together.")
        return None

    def _other(self, name: str, held: ExitStack, trace: Trace, *, cached: bool) -> OtherSet:
        """Another set for one search, whose model embeds the query anew where it is not `cached`."""
        others = self.others
        if others is None:
            no_other_set(name)
        index = others.index(name, held)
        embed = lambda text, role: index.embed(text, role, trace, cached=cached)  # noqa: E731
        return OtherSet(name, index.space.similarity, embed, lambda: others.snapshot(index, held))

    def _joined(self, parts: Mapping[str, Snapshot]) -> Snapshot:
        """One snapshot of all of them."""
        return next(iter(parts.values()))

    def _set_of(self, ref: Hashable) -> str:  # noqa: ARG002
        """The set that a row lies in."""
        return self.name

    def search(
        self,
        query: str,
        pipeline: Pipeline,
        where: Filter | None = None,
        *,
        context: int = 0,
        measured: bool = False,
        cached: bool = True,
        asked_by: Callable[[], Embedder] | None = None,
    ) -> SearchResult:
        """Run `pipeline` for `query`, over the chunks that pass `where`.

        Each hit has the text of `context` chunks on either side of it. Where the model cannot be asked, the stages
        that need it are left out and a notice says so; with `measured` the error is raised, because a measurement of
        another pipeline would be no measurement. Where nothing is found because the set is empty, or no chunk passes
        `where`, a notice says so. Without `cached` the model embeds the query anew, as for a query that nobody asked
        before. `asked_by` opens another model that makes the vectors of queries; who gives it sees to it that they lie
        in the space of the set. Raises QueryError, SpaceMismatch, StoreError, and UsageError once the index is closed;
        ModelError and ProviderError where no stage can do without the model.
        """
        check_query(query)
        check_context(context)
        asked = composed(query), pipeline, where, asked_by
        try:
            return self._searched(*asked, context=context, measured=measured, cached=cached)
        except IndexDamaged:  # what the store made anew has the same rows
            return self._searched(*asked, context=context, measured=measured, cached=cached)

    def _searched(
        self,
        query: str,
        pipeline: Pipeline,
        where: Filter | None,
        asked_by: Callable[[], Embedder] | None,
        *,
        context: int,
        measured: bool,
        cached: bool,
    ) -> SearchResult:
        started = time.perf_counter()
        trace = Trace()
        parts: dict[str, Snapshot] = {}
        self.check_open()

        def embed(text: str, role: Role) -> Vectors:
            if asked_by is None or role != "query":
                return self.embed(text, role, trace, cached=cached)
            return _vector(asked_by(), self.space, text, role, trace, cached=cached)

        with ExitStack() as held:

            def snapshot() -> Snapshot:
                parts.update(self.snapshots(held))
                return self._joined(parts)

            running = Context(
                query,
                snapshot,
                embed,
                where,
                trace=trace,
                without_model=not measured,
                similarity=self.space.similarity,
                set_of=self._set_of,
                second=lambda: self.second(held, trace),
                other=lambda name: self._other(name, held, trace, cached=cached),
                late=self.late,
                reranker=self.reranker,
                chat=self.chat,
                language=self.language,
                coarse=self.coarse,
            )
            ranked = run(pipeline, running)
            if not ranked.hits and not measured:
                from embassay.stores.unmet import why_nothing  # most searches find something

                trace.notices += why_nothing(running.snapshot, where, self.name)
            trace.notices += map(str, trace.spelling or ())
            hits = shown_whole(ranked.hits, parts, context, ranked.around)
            took = round((time.perf_counter() - started) * 1000, 2)
            answered = None if measured or asked_by else self._answered(running.reading, ranked, parts, trace)
        result = self._result(query, ranked.pipeline, took, hits, trace, answered)
        if result.id:
            own = asked_by is None and trace.query_space is None and len(self.sets) == 1
            self._tell(result, running.asked_vector if own else None, measured=measured)
        return result

    def _result(
        self,
        query: str,
        ran: Pipeline,
        took_ms: float,
        hits: Sequence[Hit],
        trace: Trace,
        answered: bool | None,
    ) -> SearchResult:
        """What was found; it has an id where somebody listens."""
        name = secrets.token_hex(8) if self._events.wants(Searched) else ""
        steps, notices = tuple(trace.steps), tuple(trace.notices)
        made = (query, self.name, self.space, ran, took_ms, hits, notices, steps, self.language)
        spelling = tuple(trace.spelling or ())
        return SearchResult(
            *made, answered, name, self.sets, trace.cascade, tuple(trace.reranked), spelling, trace.query_space
        )

    def _answered(self, query: str, ranked: Ranked, parts: Mapping[str, Snapshot], trace: Trace) -> bool | None:
        """Whether an answer was found, as far as the sets know how near texts come that are not about them."""
        best = best_dense(ranked.found, self._set_of)
        if not best or not ranked.hits:
            return None
        known = {name: read for name, read in self.calibrations(parts).items() if name in best}
        if len(known) < len(best):
            return None
        if any(score >= known[name].least for name, score in best.items()):
            return True
        if names_what_was_asked(query, ranked.hits, self.language):
            return True
        name = max(best, key=lambda of: best[of] - known[of].least)
        what = "cosine" if self.space.similarity == "cosine" else "dot product"
        trace.notices.append(
            f"Nothing here seems to answer this: the best {what} is {best[name]:.2f}, and of an answer it would be at "
            f"least {known[name].least:.2f}."
        )
        return False

    def _tell(self, result: SearchResult, vector: Vectors | None, *, measured: bool) -> None:
        trace = [step.to_dict() for step in result.trace]
        said = str(result.pipeline), result.took_ms, result.hits, result.notices, trace
        space = result.space.digest
        asked = result.id, space, measured, result.sets, vector
        self._events.tell(Searched(result.set, result.query, *said, *asked, result.terms))


class Index(Searcher):
    """One set."""

    def __init__(
        self,
        name: str,
        space: Space,
        store: Callable[[], Readable],
        embedder: Callable[[], Embedder],
        events: Events = SILENCE,
        *,
        language: str = DEFAULT,
        memory: CalibrationMemory | None = None,
        second: Opening | None = None,
        reranker: Callable[[str], TimedReranker] | None = None,
        tokens: TokenFile | None = None,
        chat: Callable[[str], str] = nobody_to_ask,
        coarse: Callable[[int], CoarseForm] | None = None,
        others: Others | None = None,
    ) -> None:
        """`store` opens the store at once, in a thread of its own, while the model loads. The index closes it.

        `embedder` opens the model when the first search needs it; the index does not close that. Its vectors have to
        be of `space`: see `embassay.sets.door`. Without a `memory` nobody knows whether a search has found an answer.
        `second` opens the space that the set is being moved to, `reranker` a reranker by its name; `tokens` is where it
        keeps the vectors of its tokens. `coarse` tells how it is searched by vectors of so many dimensions, and
        `others` opens other sets.
        """
        super().__init__([name], space, events, language)
        self.reranker, self.chat, self.coarse, self.others = reranker, chat, coarse, others
        self._opening = ThreadPoolExecutor(1, "open")
        self._store: Future[Readable] = self._opening.submit(store)
        self._open_embedder = embedder
        self._embedder: Embedder | None = None
        self._second = second
        self._timed = TimedModel(self._model, space)
        self._late = LateModel(TimedTokens(self._model), (tokens,) if tokens else ())
        self._gauge = Gauge(memory, self._queries) if memory else None
        self._closed = False

    def check_open(self) -> None:
        if self._closed:
            raise UsageError(f"the index of set {self.name!r} is closed.", remedy="Open its home again.")

    def snapshots(self, held: ExitStack) -> Mapping[str, Snapshot]:
        return {self.name: held.enter_context(self._store.result().snapshot())}

    def second(self, held: ExitStack, trace: Trace) -> SecondSpace | None:
        return self._second(held, trace) if self._second else None

    def late(self) -> LateModel:
        return self._late

    def as_second(self, held: ExitStack) -> SecondSpace:
        """This index as the second space of another one, for the time of one search."""
        return SecondSpace(self.space, self.snapshots(held)[self.name], self._timed)

    def calibrations(self, parts: Mapping[str, Snapshot]) -> Mapping[str, Calibration]:
        read = self._gauge.read(whole_of(parts[self.name])) if self._gauge else None
        return {self.name: read} if read and read.tells else {}

    def close(self) -> None:
        """Close the store. A search after that is an error; one that runs now is the caller's to wait for."""
        if self._closed:
            return
        self._closed = True
        self._timed.close()
        self._late.close()
        self._opening.shutdown()
        if not self._store.exception():  # a store that could not be opened has nothing to be closed
            self._store.result().close()

    def _model(self) -> Embedder:
        if self._embedder is None:
            self._embedder = self._open_embedder()
        return self._embedder

    def _queries(self, texts: Sequence[str]) -> Vectors:
        """Vectors (texts, dimensions) of several queries."""
        return comparable(self._model().embed(texts, "query").vectors, self.space)

    def embed(self, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:
        return _vector(self._model(), self.space, text, role, trace, cached=cached)


def _vector(embedder: Embedder, space: Space, text: str, role: Role, trace: Trace, *, cached: bool) -> Vectors:
    """The vector (dimensions,) of `text`, ready to be compared with those of a space."""
    embedded = (embedder if cached else uncached(embedder)).embed([text], role)
    if embedded.truncated[0]:
        what, limit = "query" if role == "query" else "text", embedder.tokens.max_tokens
        trace.notices.append(f"The {what} has {embedded.tokens[0]:,} tokens; the model read the first {limit:,}.")
    if embedded.space != space:
        trace.query_space = embedded.space
    vector: Vectors = comparable(embedded.vectors, space)[0]
    return vector
