"""Jobs: a set is moved to another model in the background while it stays searchable, then switched, and back.

A job is begun with a set and the config that it is moved to, and is `ready` once what it built holds all checks.
`switch` makes that the live one, `rollback` the former one again. The id of a job is that of what it builds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

import msgspec

from embassay.errors import HomeNotFound, MigrationState, SetNotFound, UsageError
from embassay.server.asking import Dimensions
from embassay.server.call import Call
from embassay.server.own import failure, on_set
from embassay.server.refusals import NotFound
from embassay.server.route import Route
from embassay.types import Value

if TYPE_CHECKING:
    from embassay.embedding_set import EmbeddingSet
    from embassay.sets.migration.status import MigrationStatus

__all__ = ["ROUTES", "failure"]

R = TypeVar("R")
Rate = Annotated[float, msgspec.Meta(gt=0, le=1e9)]
Dollars = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class JobRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    set: str
    """The slug of the set that is moved."""
    kind: Literal["migration"] = "migration"
    embedding_config_id: str | None = None
    """Where it is moved to; without one, vectors are derived from those that are stored."""
    truncate_dim: Dimensions | None = None
    pca: Dimensions | None = None
    """Dimensions that a PCA of the set's vectors reduces them to."""
    dtype: Literal["float32", "float16", "int8"] | None = None
    rate: Rate | None = None
    """Chunks a second at most."""
    max_spend: Dollars | None = None
    """Dollars at most, in all its runs."""
    strict: bool = False
    """A check that passes with a warning does not hold."""


class JobObject(msgspec.Struct, kw_only=True):
    id: str
    kind: Literal["migration"]
    set: str
    state: str
    """`planned`, `backfilling`, `catching-up`, `verifying`, `ready`, `failed`, `paused`, `switched`, `rolled-back`."""
    reason: str
    """Why it is paused, or has failed."""
    actions: list[str]
    """What may be done with it now: `pause`, `resume`, `switch`, `rollback`, `abort`."""
    embedding_config_id: str
    space: str
    at_work: bool
    share: float
    """How much of the chunks is there: 0 to 1."""
    chunks: int
    total: int
    embedded: int
    seconds: float
    rate: float | None
    """Chunks a second lately."""
    eta_seconds: float | None
    usd: float | None
    retry_at: float | None
    """From when on a paused one can go on, in seconds since 1970, as far as that is known."""
    report: Mapping[str, Value]
    """What the checks found."""
    created: float
    updated: float


class JobList(msgspec.Struct):
    data: list[JobObject]


class OfSet(msgspec.Struct):
    set: str = ""
    """Only those of one set."""


class ResumeOptions(msgspec.Struct):
    rate: Rate | None = None
    max_spend: Dollars | None = None


class SwitchOptions(msgspec.Struct):
    keep_days: Annotated[float, msgspec.Meta(ge=0, le=3650)] = 7.0
    """How long the one that was live is kept and written, for a rollback."""
    force: bool = False
    """Although its checks do not hold."""
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""
    """For the history of the set."""


class Aborted(msgspec.Struct):
    id: str
    set: str
    state: Literal["aborted"]
    removed: bool
    """Whether what it built is gone already."""


async def begin(call: Call) -> JobObject:
    """The job as it began, or as it goes on where there was one to the same config."""
    asked: JobRequest = call.body
    to = asked.embedding_config_id
    if to is not None:
        to = await call.service.in_worker(call.service.models.find, to, call.principal)
    return await on_set(call, asked.set, "admin", _begin, to, asked)


async def listed(call: Call) -> JobList:
    """The last one of each set that the key sees."""
    asked: OfSet = call.query
    if asked.set:
        return JobList(await on_set(call, asked.set, "read", _jobs_of))
    return JobList([_object(one) for one in await call.service.in_worker(_all, call)])


async def shown(call: Call) -> JobObject:
    """How it stands."""
    return _object(await call.service.in_worker(_find, call))


async def pause(call: Call) -> JobObject:
    """What it has done is kept."""
    return await _on_job(call, lambda of_set: _object(of_set.pause_migration()))


async def resume(call: Call) -> JobObject:
    """It goes on in the background, also after its process died."""
    asked: ResumeOptions = call.query
    return await _on_job(
        call,
        lambda of_set: _object(
            of_set.resume_migration(rate=asked.rate, max_spend=asked.max_spend, background=True),
        ),
    )


