"""The contract of a provider over HTTP: build a request, parse its reply. Both are pure.

The provider's module has a class ``Settings``, which extends `HttpSettings`, and ``open_api(settings, card) -> Api``,
which sends nothing. Whoever opens the model makes the driver (`embassay.embedders.http.driver`), which does the rest:
batches, retries, rates, limits of length, and checks of every reply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.embedders.http.service import HttpService

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.embedders.settings import HttpSettings
    from embassay.types import Role, Vectors

Get = Callable[[str], bytes]
"""GET of a path below the base URL; raises ProviderError."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request for the vectors of some texts."""

    path: str
    """Below the base URL, percent-encoded."""
    body: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider answered, in the order of the request."""

    vectors: Sequence[Sequence[float]] | Vectors
    """A row of NaN stands for a vector that did not come."""
    tokens: object = None
    """Billed, if it says; as it stands there, which need be no number."""
    truncated: Sequence[bool] | None = None
    """Per text, if it says."""


@dataclass(frozen=True, slots=True)
class Description:
    """What a running server says of its model. Empty: it does not say."""

    revision: str = ""
    model: str = ""
    """What it calls the model that it runs."""
    max_tokens: int | None = None
    max_inputs: int | None = None


@dataclass(frozen=True, slots=True)
class Caps:
    """Most that one request may hold, where no card says otherwise."""

    inputs: int = 128
    tokens: int | None = None


def sizes_by_card(settings: HttpSettings, card: ModelCard | None) -> bool:  # noqa: ARG001
    """A provider's ``sizes``: it is itself asked for fewer dimensions where the card says that it gives them."""
    return card is not None and card.can_cut


class Api(HttpService, ABC):
    """One provider, set up for one model."""

    name: ClassVar[str]
    caps: ClassVar[Caps] = Caps()
    normalises: ClassVar[bool] = False
    """Vectors have length 1 whatever the model. A model whose vectors keep their lengths is refused then."""
    max_tokens: ClassVar[int] = 512
    """Assumed of a model that no card, server or user describes: one that is too low is seen, one too high is not."""

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        self.settings, self.card = settings, card
        self.model = settings.model_id
        self.role_by_parameter = False
        """The request says the role, so that no prompt is put before the text."""

    @abstractmethod
    def request(self, texts: Sequence[str], role: Role) -> Request:
        """The request for the vectors of `texts`, which are no more than `caps` allow."""

    @abstractmethod
    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        """What a good answer says of `count` texts, though it may hold another number of vectors.

        Raises BadReply, or any ValueError for a body of another shape.
        """

    @property
    def keeps_lengths(self) -> bool:
        """Whether the length of a vector counts: the model is said to be compared by dot product."""
        declared = self.settings.similarity or (self.card.similarity if self.card else "")
        return declared == "dot" and not (self.card and self.card.normalised)

    def variant(self) -> str:
        """Whatever settings of the provider's own choose the model or change its vectors, as one text."""
        return ""

    def former_variant(self) -> str:
        """What `variant` said in earlier versions: sets that they made are recognised by it."""
        return self.variant()

    def describe(self, get: Get) -> Description:
        """What a running server says of its model. Raises ProviderError."""
        return Description()
