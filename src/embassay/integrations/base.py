"""What every framework's components need: something to search, and what was found in one plain form.

`Searchable` is what they are made over: an `EmbeddingSet` of a home in this process, or a set of a server, from
`embassay.client`, which has the same verbs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from embassay.embedding_set import EmbeddingSet
from embassay.errors import SpaceMismatch, UsageError
from embassay.search.parse import parse_pipeline
from embassay.stores.filters.parser import read_filter
from embassay.stores.filters.values import COLUMNS, And, Filter, Or
from embassay.threads import in_thread
from embassay.types import ArmScore, Chunk, Embeddings, Metadata, OnLong, Record, Role

if TYPE_CHECKING:
    from embassay.client import ServedSet
    from embassay.embedders.base import Embedder
    from embassay.search.result import SearchResult
    from embassay.space import Space
    from embassay.types import Vectors

T = TypeVar("T")
MOST_AT_ONCE = 500
"""Documents that are sent to a server, or asked of it, by one request."""
A_VECTOR = "a vector"
"""What stands for the query where there is a vector and no text."""


class MadeVectors(Protocol):
    """Vectors of some texts."""

    @property
    def vectors(self) -> Vectors:
        """float32 (texts, dimensions)."""


class Embeds(Protocol):
    """What makes vectors: a set, a model of a registry, a home, a server."""

    @property
    def embed(self) -> Callable[..., MadeVectors]:
        """Makes vectors of texts in a role."""


class FoundHit(Protocol):
    """A hit, of which the chunk is a part or the fields are its own."""

    @property
    def score(self) -> float:
        """Orders the hits."""

    @property
    def arms(self) -> Mapping[str, ArmScore]:
        """What each arm of the search made of it."""

    @property
    def set(self) -> str:
        """Where it was found."""

    @property
    def before(self) -> str:
        """What stands before it, where that was asked for."""

    @property
    def after(self) -> str:
        """What stands behind it."""


class FoundHits(Protocol):
    """The answer to a search."""

    @property
    def hits(self) -> Sequence[FoundHit]:
        """Best first."""


class Searchable(Embeds, Protocol):
    """The verbs of a set that components use, with the arguments that `EmbeddingSet` has; those for asyncio
    (``asearch``, ...) are used where there are some."""

    @property
    def name(self) -> str:
        """Of the set."""

    @property
    def search(self) -> Callable[..., FoundHits]:
        """What answers a query."""

    @property
    def upsert(self) -> Callable[..., object]:
        """Adds records, or replaces them."""

    @property
    def delete(self) -> Callable[..., object]:
        """Removes documents."""

    @property
    def get(self) -> Callable[..., Iterable[Record]]:
        """Records as they were given."""


@dataclass(frozen=True, slots=True)
class Located:
    """A passage that was found, with where it stands."""

    document: str
    text: str
    metadata: Metadata
    score: float
    """Orders what one search found; of a dense search it is the similarity."""
    similarity: float | None
    """The cosine, or dot product, where vectors were compared."""
    path: str
    lines: tuple[int, int]
    section: str
    set: str
    start: int
    """Character of the document's text at which the passage begins."""

    @property
    def place(self) -> dict[str, object]:
        """Where it stands, as fields beside its document's metadata."""
        return {"source": self.path, "lines": list(self.lines), "section": self.section, "set": self.set}


def passages(result: FoundHits) -> Iterator[Located]:
    """The hits of a search, in process or of a server."""
    for hit in result.hits:
        chunk = cast("Chunk", getattr(hit, "chunk", hit))
        dense = hit.arms.get("dense")
        yield Located(
            document=chunk.document,
            text=chunk.text if not (hit.before or hit.after) else hit.before + chunk.text + hit.after,
            metadata=dict(chunk.metadata),
            score=hit.score,
            similarity=None if dense is None else dense.score,
            path=chunk.path,
            lines=(chunk.lines[0], chunk.lines[1]),
            section=chunk.section,
            set=hit.set,
            start=chunk.span[0] - len(hit.before),
        )


async def awaited(source: object, verb: str, *arguments: object, **named: object) -> Any:
    """A verb for asyncio: the one that is made for it where there is one, else the plain one in a thread."""
    call = getattr(source, f"a{verb}", None) or getattr(source, verb)
    if inspect.iscoroutinefunction(call):
        return await call(*arguments, **named)
    return await in_thread(call, *arguments, **named)


def by_vector(
    source: object,
    vector: Sequence[float],
    pipeline: str,
    where: Filter | None = None,
    space: Space | None = None,
) -> SearchResult:
    """What a set finds for a vector that was made before, by the model of the set, of a query. `space`: the vector's,
    where it is known.

    Raises SpaceMismatch for one that cannot be of the space of the set, and UsageError where the set is a server's.
    """
    if not isinstance(source, EmbeddingSet):
        raise UsageError("a set of a server is searched by a text.", remedy="Hand over the text of the query.")
    with source.searcher() as index:
        given = cast("Embedder", _Given(vector, index.space, space))  # a search asks it for the query alone
        return index.search(A_VECTOR, parse_pipeline(pipeline), where, measured=True, asked_by=lambda: given)


class _Given:
    """Makes the one vector that it was given, in the place of a model."""

    def __init__(self, vector: Sequence[float], space: Space, known: Space | None) -> None:
        import numpy as np

        try:
            self._vectors = np.asarray([vector], np.float32)
        except (TypeError, ValueError):
            self._vectors = np.empty((1, 0), np.float32)
        if self._vectors.ndim != 2 or not np.isfinite(self._vectors).all():
            raise UsageError("the vector of the query must be a row of finite numbers.")
        if self._vectors.shape[1] != space.dimensions or known not in (None, space):
            of = f"of {known}" if known else f"of {self._vectors.shape[1]} dimensions"
            raise SpaceMismatch(
                f"the vector of the query is {of}, the set is of {space}.",
                remedy="Make it by the model of the set, for the role query.",
            )
        self._space = space

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        return Embeddings(self._vectors, [0] * len(texts), [False] * len(texts), self._space, role)


def field(key: str) -> str:
    """The name by which a filter means a key of the metadata."""
    return f"meta.{key}" if key in COLUMNS or key.startswith("meta.") else key


def joined(*filters: object) -> Filter | None:
    """What passes all of them; None where there is none."""
    return all_of([one for one in map(read_filter, filters) if one is not None])


def all_of(filters: Sequence[Filter]) -> Filter | None:
    """What passes all of them; None where there is none."""
    return _folded(And, filters)


def any_of(filters: Sequence[Filter]) -> Filter | None:
    """What passes one of them; None where there is none."""
    return _folded(Or, filters)


def _folded(kind: type[And] | type[Or], filters: Sequence[Filter]) -> Filter | None:
    found: Filter | None = None
    for one in filters:
        found = one if found is None else kind(found, one)
    return found


def parts_of(source: Searchable, things: Sequence[T]) -> list[Sequence[T]]:
    """As many at once as one call takes: of a set in this process all, of a server's so many a request."""
    if isinstance(source, EmbeddingSet):
        return [things] if things else []
    return [things[at : at + MOST_AT_ONCE] for at in range(0, len(things), MOST_AT_ONCE)]


def got(source: Searchable, ids: Sequence[str]) -> list[Record]:
    """The records of these ids, in that order; unknown ones are left out."""
    return [record for some in parts_of(source, ids) for record in source.get(some)]


def count_of(source: EmbeddingSet | ServedSet) -> int:
    """How many documents a set has. Raises SetNotFound."""
    return source.status().documents if isinstance(source, EmbeddingSet) else source.show().documents
