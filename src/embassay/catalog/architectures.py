"""Architectures of models by their ``model_type``: what is known of each without opening one.

The local engine has a layout for each that it builds; `tests/engine/test_layouts.py` holds the two against each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Architecture:
    """What the models of one architecture have in common."""

    vocabulary: int
    """Rows of the word embeddings, from the models' own configurations: looked up, not computed with."""
    built_here: bool = False
    """Whether the local engine builds it from its weights."""


ARCHITECTURES: Mapping[str, Architecture] = {
    "bert": Architecture(30_522, built_here=True),
    "camembert": Architecture(32_005, built_here=True),
    "distilbert": Architecture(30_522, built_here=True),
    "mpnet": Architecture(30_527, built_here=True),
    "roberta": Architecture(50_265, built_here=True),
    "xlm-roberta": Architecture(250_002, built_here=True),
    "gemma3": Architecture(262_144),
    "modernbert": Architecture(50_368),
    "nomic-bert": Architecture(30_528),
    "nomic-bert-moe": Architecture(250_048),
    "qwen2": Architecture(151_646),
    "qwen3": Architecture(151_669),
}


def is_built_here(architecture: str) -> bool:
    """Whether the local engine builds models of an architecture from their weights."""
    return architecture in ARCHITECTURES and ARCHITECTURES[architecture].built_here
