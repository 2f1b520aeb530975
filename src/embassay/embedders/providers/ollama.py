"""Ollama, by its own ``/api/embed``. It knows no roles: prompts are put before the text here.

The model's digest is read from the server and is part of the space: another pull of the same name is another space.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from embassay.embedders.http.api import Api, Caps, Description, Get, Reply, Request
from embassay.embedders.http.rows import decoded, rows
from embassay.embedders.settings import HttpSettings
from embassay.errors import RequestRefused

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role


PORT = 11434


class Settings(HttpSettings, frozen=True, kw_only=True):
    num_ctx: int | None = None
    """The context length that the server gives the model; default: the model's token limit."""
    keep_alive: str = "5m"
    """How long the server keeps the model loaded."""


class _Answer(msgspec.Struct):
    embeddings: list[list[float]]
    prompt_eval_count: Any = None


class _LooseAnswer(msgspec.Struct):
    embeddings: list[Any]
    prompt_eval_count: Any = None


class _Tag(msgspec.Struct):
    name: str
    digest: str = ""


class _Tags(msgspec.Struct):
    models: list[_Tag]


_ANSWER = msgspec.json.Decoder(_Answer)


class Ollama(Api):
    name = "ollama"
    url = "http://localhost:11434"
    caps = Caps(128)
    normalises = True

    settings: Settings

    def base_url(self) -> str:
        return self.settings.base_url.rstrip("/") or _address(os.environ.get("OLLAMA_HOST", "") or self.url)

    def user_urls(self) -> Sequence[str]:
        return [_address(host) for host in filter(None, [os.environ.get("OLLAMA_HOST")])]

    def is_default_service(self) -> bool:
        return False  # weights are whatever was pulled there

    def request(self, texts: Sequence[str], role: Role) -> Request:
        context = self.settings.num_ctx or self.settings.max_tokens or (self.card.max_tokens if self.card else None)
        body: dict[str, object] = {
            "model": self.model,
            "input": list(texts),
            "truncate": False,
            "keep_alive": self.settings.keep_alive,
        }
        if context:
            body["options"] = {"num_ctx": context}
        return Request("/api/embed", body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        answer = decoded(body, _ANSWER, _LooseAnswer)
        return Reply(rows(answer.embeddings, count), answer.prompt_eval_count)

    def describe(self, get: Get) -> Description:
        """The digest of the weights, from ``/api/tags``. Raises RequestRefused for a model that is not there."""
        tags = {tag.name: tag.digest for tag in msgspec.json.decode(get("/api/tags"), type=_Tags).models}
        digest = tags.get(self.model) or tags.get(f"{self.model}:latest")
        if digest is None:
            raise RequestRefused(f"ollama has no model {self.model!r}.", remedy=f"ollama pull {self.model}")
        return Description(revision=digest)


def _address(host: str) -> str:
    """OLLAMA_HOST may be a bare host, and the address that a server listens on."""
    host = host.rstrip("/")
    parts = urlsplit(host if "://" in host else f"http://{host}")
    name = "127.0.0.1" if parts.hostname in (None, "0.0.0.0", "::") else parts.hostname
    port = parts.port or {"https": 443}.get(parts.scheme, PORT)
    return f"{parts.scheme}://{name}:{port}{parts.path}"


def open_api(settings: Settings, card: ModelCard | None) -> Ollama:
    """The Ollama server at the base URL in `settings`. It is asked for the model when the first text comes."""
    return Ollama(settings, card)
