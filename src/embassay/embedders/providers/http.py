"""A service of your own that takes texts and gives vectors: ``POST /encode {"texts": [...]}`` unless set otherwise.

Understood replies: ``{"embeddings": [[...]]}``, ``{"vectors": [[...]]}``, ``{"data": [[...]]}``,
``{"data": [{"embedding": [...]}]}``, a bare ``[[...]]`` or ``[{"embedding": [...]}]``, or the list under
``response_key``. Such services often cut in silence: set ``max_tokens`` to what the model takes, and texts above it are
cut here and flagged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from embassay import remedy
from embassay.embedders.http.api import Api, Caps, Reply, Request
from embassay.embedders.http.rows import by_index, decoded, rows
from embassay.embedders.settings import HttpSettings
from embassay.errors import BadReply, ConfigError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

KEYS = ("embeddings", "vectors", "data", "embedding")
_ANYTHING = msgspec.json.Decoder(Any)


class Settings(HttpSettings, frozen=True, kw_only=True):
    path: str = "/encode"
    """Below base_url."""
    request_key: str = "texts"
    """Under which the texts are sent."""
    response_key: str = ""
    """Under which the vectors come; default: whichever usual one is there."""
    role_key: str = ""
    """Under which the role is sent; default: it is not."""


class PlainService(Api):
    name = "http"
    url = ""
    caps = Caps(32)

    settings: Settings

    def __init__(self, settings: Settings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        if not settings.base_url:
            raise ConfigError(
                "provider http needs a base_url.", remedy=remedy.setting("base_url", "http://localhost:8000")
            )
        self.model = settings.model_id or "service"
        self.role_by_parameter = bool(settings.role_key)

    def is_default_service(self) -> bool:
        return False

    def request(self, texts: Sequence[str], role: Role) -> Request:
        body: dict[str, object] = {self.settings.request_key: list(texts)}
        if self.settings.role_key:
            body[self.settings.role_key] = role
        return Request(self.settings.path, body)

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        """Any of the shapes above, with the vectors in the order of their indexes where they have some."""
        answer: Any = decoded(body, _ANYTHING, Any)
        if isinstance(answer, dict):
            keys = (self.settings.response_key,) if self.settings.response_key else KEYS
            found = next((key for key in keys if key in answer), None)
            if found is None:
                raise BadReply(
                    f"the reply has none of {', '.join(keys)}.", remedy=remedy.setting("response_key", say="Set {}.")
                )
            answer = answer[found]
        if not isinstance(answer, list):
            raise BadReply("the reply has no list of vectors.")
        values = [one.get("embedding") if isinstance(one, dict) else one for one in answer]
        indexes = [one.get("index") if isinstance(one, dict) else None for one in answer]
        return Reply(rows(by_index(values, indexes, count), count))

    def variant(self) -> str:
        """The parts with spaces between them, as they were always written, or as JSON where that could be misread."""
        parts = [self.settings.path, self.settings.request_key, self.settings.role_key]
        if self.settings.response_key:
            parts.append(self.settings.response_key)
        elif not any(" " in part for part in parts) and not parts[0].startswith("["):
            return " ".join(parts)
        return msgspec.json.encode(parts).decode()

    def former_variant(self) -> str:
        """Without the key of the reply."""
        return f"{self.settings.path} {self.settings.request_key} {self.settings.role_key}"


def open_api(settings: Settings, card: ModelCard | None) -> PlainService:
    """The service at the base URL in `settings`. Raises ConfigError where there is none."""
    return PlainService(settings, card)
