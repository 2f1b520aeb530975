"""Services that are well, but for one kind of text: what each of them makes of a request that holds one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from embassay.embedders.providers.hash import hashed
from tests.embedders.http.services import GOOD
from tests.servers import Answer, Received, openai_body

BAD = "POISON"
"""The word that no such service can embed."""

Failing = Callable[[Received, "list[int]"], Answer]
"""What a service answers to a request that holds bad texts at these places."""


def service(failing: Failing) -> Callable[[Received], Answer]:
    def handle(request: Received) -> Answer:
        if request.method == "GET":
            return GOOD(request)
        bad = [at for at, text in enumerate(request.json["input"]) if BAD in text]
        return failing(request, bad) if bad else GOOD(request)

    return handle


def fails(message: object, status: int = 500) -> Failing:
    """The whole request fails."""
    return lambda request, bad: Answer(message, status)


def changed(change: Callable[[list[Any], list[int]], list[Any]]) -> Failing:
    """The reply is a good one but for `change` to its items."""

    def failing(request: Received, bad: list[int]) -> Answer:
        body = openai_body(hashed(request.json["input"], 64), tokens=None)
        return Answer(json.dumps(body | {"data": change(body["data"], bad)}).encode())

    return failing


def in_place(value: Any) -> Failing:
    """Something else stands in place of the vector."""

    def change(items: list[Any], bad: list[int]) -> list[Any]:
        return [item | {"embedding": value} if at in bad else item for at, item in enumerate(items)]

    return changed(change)


def without(items: list[Any], bad: list[int]) -> list[Any]:
    return [item for at, item in enumerate(items) if at not in bad]


def unnumbered(items: list[Any], bad: list[int]) -> list[Any]:
    return [{"embedding": item["embedding"]} for item in without(items, bad)]


def renumbered(items: list[Any], bad: list[int]) -> list[Any]:
    return [item | {"index": at} for at, item in enumerate(without(items, bad))]


def packed(request: Received, bad: list[int]) -> Answer:
    vectors = hashed(request.json["input"], 64)
    vectors[bad] = np.nan
    return Answer(openai_body(vectors, base64=True, tokens=None))


def spread(request: Received, bad: list[int]) -> Answer:
    """One text makes NaN of the whole batch."""
    return Answer(openai_body(np.full((len(request.json["input"]), 64), np.nan), base64=True, tokens=None))


NAN_TEXT = "failed to encode response: json: unsupported value: NaN"
KINDS: dict[str, Failing] = {
    "500": fails({"error": {"message": "boom"}}),
    "500 without a word": fails(b""),
    "500 of NaN": fails({"error": NAN_TEXT}),
    "502 of a proxy": fails(b"<html><title>502 Bad Gateway</title></html>", 502),
    "403 of a firewall": fails(b"<html><title>Request blocked</title></html>", 403),
    "the connection breaks": lambda request, bad: Answer(b"x" * 99, cut=9),
    "200 with an error": fails({"error": {"message": "tokenizer panicked"}}, 200),
    "200 with an error in words": fails({"error": NAN_TEXT}, 200),
    "200 with detail": fails({"detail": "Out of range float values are not JSON compliant"}, 200),
    "200 without data": fails({"object": "list", "data": []}, 200),
    "200 without a body": fails(b"", 200),
    "null": in_place(None),
    "null for a number": in_place([None] + [0.1] * 63),
    "NaN": in_place([float("nan")] * 64),
    "one NaN": in_place([float("nan")] + [0.1] * 63),
    "infinity": in_place([float("-inf")] + [0.1] * 63),
    "words for numbers": in_place(["NaN"] * 64),
    "zero": in_place([0.0] * 64),
    "nothing": in_place([]),
    "a shorter one": in_place([0.1] * 63),
    "no vector": changed(without),
    "no vector, no index": changed(unnumbered),
    "no vector, other indexes": changed(renumbered),
    "null for the item": changed(lambda items, bad: [None if at in bad else one for at, one in enumerate(items)]),
    "NaN in base64": packed,
    "NaN for all": spread,
    "two vectors": changed(lambda items, bad: items + [items[at] for at in bad]),
}
