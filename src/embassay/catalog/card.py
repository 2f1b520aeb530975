"""A card: what is known of one model. A field that is None or empty is unknown, and said to be."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from embassay.catalog.scores import Scores, every_score, score_of
from embassay.config.values import not_negative, positive
from embassay.space import SIMILARITIES

MULTILINGUAL = "multilingual"


class Offer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a company asks for running open weights."""

    usd_per_million_tokens: float
    price_date: str
    price_source: str
    model: str = ""
    """As the company calls it; the model's own id where this is empty."""

    def __post_init__(self) -> None:
        """Raises ValueError for a price below 0."""
        not_negative(self, "usd_per_million_tokens")


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
    embedding_parameters: int | None = None
    """Of its word embeddings, where they are not one vector of its dimensions for each word of its architecture."""
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
    shares_space: str = ""
    """A name that models have in common whose vectors may be compared with each other, as their makers say."""
    shares_space_source: str = ""
    """Where they say so."""
    similarity: str = ""
    """How its vectors are compared, ``cosine`` or ``dot``: what the model was trained for."""
    prompts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """Role to the text put before the input, exact to the space."""
    task_prompts: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The same for what is not search: ``classification``, ``clustering``."""
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
    superseded_by: str = ""
    """The id of the model that its maker names in its place."""
    trust_remote_code: bool | None = None
    onnx: bool | None = None
    """Whether its repository has an ONNX file."""
    usd_per_million_tokens: float | None = None
    price_date: str = ""
    price_source: str = ""
    price_note: str = ""
    hosted: Mapping[str, Offer] = msgspec.field(default_factory=dict)
    """Companies that run open weights, and what they ask; `hosts` knows where they are reached."""
    max_batch_inputs: int | None = None
    max_batch_tokens: int | None = None
    scores: tuple[Scores, ...] = ()
    """Published, each with its source; of two figures for a task the first counts."""
    made_for_claim: str = ""
    """What its makers say of it in its domain, by figures that compare with no others, and where they say it."""
    warning: str = ""
    notes: str = ""
    sources: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that cannot be, and for a similarity that no search here can honour."""
        positive(self, "parameters", "embedding_parameters", "size_mb")
        positive(self, "max_tokens", "max_batch_inputs", "max_batch_tokens")
        not_negative(self, "usd_per_million_tokens")
        if self.similarity not in ("", *SIMILARITIES):
            raise ValueError(
                f"similarity is {self.similarity!r}, and vectors are compared by {' or '.join(SIMILARITIES)} here; "
                "write what the model was trained for, or leave it out where that is not known"
            )

    @property
    def open_weights(self) -> bool:
        """Whether anybody may run the model; otherwise only its provider does."""
        return "local" in self.provider_ids

    @property
    def provider(self) -> str:
        """Who runs it unless the user says otherwise."""
        return next(iter(self.provider_ids), "local")

    @property
    def retrieval(self) -> float | None:
        """Mean nDCG@10 x 100 over BEIR, computed from the results where all 15 are there, else as published."""
        return self.score("BEIR")

    def score(self, task: str) -> float | None:
        """The published score of a task, named as in `tasks`; None where none was found."""
        found = score_of(self.scores, task)
        return None if found is None else found.value

    @property
    def can_cut(self) -> bool:
        """Whether the model was trained for vectors to be cut to fewer dimensions."""
        return bool(self.matryoshka or self.matryoshka_range)

    def allows_dimensions(self, wanted: int) -> bool:
        """Whether vectors of `wanted` dimensions are what the model was trained to give."""
        if wanted == self.dimensions or wanted in self.matryoshka:
            return True
        low, high = self.matryoshka_range or (1, 0)
        return low <= wanted <= high

    def allowed_dimensions(self) -> str:
        """The dimensions that it may be cut to, for a message: ``256, 512, 1024`` or ``any from 1 to 1536``."""
        if self.matryoshka_range:
            return f"any from {self.matryoshka_range[0]} to {self.matryoshka_range[1]}"
        return ", ".join(str(d) for d in sorted({*self.matryoshka, *([self.dimensions] if self.dimensions else [])}))

    def speaks(self, language: str) -> bool | None:
        """Whether it was made for a language, given by its code; None where no source says.

        A model that calls itself ``multilingual`` is taken at its word.
        """
        if not self.languages:
            return None
        return language.lower() in self.languages or MULTILINGUAL in self.languages

    def to_dict(self) -> dict[str, object]:
        """The card as the JSON output has it; unknown fields are null, notes stand only where there are any."""
        data: dict[str, object] = msgspec.to_builtins(self)
        data["scores"] = [score.to_dict() for score in every_score(self.scores)]
        kept = ("note", "claim", "warning", "retired", "superseded_by", "task_prompts")
        return {k: v for k, v in data.items() if v or not k.endswith(kept)}


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
    usd_per_million_tokens: float | None = None
    """Where tokens are billed: those of the query count with each of the texts."""
    usd_per_thousand_searches: float | None = None
    """Where searches are billed, however long the texts are within a provider's bounds."""
    price_note: str = ""
    price_date: str = ""
    price_source: str = ""
    scores: tuple[Scores, ...] = ()
    """Published, each with its source."""
    notes: str = ""
    sources: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for numbers that cannot be."""
        positive(self, "parameters", "size_mb", "max_tokens")
        not_negative(self, "usd_per_million_tokens", "usd_per_thousand_searches")

    @property
    def price(self) -> str:
        """What it costs, in the provider's own unit; empty where nobody says."""
        if self.usd_per_thousand_searches is not None:
            return f"${self.usd_per_thousand_searches:g} per 1,000 searches"
        if self.usd_per_million_tokens is not None:
            return f"${self.usd_per_million_tokens:g} per 1M tokens"
        return ""

    def to_dict(self) -> dict[str, object]:
        """The card as the JSON output has it; unknown fields are null, notes stand only where there are any."""
        data: dict[str, object] = msgspec.to_builtins(self)
        data["scores"] = [score.to_dict() for score in every_score(self.scores)]
        data["price"] = self.price
        return {k: v for k, v in data.items() if v or not k.endswith("note")}
