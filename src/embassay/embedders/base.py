"""The contract of an embedder: texts and a role in, vectors of one space out.

A provider is a module of `providers/` with a class ``Settings`` and ``open_embedder(settings, card) -> Embedder``, or,
over HTTP, ``open_api(settings, card) -> Api``: see `http/api.py`, and `models/provider.py` for what it may add. Opening
is cheap: nothing is loaded or sent before the first text.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from embassay.canaries import CANARY_TEXTS
from embassay.embedders.texts.blocks import join
from embassay.errors import EmbassayError, ModelUnsupported, TextRefused
from embassay.space import Space
from embassay.threads import in_thread
from embassay.types import Counts, Embeddings, Health, OnLong, RequestLimits, Role

if TYPE_CHECKING:
    from embassay.engine.token_states import TokenStates
    from embassay.types import Vectors


class Embedder(ABC):
    """Turns texts into vectors of one space. Threads may share it."""

    remote = False
    """Whether texts leave this process."""
    carries_canaries = False
    """Whether requests carry canary texts besides their own, which are paid for as well."""
    pays = False
    """Whether it takes what its requests cost from a budget by itself, as each of them is sent."""
    unmeasured = False
    """Whether `space` can be told only after a first vector, which is asked for, and paid for, when it is."""

    @property
    @abstractmethod
    def space(self) -> Space:
        """Where its vectors live. A hosted model without a card is asked once, which may raise ProviderError."""

    @property
    def former_space(self) -> Space:
        """Its space as sets that were made before spaces knew the tokenizer, the settings and the limit name it."""
        return self.space

    @property
    def is_trusted(self) -> bool:
        """Whether its space is taken at its word: because it covers all that decides vectors, or the user says so."""
        return False

    @property
    def is_anchored(self) -> bool:
        """Whether it holds each of its vectors against the canaries of a set by itself."""
        return False

    @property
    @abstractmethod
    def precision(self) -> str:
        """Numeric precision of the arithmetic: ``f32``, ``bf16`` or ``int8``."""

    @property
    @abstractmethod
    def tokens(self) -> Counts:
        """The model's tokenizer and its limit, for chunking."""

    @abstractmethod
    def stream(self, texts: Iterable[str], role: Role, on_long: OnLong = "truncate") -> Iterator[Embeddings]:
        """Vectors of any number of texts, in order, in blocks of consecutive texts, in constant memory.

        `texts` may be consumed in another thread. A text that the provider refuses is named in its block and
        does not stop the others. Raises TextTooLong under ``on_long="error"``, ModelError, ProviderError.
        """

    def embed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """Vectors of `texts`: float32, shape (len(texts), dimensions).

        `on_long` decides about texts above the token limit: raise TextTooLong, cut them, or split them and take the
        mean of the parts. Raises UsageError for an unknown role, TextRefused, ModelError or ProviderError.
        """
        made = join(list(self.stream(texts, role, on_long)), self.space, role, self.precision)
        for position, reason in made.refused.items():
            raise TextRefused(position, reason)
        return made

    async def aembed(self, texts: Sequence[str], role: Role, on_long: OnLong = "truncate") -> Embeddings:
        """`embed` in a thread, for asyncio."""
        return await in_thread(self.embed, texts, role, on_long)

    def canaries(self, role: Role) -> Vectors:
        """Where the model itself puts the canary texts: float32 (number of canaries, its own dimensions).

        It is asked past every cache, and before dimensions are cut or terms spelled out. Raises as `embed` does.
        """
        return self.embed(CANARY_TEXTS, role).vectors

    def witness(self, role: Role) -> str:  # noqa: ARG002 - most have none
        """A digest of where the model puts the canaries, where vectors are kept; empty where the space says all."""
        return ""

    def token_states(self, texts: Sequence[str], role: Role) -> Iterator[TokenStates]:  # noqa: ARG002
        """The vectors of the tokens of each text, in their order, for late interaction.

        A text beyond the token limit is read in windows. Raises ModelUnsupported where the model gives one vector a
        text and no more, as hosted ones do.
        """
        raise ModelUnsupported(
            f"{self.name} gives one vector a text, and none of its tokens.",
            remedy="Search without maxsim, or with a model of the local engine.",
        )

    @property
    def name(self) -> str:
        """Who makes the vectors, as `Embeddings.model` says it."""
        return self.space.model

    @property
    def price(self) -> float | None:
        """USD per million tokens: 0 on hardware of the user's own, None where it is not known."""
        return 0.0

    @property
    def limits(self) -> RequestLimits | None:
        """What requests may hold; None for a model that runs in this process."""
        return None

    def prompt(self, role: Role) -> str:
        """What is put before every text of `role`, and counts as its tokens; empty where a parameter says the role."""
        return self.space.query_prompt if role == "query" else self.space.document_prompt

    def check_ready(self) -> None:  # noqa: B027 - most need nothing
        """Raise what is known to be missing without loading or sending anything: KeyMissing, ConfigError."""

    def health(self) -> Health:
        """Embed one word. Never raises."""
        started = time.perf_counter()
        try:
            self.embed(["health"], "query")
        except EmbassayError as error:
            return Health(False, (time.perf_counter() - started) * 1e3, str(error))
        return Health(True, (time.perf_counter() - started) * 1e3)

    def close(self) -> None:  # noqa: B027 - most have nothing to give back
        """Give back connections and files. The embedder may be used again, and reopens what it needs."""