async def switch(call: Call) -> JobObject:
    """Searches use what it built from now on."""
    asked: SwitchOptions = call.query

    def work(of_set: EmbeddingSet) -> JobObject:
        of_set.switch(keep_days=asked.keep_days, force=asked.force, why=asked.why)
        return _object(of_set.migration())

    return await _on_job(call, work)


async def rollback(call: Call) -> JobObject:
    """Searches use what was live before; nothing that was written since is lost."""
    asked: SwitchOptions = call.query

    def work(of_set: EmbeddingSet) -> JobObject:
        of_set.rollback(keep_days=asked.keep_days, why=asked.why)
        return _object(of_set.migration())

    return await _on_job(call, work)


async def abort(call: Call) -> Aborted:
    """What it built is removed."""
    job = call.path["id"]
    return await _on_job(call, lambda of_set: Aborted(job, of_set.name, "aborted", of_set.abort_migration()))


def _begin(of_set: EmbeddingSet, to: str | None, asked: JobRequest) -> JobObject:
    begun = of_set.migrate(
        to,
        truncate_dim=asked.truncate_dim,
        pca=asked.pca,
        dtype=asked.dtype,
        rate=asked.rate or 0.0,
        max_spend=asked.max_spend,
        strict=asked.strict,
        background=True,
    )
    return _object(begun)


async def _on_job(call: Call, work: Callable[[EmbeddingSet], R]) -> R:
    """Whoever may administer the set of a job may do this with it, as long as it is the last one of the set."""
    found = await call.service.in_worker(_find, call)
    return await on_set(call, found.set, "admin", work)


def _find(call: Call) -> MigrationStatus:
    """The job that the path names. Raises NotFound."""
    for one in _all(call):
        if one.generation == call.path["id"]:
            return one
    raise NotFound(
        f"there is no job {call.path['id'][:100]!r}.", remedy="A job ends with its set, or when it is given up."
    )


def _all(call: Call) -> list[MigrationStatus]:
    home = call.service.home
    try:
        moved = call.principal.visible(home.moved_sets())
    except HomeNotFound:
        return []
    found = [_last(home.set(name)) for name in moved]
    return [one for one in found if one]


def _last(of_set: EmbeddingSet) -> MigrationStatus | None:
    """The job that began last; None where there was none, or the set is a view or gone."""
    try:
        return of_set.migration()
    except (MigrationState, SetNotFound, UsageError):
        return None


def _jobs_of(of_set: EmbeddingSet) -> list[JobObject]:
    found = _last(of_set)
    return [_object(found)] if found else []


ACTIONS: Mapping[str, tuple[str, ...]] = {
    "planned": ("resume", "abort"),
    "paused": ("resume", "abort"),
    "failed": ("resume", "switch", "abort"),
    "ready": ("switch", "abort"),
    "switched": ("rollback",),
}
"""What may be done in a state; in all others a process is at work, or ought to be."""


def _object(found: MigrationStatus) -> JobObject:
    at_work = ("pause", "abort") if found.at_work else ("resume", "abort")
    over = () if found.state == "rolled-back" else at_work
    plain = asdict(found)
    same = {name: plain[name] for name in JobObject.__struct_fields__ if name in plain}
    return JobObject(
        **same,
        id=found.generation,
        kind="migration",
        actions=[*ACTIONS.get(found.state, over)],
        embedding_config_id=found.model,
        share=round(found.share, 3),
        eta_seconds=found.eta_seconds,
    )


JOBS, JOB = "/api/v1/jobs", "/api/v1/jobs/{id}"
EXAMPLES = {"to another model": {"set": "handbook", "embedding_config_id": "minilm", "rate": 200}}

ROUTES = (
    Route("POST", JOBS, begin, "Move a set to another model", JobRequest, None, JobObject, 202, "admin", EXAMPLES),
    Route("GET", JOBS, listed, "The jobs", None, OfSet, JobList),
    Route("GET", JOB, shown, "One job, with its progress", reply=JobObject),
    Route("POST", f"{JOB}/pause", pause, "Halt a job", reply=JobObject, needs="admin"),
    Route("POST", f"{JOB}/resume", resume, "Go on with a job", None, ResumeOptions, JobObject, 202, "admin"),
    Route("POST", f"{JOB}/switch", switch, "Switch to what a job built", None, SwitchOptions, JobObject, 200, "admin"),
    Route("POST", f"{JOB}/rollback", rollback, "Switch back", None, SwitchOptions, JobObject, 200, "admin"),
    Route("POST", f"{JOB}/abort", abort, "Give a job up", reply=Aborted, needs="admin"),
)
