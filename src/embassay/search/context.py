"""What a pipeline runs over: one query, one version of a store, and the model that makes vectors."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from embassay.errors import EmbassayError, ModelNotFound, UsageError
from embassay.search.late import nothing_reads_tokens
from embassay.search.other import no_other_set
from embassay.search.phrases import nobody_to_ask
from embassay.search.spelling import read
from embassay.search.trace import Trace
from embassay.stores.filters.values import And
from embassay.words.languages import DEFAULT

if TYPE_CHECKING:
    from embassay.reranking.timed import InTime, TimedReranker
    from embassay.search.late import LateModel
    from embassay.search.other import OtherSet
    from embassay.search.second import SecondSpace
    from embassay.space import Similarity
    from embassay.stores.base import Snapshot
    from embassay.stores.coarse import CoarseForm
    from embassay.stores.filters.values import Filter
    from embassay.stores.values import WeightedTexts
    from embassay.types import Chunk, Role, Vectors


@dataclass(frozen=True, slots=True)
class Sought:
    """What arms look for in the place of the plain query, where a stage has changed that. None: the query as it is."""

    words: str | WeightedTexts | None = None
    vector: Vectors | None = None


class Context:
    """Everything that the stages of one run may ask for."""

    def __init__(
        self,
        query: str,
        snapshot: Callable[[], Snapshot],
        embed: Callable[[str, Role], Vectors],
        where: Filter | None = None,
        *,
        trace: Trace | None = None,
        without_model: bool = False,
        similarity: Similarity = "cosine",
        set_of: Callable[[Hashable], str] = lambda _: "",
        second: Callable[[], SecondSpace | None] = lambda: None,
        other: Callable[[str], OtherSet] = no_other_set,
        late: Callable[[], LateModel] = nothing_reads_tokens,
        reranker: Callable[[str], TimedReranker] | None = None,
        chat: Callable[[str], str] = nobody_to_ask,
        language: str = DEFAULT,
        coarse: Callable[[int], CoarseForm] | None = None,
    ) -> None:
        """`snapshot` is called when a stage first reads, so that a store can open while the model loads.

        `embed` makes the vector (dimensions,) of a text, ready to be compared by `similarity`.
        `without_model` says what happens where the model cannot be asked: True leaves out the stages that need it and
        gives a notice, as a search does; False raises the error, as a measurement must. `set_of` tells the set that a
        row lies in. `second` opens the space that the set is being moved to, where there is one, `other` another set by
        its name, `late` the model as it makes vectors of tokens, and `reranker` a reranker by its name. `chat` answers
        a message. Words are told apart by `language`, a code. `coarse` tells how the set is searched by vectors of so
        many dimensions.
        """
        self.query, self.where, self.without_model = query, where, without_model
        self.language = language
        self.similarity = similarity
        """How the vectors of the set are compared: the space says it."""
        self.trace = trace or Trace()
        self.model_ms = 0.0
        """Milliseconds that `embed` and `rerank` took until now."""
        self.set_of = set_of
        self._snapshot, self._embed, self._second, self._late = snapshot, embed, second, late
        self._reranker, self._chat, self._coarse = reranker, chat, coarse
        self._other, self._others = other, dict[str, "OtherSet"]()
        self._answers: dict[str, str] = {}
        self._vectors: dict[tuple[str, str, Role], Vectors] = {}
        """By the other set whose model made them, or nothing, the text and the role."""
        self._failed: dict[tuple[str, str, Role], Exception] = {}
        self._chunks: dict[Hashable, Chunk] = {}
        self._stored: dict[Hashable, Vectors] = {}
        self._asked = Sought()

    @cached_property
    def snapshot(self) -> Snapshot:
        """The version of the store that the whole run reads."""
        return self._snapshot()

    @cached_property
    def second(self) -> SecondSpace | None:
        """The space that the set is being moved to; None where it is not, or nothing there may be relied on."""
        return self._second()

    @cached_property
    def late_model(self) -> LateModel:
        """What makes vectors of tokens. Raises ModelUnsupported where nothing does."""
        return self._late()

    def other(self, name: str) -> OtherSet:
        """Another set of the same documents, opened once in a run. Raises SetNotFound; UsageError where none is."""
        if name not in self._others:
            self._others[name] = self._other(name)
        return self._others[name]

    @property
    def asked_vector(self) -> Vectors | None:
        """The vector of the query as it was asked, by the model of this set; None where no stage has needed it."""
        return self._vectors.get(("", self.query, "query"))

    @property
    def reading(self) -> str:
        """The query as it is read: with its slips mended, once a stage has done so."""
        return read(self.query, self.trace.spelling or ())

    @property
    def words(self) -> str | WeightedTexts:
        """What arms of words look for: the query, unless a stage has changed it."""
        return self.query if self._asked.words is None else self._asked.words

    @property
    def vector(self) -> Vectors:
        """The vector (dimensions,) that arms of vectors compare with. Raises ModelError, ProviderError."""
        return self.embed(self.query, "query") if self._asked.vector is None else self._asked.vector

    @contextmanager
    def asking(self, asked: Sought | None) -> Iterator[None]:
        """Arms that run in the block look for what is `asked`; None: for the query."""
        before, self._asked = self._asked, asked or Sought()
        try:
            yield
        finally:
            self._asked = before

    @contextmanager
    def narrowed(self, where: Filter) -> Iterator[None]:
        """Arms that run in the block find only what passes `where` as well."""
        before = self.where
        self.where = where if before is None else And(before, where)
        try:
            yield
        finally:
            self.where = before

    def coarse(self, dimensions: int) -> CoarseForm:
        """How coarse vectors of so many dimensions are made of stored ones. Raises UsageError where there are none."""
        if self._coarse is None:
            raise UsageError("several sets have no coarse vectors in common.", remedy="Search them with dense.")
        return self._coarse(dimensions)

    def chunks(self, refs: Sequence[Hashable]) -> Mapping[Hashable, Chunk]:
        """The chunks behind `refs`, each read once in a run. Raises StoreError."""
        missing = [ref for ref in dict.fromkeys(refs) if ref not in self._chunks]
        self._chunks.update(zip(missing, self.snapshot.fetch(missing), strict=True))
        return self._chunks

    def vectors(self, refs: Sequence[Hashable]) -> Mapping[Hashable, Vectors]:
        """The stored vectors of `refs` at length 1, each read once in a run; none of a row that is gone, or blank.

        Raises StoreError.
        """
        import numpy as np

        missing = [ref for ref in dict.fromkeys(refs) if ref not in self._stored]
        chunks = self.chunks(missing)
        found = self.snapshot.vectors([chunks[ref].key for ref in missing]) if missing else {}
        for ref in missing:
            vector = found.get(chunks[ref].key)
            length = float(np.linalg.norm(vector)) if vector is not None else 0.0
            if vector is not None and length > 0:
                self._stored[ref] = vector / np.float32(length)
        return {ref: self._stored[ref] for ref in refs if ref in self._stored}

    def embed(self, text: str, role: Role, by: OtherSet | None = None) -> Vectors:
        """The vector (dimensions,) of `text`, by the model of another set or of this one, asked for once in a run, also
        where that fails. Raises ModelError, ProviderError.
        """
        asked = by.name if by else "", text, role
        if asked in self._failed:
            raise self._failed[asked]
        if asked not in self._vectors:
            started = time.perf_counter()
            try:
                self._vectors[asked] = by.embed(text, role) if by else self._embed(text, role)
            except EmbassayError as error:
                self._failed[asked] = error
                raise
            finally:
                self.model_ms += (time.perf_counter() - started) * 1e3
        return self._vectors[asked]

    def chat(self, message: str) -> str:
        """What the chat model answers, asked once in a run. Raises ProviderError, ConfigError."""
        if message not in self._answers:
            started = time.perf_counter()
            try:
                self._answers[message] = self._chat(message)
            finally:
                self.model_ms += (time.perf_counter() - started) * 1e3
        return self._answers[message]

    def rerank(self, name: str, texts: Sequence[str], budget_ms: float = 0.0) -> InTime:
        """Scores of `texts` for the query by the reranker called `name`; the configured one where that is empty.

        With a budget, those that could be had in it. Raises ModelError, ProviderError, ConfigError, and UsageError for
        a name that is no reranker's.
        """
        if self._reranker is None:
            raise UsageError("no reranker can be asked here.", remedy="Leave the stage out.")
        started = time.perf_counter()
        try:
            return self._reranker(name).within(self.reading, texts, budget_ms)
        except ModelNotFound as error:  # a search does without a model that is gone, and not without one misspelt
            raise UsageError(error.message, remedy=error.remedy) from error
        finally:
            self.model_ms += (time.perf_counter() - started) * 1e3
