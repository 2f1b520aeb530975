"""A card: what is known of one model. A field that is None or empty is unknown, and said to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

MULTILINGUAL = "multilingual"


class ModelCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One embedding model."""

    id: str
    """As embassay names it: a Hugging Face id, or ``provider/model`` for a model that is only hosted."""
    aliases: tuple[str, ...] = ()
    """Short names that people type."""
    family: str = ""
    provider_ids: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Provider to the model's name there; ``local`` means open weights."""
    architecture: str = ""
    architecture_note: str = ""
    parameters: int | None = None
    size_mb: int | None = None
    """Of the weights in the type they are stored in, in 10^6 bytes."""
    dimensions: int | None = None
    max_tokens: int | None = None
    """Of one text, special tokens included, as its authors run it."""
    max_tokens_architecture: int | None = None
    """What the architecture would take; its authors do not use it."""
    unlimited_tokens: bool = False
    matryoshka: tuple[int, ...] = ()
    """Dimensions it was trained to be cut to."""
    matryoshka_range: tuple[int, int] | None = None
    """Or any number of dimensions between these."""
    matryoshka_note: str = ""
    matryoshka_layer_norm: bool = False
    """Layer-normalise the whole vector before it is cut."""
    pooling: str = ""
    pooling_note: str = ""
    normalised: bool | None = None
    normalised_note: str = ""
    similarity: str = ""
    prompts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Role to the text put before the input, exact to the space."""
    prompts_known: bool = True
    role_parameter: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Role to the request parameter by which a provider applies its own prompt."""
    prompt_note: str = ""
    languages: tuple[str, ...] = ()
    languages_note: str = ""
    domain: str = ""
    also_domains: tuple[str, ...] = ()
    domain_note: str = ""
    licence: str = ""
    licence_note: str = ""
    commercial: bool | None = None
    """Whether the licence allows commercial use."""
    restriction: str = ""
    released: str = ""
    retired: str = ""
    trust_remote_code: bool | None = None
    onnx: bool | None = None
    """Whether its repository has an ONNX file."""
    usd_per_million_tokens: float | None = None
    price_date: str = ""
    price_source: str = ""
    price_note: str = ""
    hosted_usd_per_million_tokens: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Prices of open weights at companies that run them."""
    max_batch_inputs: int | None = None
    max_batch_tokens: int | None = None
    scores: Mapping[str, float] = msgspec.field(default_factory=dict)
    """Published: nDCG@10 x 100 a task; `retrieval` is the mean over BEIR's 15; `overall` MTEB's own mean."""
    scores_source: str = ""
    warning: str = ""
    notes: str = ""
    sources: str = ""

    @property
    def open_weights(self) -> bool:
        return "local" in self.provider_ids

    @property
    def provider(self) -> str:
        """Who runs it unless the user says otherwise."""
        return next(iter(self.provider_ids), "local")

    @property
    def retrieval(self) -> float | None:
        """Mean nDCG@10 x 100 over BEIR, computed from the results where all 15 are there, else as published."""
        return self.scores.get("retrieval", self.scores.get("retrieval_published"))

    @property
    def can_cut(self) -> bool:
        return bool(self.matryoshka or self.matryoshka_range)

    def allows_dimensions(self, wanted: int) -> bool:
        """Whether vectors of `wanted` dimensions are what the model was trained to give."""
        if wanted == self.dimensions or wanted in self.matryoshka:
            return True
        low, high = self.matryoshka_range or (1, 0)
        return low <= wanted <= high

    def allowed_dimensions(self) -> str:
        """For a message: ``256, 512, 1024`` or ``any from 1 to 1536``."""
        if self.matryoshka_range:
            return f"any from {self.matryoshka_range[0]} to {self.matryoshka_range[1]}"
        return ", ".join(str(d) for d in sorted({*self.matryoshka, *([self.dimensions] if self.dimensions else [])}))

    def speaks(self, language: str) -> bool | None:
        """None where the sources do not say. ``multilingual`` is taken at its word."""
        if not self.languages:
            return None
        return language.lower() in self.languages or MULTILINGUAL in self.languages

    def to_dict(self) -> dict[str, Any]:
        """What is known; unknown fields are null, notes only where there are any."""
        data: dict[str, Any] = msgspec.to_builtins(self)
        return {k: v for k, v in data.items() if v or not k.endswith(("note", "warning", "retired"))}


class RerankerCard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reranker."""

    id: str
    aliases: tuple[str, ...] = ()
    """Short names that people type."""
    family: str = ""
    provider_ids: Mapping[str, str] = msgspec.field(default_factory=dict)
    architecture: str = ""
    parameters: int | None = None
    size_mb: int | None = None
    max_tokens: int | None = None
    max_tokens_note: str = ""
    languages: tuple[str, ...] = ()
    languages_note: str = ""
    licence: str = ""
    commercial: bool | None = None
    restriction: str = ""
    released: str = ""
    trust_remote_code: bool | None = None
    score_output: str = ""
    """What its scores are: logits are not comparable with probabilities."""
    format: str = ""
    """How query and document are put together, where it is not a plain pair."""
    price: str = ""
    """In the provider's own unit: a search, a query or a million tokens."""
    price_date: str = ""
    price_source: str = ""
    published_scores: str = ""
    scores_source: str = ""
    notes: str = ""
    sources: str = ""

    def to_dict(self) -> dict[str, Any]:
        data: dict[str, Any] = msgspec.to_builtins(self)
        return {k: v for k, v in data.items() if v or not k.endswith("note")}


