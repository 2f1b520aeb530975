"""How each route is asked: by the example of the server's own OpenAPI document, but for those that need more.

A value such as ``$set`` stands for what an earlier answer gave, or what the challenge has made for itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from embassay.types import Value

NOTHING: Mapping[str, Value] = {}
NO_RERANKER = {"reranker": "no reranker is served here"}
"""Words of a refusal, and what that means: the route works, and there is nothing behind it."""
NOT_NOW = {"migration_state": "not in this state", "set_in_use": "another process is at it"}
NO_SUCH_MODEL = {
    "model": "no model of this kind is served here",
    "unsupported": "no model of this kind is served here",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """What is put in place of the example, or beside it."""

    query: Mapping[str, Value] = field(default_factory=dict)
    body: Mapping[str, Value] | None = None
    """In place of the whole example; None: the example."""
    fill: Mapping[str, Value] = field(default_factory=dict)
    """Fields of the example that have another value."""
    keeps: Mapping[str, str] = field(default_factory=dict)
    """Name to the field of the answer that has its value: later routes ask for it."""
    refusals: Mapping[str, str] = field(default_factory=dict)
    """Words of refusals that are none of the route's faults, and what they mean."""
    until: Sequence[str] = ()
    """States of the job that are waited for before."""
    needs_set: bool = False
    """Whether there is nothing to ask without a set of its own."""


SETS, JOBS = "/api/v1/embedding-sets", "/api/v1/jobs"
ONE, JOB = f"{SETS}/{{slug}}", f"{JOBS}/{{id}}"
DOCUMENTS = f"{ONE}/documents"
DONE = ("ready", "failed")

IN_ORDER: Mapping[tuple[str, str], Ask] = {
    ("POST", SETS): Ask(body={"name": "$set", "slug": "$set", "embedding_config_id": "$model"}),
    ("GET", SETS): Ask(),
    ("GET", ONE): Ask(needs_set=True),
    ("PATCH", ONE): Ask(body={"name": "Challenged"}, needs_set=True),
    ("POST", DOCUMENTS): Ask(needs_set=True),
    ("PUT", f"{DOCUMENTS}/{{id}}"): Ask(needs_set=True),
    ("GET", DOCUMENTS): Ask(needs_set=True),
    ("GET", f"{DOCUMENTS}/{{id}}"): Ask(needs_set=True),
    ("POST", f"{DOCUMENTS}:get"): Ask(needs_set=True),
    ("POST", f"{ONE}/index"): Ask(needs_set=True),
    ("GET", "/api/v1/search"): Ask(
        {"q": "when are keys rotated", "set": "$set"}, keeps={"search": "id"}, needs_set=True
    ),
    ("POST", "/api/v1/search"): Ask(fill={"set": "$set"}, needs_set=True),
    ("POST", "/api/v1/feedback"): Ask(
        fill={"search": "$search"}, refusals={"query log": "searches are not logged here"}, needs_set=True
    ),
    ("POST", JOBS): Ask(body={"set": "$set", "dtype": "float16"}, keeps={"job": "id"}, needs_set=True),
    ("GET", JOBS): Ask(),
    ("GET", JOB): Ask(needs_set=True),
    ("POST", f"{JOB}/pause"): Ask(refusals=NOT_NOW, needs_set=True),
    ("POST", f"{JOB}/resume"): Ask(refusals=NOT_NOW, needs_set=True),
    ("POST", f"{JOB}/switch"): Ask(until=DONE, refusals=NOT_NOW, needs_set=True),
    ("POST", f"{JOB}/rollback"): Ask(refusals=NOT_NOW, needs_set=True),
    ("POST", f"{JOB}/abort"): Ask(refusals=NOT_NOW, needs_set=True),
    ("DELETE", f"{DOCUMENTS}/{{id}}"): Ask(needs_set=True),
    ("POST", f"{DOCUMENTS}:delete"): Ask(needs_set=True),
    ("DELETE", DOCUMENTS): Ask({"path": "*"}, needs_set=True),
    ("DELETE", ONE): Ask(needs_set=True),
}
"""Routes that build on one another: a set is made, filled, searched, moved and removed."""
OTHERS: Mapping[tuple[str, str], Ask] = {
    ("POST", "/v1/rerank"): Ask(refusals=NO_RERANKER),
    ("POST", "/v2/rerank"): Ask(refusals=NO_RERANKER),
    ("POST", "/rerank"): Ask(refusals=NO_RERANKER),
    ("POST", "/score"): Ask(refusals=NO_RERANKER),
    ("POST", "/v1/score"): Ask(refusals=NO_RERANKER),
    ("POST", "/embed_sparse"): Ask(body={"inputs": "Otters sleep afloat."}, refusals=NO_SUCH_MODEL),
    ("POST", "/predict"): Ask(body={"inputs": "Otters sleep afloat."}, refusals=NO_SUCH_MODEL),
    ("POST", "/decode"): Ask(body={"ids": [[1, 2]]}, refusals=NO_SUCH_MODEL),
    ("POST", "/embed_all"): Ask(refusals=NO_SUCH_MODEL),
    ("POST", "/tokenize"): Ask(refusals=NO_SUCH_MODEL),
    ("POST", "/api/v1/compare"): Ask(fill={"a": "$model", "b": "$hybrid"}),
}
"""All others that are not asked by their example alone."""
MODEL_FIELDS = ("model", "embedding_config_id", "name")
"""Fields of examples that name a model, in whose place stands one that is served."""
PARTS: Mapping[str, str] = {"slug": "$set", "model": "$model", "deployment": "$short"}
"""What stands for the parts of a path."""


def part(path: str, name: str) -> str:
    """What stands for one part of a path: an id is that of a job, a config or a document."""
    if name in PARTS:
        return PARTS[name]
    if path.startswith(JOBS):
        return "$job"
    return "$model" if path.startswith("/api/v1/embedding-configs") else "$document"
