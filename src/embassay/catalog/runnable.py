"""Where a model runs: on the local engine, from an ONNX file, with an extra, or at a provider."""

from __future__ import annotations

from embassay.catalog.architectures import is_built_here
from embassay.catalog.card import ModelCard


def on_engine(card: ModelCard) -> bool:
    """Whether the local engine builds the model from its weights; JinaBERT and others only share the name of BERT."""
    return card.open_weights and is_built_here(card.architecture) and not card.trust_remote_code


def runs_here(card: ModelCard) -> bool:
    """Whether the local engine runs the model: built from its weights, or from the ONNX file of its repository."""
    return bool(on_engine(card) or card.onnx)


def how_it_runs(card: ModelCard) -> str:
    """What a user has to have to run the model, in a few words."""
    if not card.open_weights:
        return f"hosted by {card.provider}"
    if on_engine(card):
        return "runs on the local engine"
    return "runs from its ONNX file" if card.onnx else "needs embassay[torch]"
