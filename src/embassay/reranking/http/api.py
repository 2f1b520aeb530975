"""The contract of a reranker over HTTP: build a request, parse its reply. Both are pure.

Its module has a class ``Settings``, which extends `HttpRerankSettings`, and ``open_api(settings) -> RerankApi``, which
sends nothing. The driver (`embassay.reranking.http.driver`) does the rest: batches, retries, rates, what is too long,
what it costs, and checks of every reply.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from embassay.embedders.http.api import Caps, Description, Get, Request
from embassay.embedders.http.service import HttpService
from embassay.embedders.texts.bill import Counted

if TYPE_CHECKING:
    from embassay.reranking.settings import HttpRerankSettings


@dataclass(frozen=True, slots=True)
class RerankReply:
    """What a provider answered, as it stands there: the driver tells what of it can be scores."""

    scores: Sequence[tuple[object, object]]
    """Index of a text in the request, and its score, in any order."""
    billed: object = None
    """In the unit of `RerankApi.unit`, if it says."""


class RerankApi(HttpService, ABC):
    """One provider, set up for one model."""

    name: ClassVar[str]
    caps: ClassVar[Caps] = Caps(1000)
    """Most that one request may hold: texts, and tokens, those of the query counted with each text."""
    max_tokens: ClassVar[int] = 512
    """Of a query and a text together, of a model that no card, server or user describes."""
    cuts: ClassVar[bool] = True
    """Whether the service cuts a text that is too long; else it is cut here, by an estimate."""
    unit: ClassVar[str] = "tokens"
    """What it bills: ``tokens`` or ``searches``."""

    settings: HttpRerankSettings

    def __init__(self, settings: HttpRerankSettings) -> None:
        self.settings = settings
        self.model = settings.model_id

    @abstractmethod
    def request(self, query: str, texts: Sequence[str]) -> Request:
        """The request for the scores of `texts`, of which none is blank, and which are no more than `caps` allow."""

    @abstractmethod
    def parse(self, body: bytes, headers: Mapping[str, str]) -> RerankReply:
        """What a good answer says. Raises BadReply, or any ValueError for a body of another shape."""

    def describe(self, get: Get) -> Description:  # noqa: ARG002
        """What a running server says of its model. Raises ProviderError."""
        return Description()

    def counted(self, query: str, texts: Sequence[str], tokens: Sequence[int]) -> Counted:
        """How much of `unit` a request takes: as estimated, and the least and the most that there can be.

        `tokens`: of the query alone, and then of each text alone. The query may be billed once, or with each text.
        """
        alone, *each = tokens
        least = Counted.of([query, *texts], alone + sum(each)).least
        all_of_it = [query] * len(texts) + [*texts]
        most = Counted.of(all_of_it, alone * len(texts) + sum(each)).most
        return Counted(alone * len(texts) + sum(each), least, most)

    def variant(self) -> str:
        """Whatever settings of the provider's own change the scores, as one text."""
        return ""
