"""Comparisons: a form that holds a model or a set against another one, the verdict in words, and what it rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from markupsafe import Markup

from embassay.evaluate.report.charts import Interval, intervals
from embassay.remedy import say
from embassay.server.dashboard.asking import ask
from embassay.server.dashboard.page import DashboardPage, PageForm, PageQuery, Values
from embassay.server.dashboard.tried import tried
from embassay.server.refusals import RequestInvalid

if TYPE_CHECKING:
    from embassay.server.call import Call

ARROW = "=>"
CHANGED = 20
MODES = {"dense": "by meaning", "hybrid": "by meaning and by words", "lexical": "by words"}
Mode = Literal["dense", "hybrid", "lexical"]


class CompareForm(PageQuery, kw_only=True):
    """As `POST /api/v1/compare` takes it; there it is checked. Questions with their answers come as lines."""

    a: str = ""
    b: str = ""
    judged: str = ""
    lines: str = ""
    mode: Mode = "dense"
    min_effect: str = "0.01"


async def show(_: Call) -> Values:
    """The form, empty."""
    return _values(CompareForm())


async def run(call: Call) -> Values:
    """What came of a comparison, or why it cannot be made, below the form as it was filled in."""
    asked: CompareForm = call.body
    result = await tried(_compared(call, asked))
    return {**_values(asked, result.made), "problem": result.problem, "status": result.status}


async def _compared(call: Call, asked: CompareForm) -> dict[str, Any]:
    pairs = pairs_of(asked.lines)
    body: dict[str, object] = {"a": asked.a, "b": asked.b, "mode": asked.mode, "min_effect": asked.min_effect}
    body |= {"judged": asked.judged, "pairs": pairs or None}
    found: dict[str, Any] = await ask(call, "POST", "/api/v1/compare", body=body)
    return found


def pairs_of(lines: str) -> list[dict[str, object]]:
    """Questions with their answers, from lines ``question => answer``; a question may have several lines.

    Raises RequestInvalid for a line that has no question or no answer.
    """
    answers: dict[str, list[str]] = {}
    for at, line in enumerate(lines.splitlines(), 1):
        if not line.strip():
            continue
        query, _, answer = (part.strip() for part in line.partition(ARROW))
        if not query or not answer:
            raise RequestInvalid(
                f"line {at} of the questions is not a question and its answer.",
                remedy=say(f"Write each line as: question {ARROW} answer"),
            )
        answers.setdefault(query, []).append(answer)
    return [{"query": query, "relevant": relevant} for query, relevant in answers.items()]


def _values(asked: CompareForm, found: dict[str, Any] | None = None) -> dict[str, object]:
    detail: dict[str, Any] = found["detail"] if found else {"pairs": (), "candidates": (), "changed": ()}
    rows = [
        Interval(one["metric"], one["difference"], low, high, one["verdict"])
        for one in detail["pairs"]
        for low, high in [one["interval"]]
    ]
    least = detail.get("min_effect")
    return {
        "asked": asked,
        "found": found,
        "detail": detail,
        "metrics": list(dict.fromkeys(name for one in detail["candidates"] for name in one["metrics"])),
        "chart": Markup(intervals(rows, min_effect=least)),  # charts escape what they write
        "changed": detail["changed"][:CHANGED],
        "modes": MODES,
        "arrow": ARROW,
        "problem": None,
    }


PAGE = DashboardPage(
    "compare", "Compare", show, menu=36, needs="admin", forms=(PageForm("run", run, CompareForm, "admin"),)
)
