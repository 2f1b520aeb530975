"""Prometheus: what the server counts, as `embassay_*`, and the names of Text Embeddings Inference beside them.

Callers on the same machine need no key for them. Those on others need one that may read, unless the server was started
with `--open-metrics`.
"""

from __future__ import annotations

from embassay.server.call import Call
from embassay.server.problems import Problem
from embassay.server.route import Answer, Route


async def metrics(call: Call) -> Answer:
    """All metrics, in the format that the client asks for."""
    page, media = call.service.metrics.page(call.headers.get("accept", ""))
    return Answer(page, media=media)


def failure(problem: Problem) -> tuple[int, object]:
    """The code and the words."""
    return problem.status, {"error": {"code": problem.code, "message": problem.sentence}}


ROUTES = (
    Route("GET", "/metrics", metrics, "What the server counts, for Prometheus", media="text/plain", open_near=True),
)
