"""A card from a model's own files, for models that the catalog does not know."""

from __future__ import annotations

from embassay.catalog.card import ModelCard
from embassay.engine.load import load
from embassay.engine.weights import weight_files
from embassay.errors import ModelUnsupported


def card_of_files(model: str) -> ModelCard:
    """What the files of `model` say; nothing is downloaded. Raises ModelNotFound, ModelUnsupported."""
    found = load(model, offline=True)
    spec = found.spec
    try:
        dimensions = found.dimensions
    except ModelUnsupported:
        dimensions = None
    size = sum(file.stat().st_size for file in weight_files(spec.folder))
    return ModelCard(
        id=model,
        family="unknown",
        provider_ids={"local": model},
        architecture=spec.architecture,
        size_mb=round(size / 1e6) or None,
        dimensions=dimensions,
        max_tokens=spec.max_tokens,
        pooling=spec.pooling,
        normalised=spec.normalised,
        similarity=found.similarity,
        prompts=dict(found.prompts),
        prompts_known=bool(found.prompts),
        notes="No card: read from the model's own files. Licence, languages, scores and prompts that its files do not "
        "name are unknown.",
        sources=str(spec.folder),
    )
