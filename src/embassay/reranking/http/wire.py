"""Shapes in which services answer with scores. Most of them share one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from embassay.embedders.http.rows import decoded
from embassay.embedders.http.wire import said
from embassay.errors import BadReply
from embassay.reranking.http.api import RerankReply

LISTS = ("results", "data")
"""Under which the scores stand: of Cohere, Jina and their like; of Voyage and vLLM."""
SCORES = ("relevance_score", "score")
_ANYTHING = msgspec.json.Decoder(Any)


def scores_of(body: bytes, *billed: str) -> RerankReply:
    """``{"results": [{"index": 0, "relevance_score": 0.9}]}``, with ``data`` and ``score`` in their place, or a bare
    list of such items; `billed` is the path to what is billed. Raises BadReply or ValueError.
    """
    answer: Any = decoded(body, _ANYTHING, Any)
    found = answer
    if isinstance(answer, Mapping):
        found = next((answer[key] for key in LISTS if key in answer), None)
    if not isinstance(found, list):
        raise BadReply("the reply has no list of scores.")
    items = [_item(one) for one in found]
    return RerankReply(items, said(answer, *billed) if billed else None)


def _item(one: object) -> tuple[object, object]:
    if not isinstance(one, Mapping):
        raise BadReply(f"{str(one)[:40]!r} is no score of a text.")
    return one.get("index"), next((one[key] for key in SCORES if key in one), None)