def inconsistencies(card: ModelCard) -> Iterator[str]:
    """What cannot be true of a card at once."""
    for check, complaint in _CHECKS:
        if check(card):
            yield f"{card.id}: {complaint}"


def _prompt_lacks_space(card: ModelCard) -> bool:
    """A text prefix ends in white space; Qwen's instruction ends in a bare ``Query:`` by design."""
    return any(not p[-1].isspace() and not p.endswith("\nQuery:") for p in card.prompts.values() if p)


def _cut_above(card: ModelCard) -> bool:
    """Providers may offer more dimensions than they give by default; weights have what they have."""
    return card.open_weights and any(d > (card.dimensions or 0) for d in card.matryoshka)


_CHECKS = (
    (lambda c: "/" not in c.id or c.id != c.id.strip(), "its id is no provider/model or Hugging Face id"),
    (lambda c: not c.provider_ids, "nobody runs it"),
    (lambda c: not c.sources, "its facts have no source"),
    (lambda c: c.dimensions is not None and not 1 <= c.dimensions <= 16384, "no model has such dimensions"),
    (lambda c: c.max_tokens is not None and c.unlimited_tokens, "a token limit, and none"),
    (lambda c: bool(c.max_tokens and c.max_tokens_architecture and c.max_tokens > c.max_tokens_architecture),
     "its token limit is above what the architecture takes"),
    (_cut_above, "Matryoshka dimensions above its own"),
    (lambda c: bool(c.matryoshka) and list(c.matryoshka) != sorted(set(c.matryoshka)), "Matryoshka list out of order"),
    (lambda c: c.matryoshka_range is not None and c.matryoshka_range[0] > c.matryoshka_range[1], "an empty range"),
    (lambda c: not set(c.prompts) | set(c.role_parameter) <= {"query", "document"}, "a prompt for no role"),
    (_prompt_lacks_space, "a prompt runs into the text: it ends without white space"),
    (lambda c: bool(c.prompts) and not c.prompts_known, "prompts given, and said to be unknown"),
    (lambda c: c.commercial is True and "-nc" in c.licence, "a non-commercial licence that allows commercial use"),
    (lambda c: c.commercial is not None and not c.licence, "terms without a licence"),
    (lambda c: c.usd_per_million_tokens is not None and not c.price_date, "a price without a date"),
    (lambda c: c.usd_per_million_tokens is not None and not 0 < c.usd_per_million_tokens < 50, "no such price"),
    (lambda c: bool(c.scores) and not c.scores_source, "scores without a source"),
    (lambda c: any(not 0 < s <= 100 for s in c.scores.values()), "a score outside 0 to 100"),
    (lambda c: bool(c.parameters and c.size_mb and not 0.9 <= c.size_mb * 1e6 / c.parameters <= 4.5),
     "size and parameters do not fit any number type"),
    (lambda c: c.open_weights and c.usd_per_million_tokens is not None, "open weights with a single price"),
)  # fmt: skip
