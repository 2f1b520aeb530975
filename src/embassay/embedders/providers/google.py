"""Google: the Gemini API, or Vertex AI where ``project`` is set.

The role is ``taskType``, except for gemini-embedding-2, which takes it as a text before the input. Gemini bills
tokens but does not say how many, and has no flag against cutting: texts are cut here before they are sent. Vertex
takes an OAuth token (``gcloud auth print-access-token``) instead of a key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from embassay.embedders.http.api import Api, Caps, Reply, Request, sizes_by_card
from embassay.embedders.http.rows import rows
from embassay.embedders.settings import HttpSettings
from embassay.embedders.texts.bill import whole_number
from embassay.errors import ConfigError

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.types import Role

TASKS = {"query": "RETRIEVAL_QUERY", "document": "RETRIEVAL_DOCUMENT"}


class Settings(HttpSettings, frozen=True, kw_only=True):
    project: str = ""
    """Vertex AI: the project; without it the Gemini API is used."""
    location: str = "us-central1"
    """Vertex AI: the region, or ``global``."""


class _Statistics(msgspec.Struct):
    token_count: Any = None
    truncated: bool | None = False


class _Values(msgspec.Struct):
    values: list[float | None] = []
    statistics: _Statistics = msgspec.field(default_factory=_Statistics)


class _GeminiAnswer(msgspec.Struct):
    embeddings: list[_Values]


class _Prediction(msgspec.Struct):
    embeddings: _Values


class _VertexAnswer(msgspec.Struct):
    predictions: list[_Prediction]


class Gemini(Api):
    name = "google"
    url = "https://generativelanguage.googleapis.com/v1beta"
    key_variables = ("GEMINI_API_KEY", "GOOGLE_API_KEY")
    caps = Caps(100)
    max_tokens = 2048
    normalises = True  # done here: gemini-embedding-001 does not give length 1 below 3,072 dimensions

    def __init__(self, settings: HttpSettings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = not self.model.startswith("gemini-embedding-2")

    def authorise(self, key: str) -> Mapping[str, str]:
        return {"x-goog-api-key": key}

    def request(self, texts: Sequence[str], role: Role) -> Request:
        shared: dict[str, object] = {"model": f"models/{self.model}"}
        if self.role_by_parameter:
            shared["taskType"] = TASKS[role]
        if self.settings.dimensions:
            shared["outputDimensionality"] = self.settings.dimensions
        # one content for each text: several parts of one content make a single vector
        requests = [{**shared, "content": {"parts": [{"text": text}]}} for text in texts]
        return Request(f"/models/{self.model}:batchEmbedContents", {"requests": requests})

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        answer = msgspec.json.decode(body, type=_GeminiAnswer)
        return Reply(rows([one.values for one in answer.embeddings], count))


class Vertex(Api):
    name = "google"
    url = ""
    key_variables = ("GOOGLE_ACCESS_TOKEN",)
    hosts = ("aiplatform.googleapis.com", "*-aiplatform.googleapis.com")
    caps = Caps(250, 18_000)
    max_tokens = 2048
    normalises = True

    settings: Settings

    def __init__(self, settings: Settings, card: ModelCard | None) -> None:
        super().__init__(settings, card)
        self.role_by_parameter = True
        if self.model.startswith("gemini-embedding"):
            self.caps = Caps(1)  # type: ignore[misc]

    def base_url(self) -> str:
        where = self.settings.location
        host = "aiplatform.googleapis.com" if where == "global" else f"{where}-aiplatform.googleapis.com"
        place = f"/v1/projects/{self.settings.project}/locations/{where}/publishers/google/models"
        return (self.settings.base_url or f"https://{host}").rstrip("/") + place

    def is_default_service(self) -> bool:
        return not self.settings.base_url

    def request(self, texts: Sequence[str], role: Role) -> Request:
        parameters: dict[str, object] = {"autoTruncate": False}
        if self.settings.dimensions:
            parameters["outputDimensionality"] = self.settings.dimensions
        instances = [{"content": text, "task_type": TASKS[role]} for text in texts]
        return Request(f"/{self.model}:predict", {"instances": instances, "parameters": parameters})

    def parse(self, body: bytes, headers: Mapping[str, str], count: int) -> Reply:
        made = [one.embeddings for one in msgspec.json.decode(body, type=_VertexAnswer).predictions]
        counts = [one.statistics.token_count for one in made]
        numbers = [whole_number(n) for n in counts]
        wrong = next((n for n, number in zip(counts, numbers, strict=True) if number is None), None)
        tokens = None if None in counts else sum(n or 0 for n in numbers) if wrong is None else wrong
        truncated = [bool(one.statistics.truncated) for one in made]
        return Reply(rows([one.values for one in made], count), tokens, truncated)


sizes = sizes_by_card


def open_api(settings: Settings, card: ModelCard | None) -> Api:
    """The Gemini API, or Vertex AI where `settings` name a project. Nothing is sent yet.

    Raises ConfigError for a model that the chosen API does not have.
    """
    on_vertex_only = settings.model_id.startswith(("text-embedding-", "text-multilingual-embedding-"))
    if on_vertex_only and not settings.project:
        raise ConfigError(
            f"{settings.model_id} is on Vertex AI only.", remedy="Set project, or use gemini-embedding-001."
        )
    if settings.project and settings.model_id.startswith("gemini-embedding-2"):
        raise ConfigError(f"{settings.model_id} is not supported on Vertex AI.", remedy="Leave project out.")
    return Vertex(settings, card) if settings.project else Gemini(settings, card)
