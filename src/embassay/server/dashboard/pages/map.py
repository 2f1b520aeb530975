"""A map of the documents of a set, and what is asked over it: what is asked for that nobody wrote."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from markupsafe import Markup

from embassay.errors import UsageError
from embassay.monitor.map.asked import lay_over
from embassay.monitor.map.documents import DocumentMaps
from embassay.monitor.map.drawing import draw_map, marks_of, sample_of
from embassay.monitor.map.folders import REST, TOP
from embassay.remedy import command
from embassay.server.dashboard.page import DashboardPage, Values
from embassay.server.dashboard.watched import WatchedQuery, reads_questions, steps_of, watched

if TYPE_CHECKING:
    from embassay.home import Home
    from embassay.monitor.map.asked import AskedMap
    from embassay.monitor.map.documents import DocumentMap
    from embassay.monitor.monitor import Monitor
    from embassay.server.call import Call

SHOWN_GROUPS, SHOWN_QUESTIONS = 15, 100
NAMES = {REST: "other folders", TOP: "the top folder"}
_maps: WeakKeyDictionary[Home, DocumentMaps] = WeakKeyDictionary()


async def show(call: Call) -> Values:
    """The map of the set that the address names."""
    named = reads_questions(call)

    def look(monitor: Monitor) -> Values:
        maps = _maps.setdefault(monitor.home, DocumentMaps(monitor.home))
        try:
            drawn = maps.of(monitor.set.name)
        except UsageError as error:
            return {"map": None, "problem": error}
        return _shown(drawn, lay_over(drawn, monitor), named=named)

    return await watched(call, call.query.set, look)


def _shown(drawn: DocumentMap, asked: AskedMap, *, named: bool) -> Values:
    unanswered = sum(group.times for group in asked.unwritten)
    label = (
        f"Map of {len(drawn.places):,} chunks of the set {drawn.set}, with {len(asked.questions):,} questions over it"
    )
    placed = sum(one.place is not None for one in asked.questions)
    return {
        "map": Markup(draw_map(drawn, asked, f"{label}; the tables below say the same in words", named=named)),
        "problem": None,
        "drawn": drawn,
        "asked": asked,
        "named": named,
        "placed": placed,
        "unanswered": unanswered,
        "folders": _folders(drawn, asked),
        "groups": asked.unwritten[:SHOWN_GROUPS],
        "questions": asked.questions[:SHOWN_QUESTIONS],
        "names": NAMES,
        "steps": steps_of(command("queries export", "questions.jsonl", set=drawn.set, all=True, say="Take them along")),
    }


def _folders(drawn: DocumentMap, asked: AskedMap) -> list[dict[str, object]]:
    """What is written in each folder, and what is asked of it."""
    written, answered = Counter(drawn.folders), sum(asked.by_folder.values())
    return [
        {
            "name": NAMES.get(name, name),
            "sample": Markup(sample_of(number)),
            "written": written[name] / len(drawn.folders),
            "asked": asked.by_folder.get(name, 0) / answered if answered else None,
        }
        for name, number in marks_of(drawn).items()
        if written[name]
    ]


PAGE = DashboardPage("map", "Map", show, menu=38, query=WatchedQuery)
