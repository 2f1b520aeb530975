"""OpenAI, Azure OpenAI, and every server with OpenAI's ``/embeddings``: vLLM, llama.cpp, LM Studio, LiteLLM, Infinity.

A server of your own goes by its ``base_url``, which ends in ``/v1`` on most. Indexes may count from 0 or from 1, and
vectors may lie in a bare list, one list deeper, or in base64. For Azure set ``base_url`` to the
resource (``https://NAME.openai.azure.com``), ``deployment`` to the deployment's name and ``model_id`` to the model
behind it; the key is then read from ``AZURE_OPENAI_API_KEY``, and the resource may come from
``AZURE_OPENAI_ENDPOINT``. Over-long texts are an error there; they are cut here and flagged.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from embassay import remedy
from embassay.embedders.http.api import Api, Caps, Reply, Request
from embassay.embedders.http.wire import openai_reply
from embassay.embedders.settings import HttpSettings
from embassay.errors import ConfigError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

AZURE_API_VERSION = "2024-10-21"
URL = "https://api.openai.com/v1"


class Settings(HttpSettings, frozen=True, kw_only=True):
    encoding_format: Literal["base64", "float", "omit", ""] = ""
    """How vectors come: base64 (default at OpenAI and Azure), float (default elsewhere), or omit to send nothing."""
    deployment: str = ""
    """Azure: the deployment's name."""
    api_version: str = AZURE_API_VERSION
    """Azure: version of the API."""


class OpenAI(Api):
    name = "openai"
    url = URL
    url_variable = "OPENAI_BASE_URL"
    key_variables = ("OPENAI_API_KEY",)
    caps = Caps(2048, 300_000)
    max_tokens = 8191

    settings: Settings

    def __init__(self, settings: Settings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        if settings.deployment:
            self.key_variables = ("AZURE_OPENAI_API_KEY",)  # type: ignore[misc]
        elif not self.is_default_service():
            self.caps, self.max_tokens = Caps(64), 512  # type: ignore[misc]

    def base_url(self) -> str:
        azure = os.environ.get("AZURE_OPENAI_ENDPOINT", "") if self.settings.deployment else ""
        return (self.settings.base_url or azure).rstrip("/") or super().base_url()

    def meant_url(self, path: str) -> str:
        """Nothing at Azure, whose addresses do not look like others."""
        return "" if self.settings.deployment else super().meant_url(path)

    def own_hosts(self) -> Sequence[str]:
        """None at Azure: anybody may have a resource there."""
        return () if self.settings.deployment else super().own_hosts()

    def user_urls(self) -> Sequence[str]:
        azure = os.environ.get("AZURE_OPENAI_ENDPOINT")
        return [*filter(None, [azure])] if self.settings.deployment else super().user_urls()

    def variant(self) -> str:
        """The deployment of Azure, which chooses the model, whatever `model_id` says of it."""
        return self.settings.deployment

    def former_variant(self) -> str:
        """The deployment where nothing else named the model."""
        return "" if self.model else self.settings.deployment

    def needs_key(self) -> bool:
        return bool(self.settings.deployment) or super().needs_key()

    def authorise(self, key: str) -> Mapping[str, str]:
        return {"api-key": key} if self.settings.deployment else super().authorise(key)

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, object] = {"model": self.settings.deployment or self.model, "input": list(texts)}
        if self.settings.dimensions:
            body["dimensions"] = self.settings.dimensions
        official = self.is_default_service() or self.settings.deployment
        format = self.settings.encoding_format or ("base64" if official else "float")
        if format != "omit":
            body["encoding_format"] = format
        return Request(self._path(), body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        return Reply(*openai_reply(body, count))

    def _path(self) -> str:
        base = self.base_url()
        if self.settings.deployment and not base.endswith("/v1"):
            version = quote(self.settings.api_version)
            return f"/openai/deployments/{quote(self.settings.deployment)}/embeddings?api-version={version}"
        return "/embeddings"


def sizes(settings: Settings, card: ModelCard | None) -> bool:
    """Compatible servers differ on ``dimensions``, some fail on it: there vectors are cut here."""
    official = bool(settings.deployment) or OpenAI(settings, card).is_default_service()
    return official and card is not None and card.can_cut


def open_api(settings: Settings, card: ModelCard | None) -> OpenAI:
    """OpenAI, Azure or a compatible server, as `settings` say. Nothing is sent yet.

    Raises ConfigError for half an Azure set-up: a key must not reach the wrong service.
    """
    base = OpenAI(settings, card).base_url()
    on_azure = ".azure.com" in base
    if settings.deployment and base == URL:
        raise ConfigError(
            "deployment is Azure's, and base_url is not set.",
            remedy=remedy.setting("base_url", "https://NAME.openai.azure.com"),
        )
    if on_azure and not settings.deployment:
        raise ConfigError(f"{base} is Azure's, and deployment is not set.", remedy=remedy.setting("deployment", "NAME"))
    return OpenAI(settings, card)
