"""What happens while the library works, told to whoever listens: progress, searches, texts that were embedded.

    session.events.subscribe(Searched, lambda event: print(event.query, event.took_ms))

An event is a small frozen value; its class is its topic. Making one costs something, so code that tells of frequent
things asks `Events.wants` first: nothing is made where nobody listens. A listener that raises is dropped with a
warning, and neither the work nor the other listeners are disturbed.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from embassay.types import Hit, Vectors

REQUEST: ContextVar[str] = ContextVar("request", default="")
"""The id of the request that is being answered, in a server."""


@dataclass(frozen=True, slots=True)
class WorkStarted:
    """A piece of work begins whose progress is worth showing."""

    what: str
    """In a word or two, for a person: ``Indexing 3 files``, ``Embedding``."""
    total: int | None = None
    """How much there is to do, in the unit that `WorkAdvanced.done` counts; None where nobody knows yet."""


@dataclass(frozen=True, slots=True)
class WorkAdvanced:
    """So much of the work that was started last is done."""

    done: int
    """Since the start, in the unit of `WorkStarted.total`: bytes of files for an index run, texts elsewhere."""
    texts: int = 0
    """Texts embedded since the start."""


@dataclass(frozen=True, slots=True)
class WorkStoppable:
    """The work can be asked to end soon with what it has done, for instance by whoever presses Ctrl-C."""

    stop: Callable[[], bool]
    """Asks it, from any thread or signal handler, and says whether it is still at work. It then raises Interrupted."""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something that a person who waits wants to read."""

    text: str


@dataclass(frozen=True, slots=True)
class Warned:
    """Something that whoever uses the result has to know: another model answered, or one is run without its prompts."""

    text: str


@dataclass(frozen=True, slots=True)
class Embedded:
    """A model has made vectors."""

    model: str
    role: str
    texts: int
    cached: int
    """Of `texts`, those whose vectors came from the cache."""
    tokens: int | None
    """Billed by a provider; None where it did not say."""
    usd: float | None
    truncated: int = 0
    """Of `texts`, those of which the model saw only the head."""
    seconds: float = 0.0
    """How long it took, as far as that was measured."""


@dataclass(frozen=True, slots=True)
class FellBack:
    """A model did not answer, and another one did in its place."""

    model: str
    answered: str


@dataclass(frozen=True, slots=True)
class RerankRan:
    """A reranker was asked."""

    model: str
    texts: int
    seconds: float
    failed: bool = False


@dataclass(frozen=True, slots=True)
class BatchRan:
    """Texts of one or several callers went through a model together."""

    model: str
    role: str
    requests: int
    texts: int
    tokens: int
    """As they were estimated before they were tokenised."""
    waited: float
    """Seconds that the first of them waited."""
    took: float
    """Seconds that the model took."""
    failed: bool = False
    asked: Sequence[str] = ()
    """The ids of the requests of a server that they belong to."""


@dataclass(frozen=True, slots=True)
class RequestBegan:
    """The server has taken a request, which an `Answered` in the same context ends."""

    id: str
    method: str
    route: str
    """Its path as it is declared; empty where nothing is served."""
    traceparent: str = ""
    tracestate: str = ""
    """What the client says of the trace that it is a part of, as W3C has it."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The server has answered a request."""

    id: str
    dialect: str
    method: str
    route: str
    """Its path as it is declared, so that there are only so many of them."""
    status: int
    seconds: float
    key: str = ""
    """The id of the key that asked; empty for none."""
    code: str = ""
    """Of the error, where it failed."""
    set: str = ""
    model: str = ""
    """That was asked, as the server calls it; empty for a request that asked none."""
    texts: int = 0
    """That were to be embedded or scored."""
    tokens: int = 0
    """Of these texts, once they were embedded."""


@dataclass(frozen=True, slots=True)
class Searched:
    """A set was asked a query."""

    set: str
    query: str
    pipeline: str
    took_ms: float
    hits: Sequence[Hit]
    """Best first, with what each arm made of them."""
    notices: Sequence[str] = ()
    trace: Sequence[Mapping[str, object]] = field(default=())
    """What each stage of the pipeline saw, kept and took."""
    id: str = ""
    """Of this search; its result has it as well."""
    space: str = ""
    """Digest of the space that was searched."""
    measured: bool = False
    """Whether a measurement asked, and nobody who wants an answer."""
    sets: Sequence[str] = ()
    """The names of the sets that were searched; `set` has them with commas between."""
    vector: Vectors | None = field(default=None, compare=False, repr=False)
    """Of the query as it was asked (dimensions,), where the model of the one set made it; as private as the query."""
    terms: int = 0
    """How many words were looked for; 0 where no arm looked for any."""


E = TypeVar("E")
Listener = Callable[[Any], None]


class Events:
    """Passes events on to those who subscribed to their class. Threads may share it."""

    def __init__(self, within: Events | None = None) -> None:
        """`within`: the events of something larger that this is a part of. Whoever listens there hears these too."""
        self._within = within
        self._listeners: dict[type, tuple[Listener, ...]] = {}
        self._lock = threading.Lock()

    def subscribe(self, topic: type[E], listener: Callable[[E], None]) -> Callable[[], None]:
        """Call `listener` with every event of class `topic`, in the thread that the event happens in.

        Returns a function that ends the subscription.
        """
        with self._lock:
            self._listeners[topic] = (*self._listeners.get(topic, ()), listener)
        return lambda: self._drop(topic, listener)

    def wants(self, topic: type) -> bool:
        """Whether anybody listens to events of class `topic`: asked before an event is made."""
        return bool(self._listeners.get(topic)) or (self._within is not None and self._within.wants(topic))

    def tell(self, event: object) -> None:
        """Pass `event` on. A listener that raises is unsubscribed, and a RuntimeWarning says so."""
        for listener in self._listeners.get(type(event), ()):
            try:
                listener(event)
            except Exception as error:  # a listener may fail in any way; the work must not
                self._drop(type(event), listener)
                words = f"{type(error).__name__}: {error}"
                warnings.warn(
                    f"a listener to {type(event).__name__} failed and is dropped: {words}", RuntimeWarning, stacklevel=2
                )
        if self._within is not None:
            self._within.tell(event)

    def _drop(self, topic: type, listener: Listener) -> None:
        with self._lock:
            kept = tuple(other for other in self._listeners.get(topic, ()) if other is not listener)
            self._listeners[topic] = kept


SILENCE = Events()
"""For work that nobody listens to."""
