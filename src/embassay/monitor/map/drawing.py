"""The map as SVG: a mark for each chunk, by its folder, and rings for what is asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING

from embassay.evaluate.report.drawing import svg
from embassay.monitor.map.folders import REST

if TYPE_CHECKING:
    from embassay.monitor.map.asked import AskedMap
    from embassay.monitor.map.documents import DocumentMap

HEIGHT = 460
"""Pixels; the width is that of the page."""
SHAPES = (
    "M-3.5,0a3.5,3.5 0 1,0 7,0a3.5,3.5 0 1,0 -7,0Z",
    "M-3.2,-3.2H3.2V3.2H-3.2Z",
    "M0,-4.5L4.2,3.2H-4.2Z",
    "M0,-4.8L4.8,0L0,4.8L-4.8,0Z",
    "M0,4.5L4.2,-3.2H-4.2Z",
    "M-1.3,-4.2H1.3V-1.3H4.2V1.3H1.3V4.2H-1.3V1.3H-4.2V-1.3H-1.3Z",
    "M-3.9,-2.1L-2.1,-3.9L0,-1.8L2.1,-3.9L3.9,-2.1L1.8,0L3.9,2.1L2.1,3.9L0,1.8L-2.1,3.9L-3.9,2.1L-1.8,0Z",
    "M0,-4.6L1.4,-1.4L4.6,-1.2L2.2,1L3,4.2L0,2.4L-3,4.2L-2.2,1L-4.6,-1.2L-1.4,-1.4Z",
)
"""Around a point, in pixels: as many as there are colours, so that no folder is told by its colour alone."""
OTHER = "M-2,0a2,2 0 1,0 4,0a2,2 0 1,0 -4,0Z"
"""Of what is in no folder that is named."""
ANSWERED, UNANSWERED = 5, 9
"""Pixels of the rings of questions."""
NUMBERED = 9
"""Groups of questions that have their number on the map."""
NAME = 80
"""Characters of a name beside the pointer."""


def marks_of(drawn: DocumentMap) -> Mapping[str, int]:
    """The number of the colour and the shape of each folder; -1 of what is in none that is named."""
    names = sorted({name for name in drawn.folders if name != REST})
    return {name: at for at, name in enumerate(names)} | {REST: -1}


def sample_of(number: int) -> str:
    """The mark of a folder alone, for a legend."""
    return f'<svg class="sample" width="14" height="14" viewBox="-7 -7 14 14" aria-hidden="true">{_mark(number)}</svg>'


def draw_map(drawn: DocumentMap, asked: AskedMap, label: str, *, named: bool = True) -> str:
    """The map; `named`: whether the words of questions may be shown beside the pointer."""
    marks = marks_of(drawn)
    shapes = "".join(f'<g id="{_name(n)}">{_mark(n)}</g>' for n in marks.values())
    parts = [f"<defs>{shapes}</defs>", '<rect class="sheet" width="100%" height="100%" rx="6"/>']
    parts += _points(drawn, marks)
    parts += _rings(asked, named=named)
    return svg("map", HEIGHT, parts, label)


def _mark(number: int) -> str:
    return (
        f'<path class="folder-{number}" d="{SHAPES[number]}"/>' if number >= 0 else f'<path class="rest" d="{OTHER}"/>'
    )


def _name(number: int) -> str:
    return f"mark-{number}" if number >= 0 else "mark-rest"


def _points(drawn: DocumentMap, marks: Mapping[str, int]) -> Iterator[str]:
    for (x, y), folder, document in zip(drawn.places.tolist(), drawn.folders, drawn.documents, strict=True):
        yield (
            f'<use href="#{_name(marks[folder])}" x="{100 * x:.1f}%" y="{HEIGHT * (1 - y):.0f}">'
            f"<title>{escape(document[-NAME:])}</title></use>"
        )


def _rings(asked: AskedMap, *, named: bool) -> Iterator[str]:
    for one in asked.questions:
        if one.place is not None and not one.unanswered:
            yield _ring("answered", one.place, ANSWERED, one.text if named else "")
    for group in asked.unwritten:
        for question in group.questions:
            if question.place is not None:
                yield _ring("unanswered", question.place, UNANSWERED, question.text if named else "")
    for at, group in enumerate(asked.unwritten[:NUMBERED], 1):
        first = next((one.place for one in group.questions if one.place is not None), None)
        if first is not None:
            yield _number(at, first)


def _ring(kind: str, place: Sequence[float], radius: int, said: str) -> str:
    title = f"<title>{escape(said[:NAME])}</title>" if said else ""
    return f'<circle class="{kind}" {_at(place)} r="{radius}">{title}</circle>'


def _number(number: int, place: Sequence[float]) -> str:
    x, y = place
    return (
        f'<text class="number" x="{100 * x:.1f}%" y="{HEIGHT * (1 - y) + 5:.0f}" text-anchor="middle" '
        f'aria-hidden="true">{number}</text>'
    )


def _at(place: Sequence[float]) -> str:
    return f'cx="{100 * place[0]:.1f}%" cy="{HEIGHT * (1 - place[1]):.0f}"'
