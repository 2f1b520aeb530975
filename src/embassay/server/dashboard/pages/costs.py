"""What was spent: by day, model, key and run, and what is left of the cap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import msgspec
from markupsafe import Markup

from embassay.errors import EmbassayError
from embassay.evaluate.report.charts import bars
from embassay.models.ledger import Term, day_of
from embassay.models.ledger_sums import LedgerSum, sums_by
from embassay.models.spending import spending
from embassay.server.dashboard.page import DashboardPage, PageQuery, Values
from embassay.server.keys.spend import PURPOSE
from embassay.text import DAY

if TYPE_CHECKING:
    from embassay.server.call import Call

MOST = 30


class CostsPageQuery(PageQuery, kw_only=True):
    days: Annotated[int, msgspec.Meta(ge=1, le=366)] = 30


async def show(call: Call) -> Values:
    """The sums of so many days."""
    return await call.service.in_worker(_sums, call, call.query.days)


def _sums(call: Call, days: int) -> dict[str, Any]:
    models = call.service.session.models
    spent, ledger = spending(models), models.ledger
    term = Term(since=day_of(ledger.now() - (days - 1) * DAY))
    by_day = sums_by(ledger, "day", term, days)
    return {
        "spent": spent,
        "days": days,
        "by_day": [(one.name, one) for one in reversed(by_day)],
        "chart": Markup(bars([(one.name, one.usd) for one in by_day], "USD a day", lambda usd: f"${usd:g}")),
        "by_model": [(one.name, one) for one in sums_by(ledger, "model", term, MOST)],
        "by_purpose": [(_named(call, one), one) for one in sums_by(ledger, "purpose", term, MOST)],
        "by_run": [(one.name, one) for one in sums_by(ledger, "run", term, MOST)],
    }


def _named(call: Call, one: LedgerSum) -> str:
    """What money was for, with a key by its name in the place of its id."""
    if not one.name.startswith(PURPOSE):
        return one.name or "older runs"
    store = call.service.guard.store
    try:
        key = store.current().get(one.name.removeprefix(PURPOSE)) if store else None
    except EmbassayError:
        key = None
    return f"key {key.name}" if key else one.name


PAGE = DashboardPage("costs", "Costs", show, menu=60, needs="admin", of_all=True, query=CostsPageQuery)
