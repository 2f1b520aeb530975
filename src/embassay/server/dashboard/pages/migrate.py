"""Moving a set to another model: what it would take, and the button that begins it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, Go, PageForm, PageQuery, Values, at
from embassay.server.dashboard.tried import tried
from embassay.server.own import on_set

if TYPE_CHECKING:
    from embassay.server.call import Call

Dimensions = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Kept = Literal["", "float32", "float16", "int8"]


class MigratePageQuery(PageQuery, kw_only=True):
    to: str = ""
    truncate_dim: Dimensions | None = None
    pca: Dimensions | None = None
    dtype: Kept = ""

    @property
    def is_asked(self) -> bool:
        """Whether anything was said of where to."""
        return bool(self.to or self.truncate_dim or self.pca or self.dtype)


class BeginForm(MigratePageQuery, kw_only=True):
    rate: float | None = None
    max_spend: float | None = None
    strict: bool = False


async def show(call: Call) -> Values:
    """The plan of what was asked for."""
    name, asked = call.path["name"], call.query
    found = await ask(call, "GET", "/api/v1/embedding-sets/{slug}", parts={"slug": name})
    configs = await ask(call, "GET", "/api/v1/embedding-configs")
    values = {"one": found, "configs": configs["data"], "asked": asked, "plan": None, "problem": None}
    if not asked.is_asked:
        return {**values, "title": f"Move {found['name']}"}
    planned = await tried(_plan(call, name, asked))
    more = {"plan": planned.made, "problem": planned.problem, "status": planned.status}
    return {**values, **more, "title": f"Move {found['name']}"}


async def begin(call: Call) -> Go:
    """The job, as programs begin it."""
    asked: BeginForm = call.body
    body: dict[str, object] = {"set": call.path["name"], "embedding_config_id": asked.to, "strict": asked.strict}
    body |= {name: getattr(asked, name) for name in ("truncate_dim", "pca", "dtype", "rate", "max_spend")}
    job = await ask(call, "POST", "/api/v1/jobs", body=body)
    return Go(at("jobs", job["id"]))


async def _plan(call: Call, name: str, asked: MigratePageQuery) -> dict[str, Any]:
    to = await call.service.in_worker(call.service.models.find, asked.to, call.principal) if asked.to else None
    return await on_set(
        call,
        name,
        "admin",
        lambda of_set: of_set.plan_migration(
            to, truncate_dim=asked.truncate_dim, pca=asked.pca, dtype=asked.dtype or None
        ).to_dict(),
    )


PAGE = DashboardPage(
    "sets/{name}/migrate",
    "Move a set",
    show,
    needs="admin",
    query=MigratePageQuery,
    section="sets",
    forms=(PageForm("begin", begin, BeginForm, "admin", "The migration has begun."),),
)
