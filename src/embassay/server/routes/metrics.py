"""Prometheus: what the server counts, as `embassay_*`, and the names of Text Embeddings Inference beside them.

Callers on the same machine need no key for them. Those on others need one that may read, unless whoever runs the server
shows them to all. Where several processes answer, each shows its own at a port of its own.
"""

from __future__ import annotations

from embassay import remedy
from embassay.server.call import Call
from embassay.server.problems import Problem
from embassay.server.refusals import NotAllowed, RequestInvalid
from embassay.server.route import Answer, Route


async def metrics(call: Call) -> Answer:
    """All metrics, in the format that the client asks for."""
    if call.principal.sets is not None or call.principal.models is not None:
        raise NotAllowed("metrics name all sets and models, and this key is for some of them.")
    shares = call.service.shares
    if shares and call.port != shares.own_port:
        raise RequestInvalid(
            "several processes answer here, and each counts for itself.",
            remedy=remedy.command(
                "serve", workers="N", metrics_port=9100, say="Ask each at a port of its own, as it has by"
            ),
        )
    page, media = await call.service.metrics_page(call.headers.get("accept", ""))
    return Answer(page, media=media)


def failure(problem: Problem) -> tuple[int, object]:
    """The code and the words."""
    return problem.status, {"error": {"code": problem.code, "message": problem.sentence}}


ROUTES = (
    Route("GET", "/metrics", metrics, "What the server counts, for Prometheus", media="text/plain", open_near=True),
)
