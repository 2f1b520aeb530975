"""What can be set for a model. A provider adds its own by a subclass; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from embassay.config.references import has_reference
from embassay.config.unagreed import Unagreed
from embassay.config.values import DEFAULT_PROVIDER, Seconds, not_negative, positive
from embassay.embedders.texts.bill import UsagePolicy
from embassay.types import ROLES, Precision

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Common to all providers."""

    provider: str = DEFAULT_PROVIDER
    """Who runs it: one of the pages here."""
    model_id: str = ""
    """As the provider calls it."""
    card: str = ""
    """Id of the card that describes it, where its name does not tell: a deployment, a server of one's own."""
    dimensions: int | None = None
    """Fewer than the model's own, where it was trained for that (Matryoshka)."""
    precision: Precision = "auto"
    """Of the arithmetic, where embassay computes: auto, f32, bf16, int8."""
    query_prompt: str | None = None
    """Text put before every query instead of the model's own prompt."""
    document_prompt: str | None = None
    """Text put before every document instead of the model's own prompt."""
    max_tokens: int | None = None
    """Of one text; lowers the model's limit, or states it where nobody does."""
    cache_enabled: bool | None = None
    """Keep vectors in the cache; default: for models that are paid for."""
    cache_ttl: Seconds | None = None
    """Forget cached vectors after this time; default: never."""
    found: Unagreed | None = None
    """What of it a configuration says that nobody has agreed to; no file can say this."""

    UNREADABLE: ClassVar[frozenset[str]] = frozenset({"found"})
    """Fields that no file can say."""
    RUNS_CODE: ClassVar[Sequence[str]] = ()
    """Settings that let code run which is no part of the provider, where they are true."""

    def __post_init__(self) -> None:
        positive(self, "dimensions", "max_tokens")

    def is_found(self, name: str) -> bool:
        """Whether the value of a setting comes from a configuration that nobody has agreed to."""
        return self.found is not None and self.found.says(name)

    def check_agreed(self) -> None:
        """Raises ConfigNotAgreed where an unagreed configuration refers to secrets, or lets code run."""
        if self.found is None:
            return
        for field in msgspec.structs.fields(self):
            value = getattr(self, field.name)
            if field.name in self.UNREADABLE or not self.is_found(field.name):
                continue
            if value and field.name in self.RUNS_CODE:
                raise self.found.refusal(f"{field.name} would run code that comes with the model")
            if has_reference(value):
                raise self.found.refusal(f"{field.name} refers to a secret")

    def prompt(self, role: str, default: str = "") -> str:
        """What is put before a text of `role`: what the user set, which may be nothing, else `default`."""
        chosen = self.query_prompt if role == "query" else self.document_prompt
        return default if chosen is None else chosen

    @property
    def says_roles(self) -> bool:
        """Whether the user has set how the role of a text is told to the model."""
        return self.query_prompt is not None or self.document_prompt is not None

    def prompts(self, card: ModelCard | None, repository: Mapping[str, str]) -> dict[str, str]:
        """Role to prompt, without the empty ones: what the user set, else the card's, else the model repository's.

        The card comes before the repository because repositories of e5 and bge may state none, though the models
        need them.
        """
        known = card.prompts if card and card.prompts else repository
        found = {role: self.prompt(role, known.get(role, "")) for role in ROLES}
        return {role: prompt for role, prompt in found.items() if prompt}


class HttpSettings(Settings, frozen=True, kw_only=True):
    """Common to providers over HTTP."""

    api_key: str = ""
    """A reference such as ``${NAME}``; default: the provider's usual variable. ``none``: no key is sent."""
    base_url: str = ""
    """Another address: a proxy, a gateway, a server of your own."""
    headers: dict[str, str] = {}
    """Sent with every request; ``${NAME}`` is taken from the environment."""
    allow_http: bool = False
    """Send keys without encryption to an address that begins with ``http://`` and is not this machine."""
    extra_body: dict[str, Any] = {}
    """Fields added to every request as they are."""
    query_body: dict[str, Any] = {}
    """Fields added to requests for queries: ``{input_type: query}`` for a server that is told the role so."""
    document_body: dict[str, Any] = {}
    """Fields added to requests for documents. Where either is set, the card's prompts are not put before the texts."""
    revision: str = ""
    """Pins the identity of the weights where the provider does not state it: servers of one revision share a space."""
    similarity: Literal["cosine", "dot", ""] = ""
    """How its vectors are compared, cosine or dot (product); default: as its card says, else cosine."""
    rotating_headers: list[str] = []
    """Those of `headers` that only let requests in: a new value makes no new space. The usual ones need no naming."""
    canaries: bool = True
    """Hold the service against where it put known texts before, wherever its vectors are kept."""
    usd_per_million_tokens: float | None = None
    """Price, where no card knows it."""
    usage: UsagePolicy = "checked"
    """What the provider says it billed is ``checked`` against what is counted here, ``trusted`` or ``ignored``."""
    batch_size: int | None = None
    """Most texts in a request; default: what the provider takes."""
    batch_tokens: int | None = None
    """Most tokens in a request; default: what the provider takes."""
    timeout: Seconds = Seconds(60)
    """Of one request, from sending it to the last byte of its answer."""
    deadline: Seconds = Seconds(300)
    """Of one batch with all its retries; a batch that holds a text which cannot be embedded has more, for its parts."""
    retries: int = 4
    """How often a batch is sent again after no answer, or a failure on the provider's side."""
    concurrency: int = 8
    """Most requests in flight; fewer while the provider says that it is too many."""
    requests_per_minute: float | None = None
    """Kept below this from the start, without waiting for refusals."""
    tokens_per_minute: float | None = None
    """The same for tokens, as they are estimated."""

    @property
    def says_roles(self) -> bool:
        """Whether the user has set how the role of a text is told to the model: by prompts or by fields."""
        return self.says_roles_by_fields or super().says_roles

    @property
    def says_roles_by_fields(self) -> bool:
        """Whether requests tell the role of their texts by fields that the user has set."""
        return bool(self.query_body or self.document_body)

    def body_of(self, role: str) -> dict[str, Any]:
        """Fields that are added to a request for texts of `role`."""
        return self.extra_body | (self.query_body if role == "query" else self.document_body)

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        positive(self, "batch_size", "batch_tokens", "concurrency", "timeout", "deadline")
        positive(self, "requests_per_minute", "tokens_per_minute")
        not_negative(self, "retries", "usd_per_million_tokens")
