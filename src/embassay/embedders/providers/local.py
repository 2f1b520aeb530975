"""The local engine: sentence-transformers models on this machine's CPU, without torch.

``model_id`` is a Hugging Face id or a folder. Nothing leaves the machine.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from embassay.config.values import DEFAULT_MODEL
from embassay.embedders.local.embedder import LocalEmbedder
from embassay.embedders.settings import Settings as CommonSettings

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Precision


class Settings(CommonSettings, frozen=True, kw_only=True):
    model_id: str = DEFAULT_MODEL
    """A Hugging Face id or a folder."""
    offline: bool = False
    """Never ask the hub."""


def takes(model_id: str) -> bool:
    """The bare name of the provider is a model too: the default one."""
    return True


def open_local(model: str, precision: Precision = "auto", *, offline: bool = False) -> LocalEmbedder:
    """A model on the local engine without a registry, with the prompts of the shipped cards.

    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    from embassay.catalog.catalog import shipped

    return open_embedder(Settings(model_id=model, precision=precision, offline=offline), shipped().get(model))


def open_embedder(settings: Settings, card: ModelCard | None) -> LocalEmbedder:
    """The model in `settings` on the local engine. It is found or downloaded now and loaded when it is needed.

    Raises ModelNotFound, ModelUnsupported, DownloadFailed or DigestMismatch.
    """
    from embassay.engine.load import load

    return LocalEmbedder(
        load(
            settings.model_id,
            settings.precision,
            offline=settings.offline,
            prompts=partial(settings.prompts, card),
            max_tokens=settings.max_tokens,
            measure=card.similarity if card else "",
        )
    )
