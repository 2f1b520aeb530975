"""A model repository's own ONNX file on ONNX Runtime, pooled as the repository says.

Needs the extra ``onnx``: ``pip install '.[onnx]'`` in the checkout. The file is part of the space: an optimised or
quantised one is another space until canary texts prove otherwise (see fallback chains).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.settings import Settings as CommonSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard


class Settings(CommonSettings, frozen=True, kw_only=True):
    model_id: str = DEFAULT_MODEL
    """A Hugging Face id or a folder."""
    file: str = ""
    """In the repository; default: ``onnx/model.onnx``, else ``model.onnx``."""
    providers: list[str] = []
    """ONNX Runtime's execution providers, best first; default: what is there, CUDA before CPU."""


def open_embedder(settings: Settings, card: ModelCard | None) -> LocalEmbedder:
    """The ONNX file that `settings` choose, on ONNX Runtime. It is found at once, and loaded when it is first needed.

    Raises ModelNotFound, ModelUnsupported or PluginError.
    """
    from embassay.engine.load import load_onnx

    return LocalEmbedder(
        load_onnx(
            settings.model_id,
            settings.file,
            settings.providers,
            prompts=partial(settings.prompts, card),
            max_tokens=settings.max_tokens,
            measure=card.similarity if card else "",
        )
    )
