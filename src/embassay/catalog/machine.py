"""How fast a machine computes, and what a model costs on it: arithmetic, until it is measured."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.catalog.architectures import ARCHITECTURES
from embassay.catalog.card import ModelCard

QUERY_TOKENS = 16
HOSTED_QUERY_MS = 200.0
"""A hosted model's answer to one query: published comparisons say 200 to 800 ms; `models probe` measures it."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine was seen to do.

    The defaults are those of 2 cores with AVX-512, bf16 and VNNI, measured with all-MiniLM-L6-v2: one query of 16
    tokens in 2.5 ms, and 12,900 tokens a second in batches, at 22 million multiplications a token.
    """

    query_flops: float = 140e9
    """Per second, for one short text alone."""
    batch_flops: float = 283e9
    """Per second, in full batches."""
    bandwidth: float = 10e9
    """Bytes a second that a scan of vectors reads."""
    measured_on: str = ""
    """The day; empty where the figures are not this machine's."""
    spread: float = 1.0
    """The median time of one query over the shortest: far above 1 where something else kept the machine busy."""

    @property
    def measured(self) -> bool:
        """Whether the figures are this machine's."""
        return bool(self.measured_on)

    def to_dict(self) -> dict[str, object]:
        """The machine as the JSON output has it."""
        return {
            "measured_on": self.measured_on or None,
            "spread": round(self.spread, 2),
            "query_flops": round(self.query_flops),
            "batch_flops": round(self.batch_flops),
            "bandwidth": round(self.bandwidth),
        }

    def query_ms(self, card: ModelCard) -> float | None:
        """Milliseconds that one query takes on this machine; None where the model's size is unknown."""
        per_token = flops_per_token(card)
        return None if per_token is None else per_token * QUERY_TOKENS / self.query_flops * 1e3

    def tokens_per_second(self, card: ModelCard) -> float | None:
        """Tokens that full batches embed in a second; None where the model's size is unknown."""
        per_token = flops_per_token(card)
        return None if not per_token else self.batch_flops / per_token


def flops_per_token(card: ModelCard) -> float | None:
    """Floating-point operations for one token: 2 for each weight that it meets; None where the size is unknown.

    Static models only look vectors up.
    """
    if card.architecture == "static":
        return 1e4
    if card.parameters is None:
        return None
    vocabulary = ARCHITECTURES.get(card.architecture, ARCHITECTURES["bert"]).vocabulary
    if "XLM-R vocabulary" in card.architecture_note:
        vocabulary = ARCHITECTURES["xlm-roberta"].vocabulary
    embedding = card.embedding_parameters or vocabulary * (card.dimensions or 0)
    return 2.0 * max(card.parameters - embedding, 0.1 * card.parameters)


@dataclass(frozen=True, slots=True)
class Form:
    """One way to store vectors, and what a million of them take."""

    name: str
    dimensions: int
    bytes_per_million: int
    search_ms_per_million: float
    """To scan them all; an ANN index reads a part."""

    def to_dict(self) -> dict[str, object]:
        """The form as the JSON output has it."""
        return {
            "form": self.name,
            "dimensions": self.dimensions,
            "bytes_per_million": self.bytes_per_million,
            "search_ms_per_million": round(self.search_ms_per_million, 1),
        }


def forms(card: ModelCard, machine: Machine) -> list[Form]:
    """The ways to store the vectors of a model: float32, the smallest useful Matryoshka cut, int8 and binary.

    The list is empty where the dimensions are unknown.
    """
    if card.dimensions is None:
        return []
    shapes = [("float32", card.dimensions, 4.0)]
    if (cut := _useful_cut(card)) is not None:
        shapes.append((f"matryoshka-{cut}", cut, 4.0))
    shapes += [("int8", card.dimensions, 1.0), ("binary", card.dimensions, 1 / 8)]
    return [
        Form(name, dims, int(dims * size * 1e6), dims * size * 1e6 / machine.bandwidth * 1e3)
        for name, dims, size in shapes
    ]


SMALLEST_CUT = 256
"""Cuts below this lose more than they save in most published tables."""


def _useful_cut(card: ModelCard) -> int | None:
    full = card.dimensions or 0
    listed = [d for d in card.matryoshka if SMALLEST_CUT <= d < full]
    if listed:
        return min(listed)
    low, high = card.matryoshka_range or (1, 0)
    return SMALLEST_CUT if low <= SMALLEST_CUT <= high and full > SMALLEST_CUT else None
