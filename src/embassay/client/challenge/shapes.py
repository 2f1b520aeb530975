"""What answers look like in each dialect: where vectors, scores and names stand in them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from embassay.types import Value

Kind = Literal["vectors", "scores", "texts"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What stands at a place of an answer; a star is every element of a list."""

    kind: Kind
    place: str
    least: int = 1
    """How many there are at least."""

    def fault(self, answer: Value) -> str:
        """What is wrong with an answer, as a sentence; nothing where it is as it should be."""
        try:
            found = _at(answer, self.place.split(".") if self.place else [])
        except (LookupError, TypeError):
            return f"there is no {self.place}."
        if len(found) < self.least:
            return f"{self.place} has {len(found)} {self.kind}, not {self.least}."
        return _FAULTS[self.kind](found, self.place)


def _at(answer: Value, steps: Sequence[str]) -> list[Value]:
    """Every value at a place. Raises LookupError, TypeError where there is none."""
    if not steps:
        return [answer]
    first, *rest = steps
    if first == "*":
        if not isinstance(answer, list):
            raise TypeError
        return [value for one in answer for value in _at(one, rest)]
    if not isinstance(answer, dict):
        raise TypeError
    return _at(answer[first], rest)


def _vectors(found: Sequence[Value], place: str) -> str:
    lengths = set()
    for row in found:
        if not isinstance(row, list) or not row or not all(_is_number(one) for one in row):
            return f"{place} is no vector of finite numbers."
        lengths.add(len(row))
    return f"vectors of {len(lengths)} lengths stand at {place}." if len(lengths) > 1 else ""


def _scores(found: Sequence[Value], place: str) -> str:
    return "" if all(_is_number(one) for one in found) else f"{place} is no finite number."


def _texts(found: Sequence[Value], place: str) -> str:
    return "" if all(isinstance(one, str) and one for one in found) else f"{place} is no text."


def _is_number(value: Value) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


_FAULTS = {"vectors": _vectors, "scores": _scores, "texts": _texts}

SHAPES: Mapping[tuple[str, str], Shape] = {
    ("POST", "/v1/embeddings"): Shape("vectors", "data.*.embedding"),
    ("POST", "/v1/embeddings/generate"): Shape("vectors", "embedding"),
    ("POST", "/v1/embed"): Shape("vectors", "embeddings.*"),
    ("POST", "/v2/embed"): Shape("vectors", "embeddings.float.*"),
    ("POST", "/embed"): Shape("vectors", "*"),
    ("POST", "/"): Shape("vectors", "*"),
    ("POST", "/embed_all"): Shape("vectors", "*.*"),
    ("POST", "/encode"): Shape("vectors", "embeddings.*"),
    ("POST", "/api/embed"): Shape("vectors", "embeddings.*"),
    ("POST", "/api/embeddings"): Shape("vectors", "embedding"),
    ("POST", "/similarity"): Shape("scores", "*"),
    ("POST", "/rerank"): Shape("scores", "*.score"),
    ("POST", "/v1/rerank"): Shape("scores", "results.*.relevance_score"),
    ("POST", "/v2/rerank"): Shape("scores", "results.*.relevance_score"),
    ("POST", "/score"): Shape("scores", "data.*.score"),
    ("POST", "/v1/score"): Shape("scores", "data.*.score"),
    ("GET", "/v1/models"): Shape("texts", "data.*.id"),
    ("GET", "/v1/models/{model}"): Shape("texts", "id"),
    ("GET", "/api/tags"): Shape("texts", "models.*.name"),
    ("GET", "/api/version"): Shape("texts", "version"),
    ("GET", "/version"): Shape("texts", "version"),
    ("GET", "/info"): Shape("texts", "model_id"),
    ("POST", "/mcp"): Shape("texts", "result.tools.*.name"),
    ("GET", "/api/v1/embedding-configs"): Shape("texts", "data.*.id"),
    ("GET", "/api/v1/embedding-sets"): Shape("texts", "data.*.slug", 0),
    ("POST", "/api/v1/embedding-sets"): Shape("texts", "slug"),
    ("GET", "/api/v1/search"): Shape("texts", "hits.*.document"),
    ("POST", "/api/v1/search"): Shape("texts", "hits.*.document"),
    ("GET", "/api/v1/embedding-sets/{slug}/documents"): Shape("texts", "data.*.id"),
    ("POST", "/api/v1/embedding-sets/{slug}/documents:get"): Shape("texts", "data.*.text"),
    ("POST", "/api/v1/compare"): Shape("texts", "verdict"),
    ("GET", "/api/v1/models/recommend"): Shape("texts", "recommended.*.id"),
    ("POST", "/api/v1/jobs"): Shape("texts", "id"),
}
