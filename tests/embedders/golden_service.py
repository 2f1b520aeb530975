"""A service that speaks a provider's protocol, learnt from its golden file: where texts stand in a request, and vectors in a reply."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from embassay.embedders.providers.hash import hashed
from embassay.embedders.texts.estimate import EstimatedTokens
from tests.servers import Answer, Received

FOLDER = Path(__file__).parent / "golden"
GOLDEN = {file.stem: json.loads(file.read_text("utf-8")) for file in sorted(FOLDER.glob("*.json"))}

Trail = tuple[Any, ...]


def service(provider: str, dimensions: int) -> Callable[[Received], Answer]:
    """Gives every text a vector of its own, in the shape of the first case whose reply holds plain numbers."""
    golden = GOLDEN[provider]
    case = next(case for case in golden["cases"] if find(case["reply"]["body"], case["vectors"][0]) is not None)

    def handle(request: Received) -> Answer:
        if request.method == "GET":
            return answer_get(provider, request)
        texts = texts_in(request.json, case)
        vectors = hashed(texts, dimensions).tolist()
        reply, headers = reply_with(case, vectors), dict(case["reply"]["headers"])
        billed = sum(EstimatedTokens(512).count(texts))
        for trail, part in list(walk(reply)):  # it bills what it gets
            if isinstance(part, int) and trail and part == case["tokens"] and str(trail[-1]) != "index":
                put(reply, trail, billed)
        headers |= {name: str(billed) for name, text in headers.items() if text == str(case["tokens"])}
        return Answer(reply, headers=headers)

    return handle


def answer_get(provider: str, request: Received) -> Answer:
    return Answer(GOLDEN[provider].get("gets", {}).get(request.path, {}))


def texts_in(body: Any, case: dict[str, Any]) -> list[str]:
    """The texts of a request of the case's shape."""
    sent = case["request"]["body"]
    trail = find_text(sent, case["texts"][0])
    assert trail is not None, "the golden request does not hold its text"
    at = next((i for i, step in enumerate(trail) if isinstance(step, int)), None)
    if at is None:
        return [follow(body, trail)]
    items = follow(body, trail[:at])
    return [follow(item, trail[at + 1 :]) for item in items]


def reply_with(case: dict[str, Any], vectors: list[list[float]]) -> Any:
    """The case's reply with other vectors in it."""
    reply = copy.deepcopy(case["reply"]["body"])
    trail = find(reply, case["vectors"][0])
    assert trail is not None
    at = next((i for i, step in enumerate(trail) if isinstance(step, int)), None)
    if at is None:
        for place in [trail for trail, part in walk(reply) if part == case["vectors"][0]]:
            put(reply, place, vectors[0])
        return reply
    items = follow(reply, trail[:at])
    sample = items[trail[at]]
    made = []
    for i, vector in enumerate(vectors):
        item = copy.deepcopy(sample)
        if trail[at + 1 :]:
            put(item, trail[at + 1 :], vector)
        else:
            item = vector
        if isinstance(item, dict) and "index" in item:
            item["index"] = i
        made.append(item)
    items[:] = made
    return reply


def walk(value: Any, trail: Trail = ()) -> Iterator[tuple[Trail, Any]]:
    yield trail, value
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in steps:
        yield from walk(part, (*trail, key))


def find(value: Any, wanted: Any) -> Trail | None:
    return next((trail for trail, part in walk(value) if part == wanted), None)


def find_text(value: Any, text: str) -> Trail | None:
    """A prompt may stand before it."""
    return next((trail for trail, part in walk(value) if isinstance(part, str) and part.endswith(text)), None)


def follow(value: Any, trail: Trail) -> Any:
    for step in trail:
        value = value[step]
    return value


def put(value: Any, trail: Trail, new: Any) -> None:
    follow(value, trail[:-1])[trail[-1]] = new
