"""What a client may ask of a search: sets that its key sees, rerankers that are served, no more than is bearable."""

from __future__ import annotations

from typing import TYPE_CHECKING

from embassay.search.base import Arm, Last, Stage
from embassay.server.own import unknown, visible_sets
from embassay.server.refusals import RequestInvalid

if TYPE_CHECKING:
    from embassay.search.pipeline import Pipeline
    from embassay.server.call import Call

MOST_HITS = 1_000
MOST_CANDIDATES = 10_000
"""That one arm may hand on, or one stage look at."""
CONFIGURED = "default"
"""In the place of a name: the reranker of the configuration."""


def check_pipeline(call: Call, pipeline: Pipeline) -> None:
    """Raises RequestInvalid, SetNotFound, ModelNotFound or NotAllowed for what the client may not ask for."""
    for stage in (*pipeline.arms, *pipeline.stages):
        _check_stage(call, stage)


def check_there(call: Call, name: str) -> None:
    """Raises SetNotFound for a set that the key does not see, or that is not there."""
    call.set = name
    call.principal.check("read", set=name)
    if not call.service.home.holds(name):
        raise unknown(name, visible_sets(call.service.home, call.principal))


def check_reranker(call: Call, name: str) -> None:
    """Raises ModelNotFound, NotAllowed."""
    call.service.models.find_reranker("" if name == CONFIGURED else name, call.principal)


def _check_stage(call: Call, stage: Stage) -> None:
    deep = stage.hits if isinstance(stage, Last) else getattr(stage, "depth", 0)
    most = MOST_HITS if isinstance(stage, Last) else MOST_CANDIDATES
    if deep > most:
        raise RequestInvalid(f"{stage} looks at more than {most:,} chunks, which a server does not.", place="strategy")
    if isinstance(stage, Arm) and stage.elsewhere:
        check_there(call, stage.elsewhere)
    for name in stage.rerankers:
        check_reranker(call, name)
