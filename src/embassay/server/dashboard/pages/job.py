"""One migration: how far it is, what its checks found, and what can be done with it now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Go, PageForm, Values, at

if TYPE_CHECKING:
    from embassay.server.call import Call

ABOUT = {
    "planned": "It has not begun yet.",
    "backfilling": "The new generation is being built; searches use the live one.",
    "catching-up": "What was written meanwhile is brought along.",
    "verifying": "The new generation is held against the live one.",
    "ready": "It is built, and all checks hold. Nothing changes for searches until you switch.",
    "failed": "It is built, and a check does not hold.",
    "paused": "It is halted. What it has done is kept.",
    "switched": "Searches use the new generation. The former one is kept, and can be gone back to.",
    "rolled-back": "Searches use the former generation again.",
}


class ResumeForm(msgspec.Struct, kw_only=True):
    rate: float | None = None
    max_spend: float | None = None


class SwitchForm(msgspec.Struct, kw_only=True):
    keep_days: float | None = None
    force: bool = False
    why: Annotated[str, msgspec.Meta(max_length=500)] = ""


class NothingForm(msgspec.Struct, kw_only=True):
    pass


async def show(call: Call) -> Values:
    """The job."""
    job = await ask(call, "GET", "/api/v1/jobs/{id}", parts={"id": call.path["id"]})
    may = call.principal.may("admin", set=job["set"])
    checks = job["report"].get("checks", []) if isinstance(job["report"], dict) else []
    values = {"job": job, "checks": checks, "about": ABOUT.get(job["state"], ""), "may": may}
    return {**values, "title": f"Migration of {job['set']}"}


async def pause(call: Call) -> Go:
    """Halt it."""
    return await _sent(call, "pause")


async def resume(call: Call) -> Go:
    """Go on."""
    return await _sent(call, "resume", msgspec.structs.asdict(call.body))


async def switch(call: Call) -> Go:
    """Have searches use what it built."""
    return await _sent(call, "switch", msgspec.structs.asdict(call.body))


async def rollback(call: Call) -> Go:
    """Have searches use what was live before."""
    return await _sent(call, "rollback", {"keep_days": call.body.keep_days, "why": call.body.why})


async def abort(call: Call) -> Go:
    """Give it up; the job is gone then."""
    made = await ask(call, "POST", "/api/v1/jobs/{id}/abort", parts={"id": call.path["id"]})
    return Go(at("sets", made["set"]))


async def _sent(call: Call, verb: str, query: dict[str, object] | None = None) -> Go:
    await ask(call, "POST", f"/api/v1/jobs/{{id}}/{verb}", parts={"id": call.path["id"]}, query=query)
    return Go(at("jobs", call.path["id"]))


PAGE = DashboardPage(
    "jobs/{id}",
    "Migration",
    show,
    section="jobs",
    forms=(
        PageForm("pause", pause, NothingForm, "admin", "It is halted."),
        PageForm("resume", resume, ResumeForm, "admin", "It goes on in the background."),
        PageForm("switch", switch, SwitchForm, "admin", "Searches use the new generation from now on."),
        PageForm("rollback", rollback, SwitchForm, "admin", "Searches use the former generation again."),
        PageForm("abort", abort, NothingForm, "admin", "The migration was given up, and what it built is removed."),
    ),
)
