"""Charts of figures over time, and of how figures are spread now and were before, as those of `charts` are drawn.

No mark is told by its colour alone: each state has a shape of its own, and what was before is an outline.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import escape

from embassay.evaluate.report.drawing import LINE, Scale, line, svg, ticks_upwards
from embassay.text import moment

HEIGHT = 130
"""Pixels between the lowest and the highest value."""
TOP = 10
ROOM = 0.2
"""Share of the largest figure that a scale spans at least: a thousandth more or less is no change to look at."""
FEWEST, MOST = 2, 5
"""Times that are written below: a phone has room for five."""
MOST_MARKS = 120
"""Marks of a chart; of more figures only those that are not good have one, and the newest."""
LATEST = 1e11
"""Seconds since 1970 that a calendar knows; a clock may have been anywhere when a figure was written down."""
STEPS = tuple(60 * n for n in (1, 5, 15, 30, 60, 180, 360, 720, 1440, 2880, 7 * 1440, 14 * 1440, 30 * 1440, 91 * 1440))
"""Seconds between times that are written below."""
SHAPES: Mapping[str, str] = {
    "ok": "M-3,0a3,3 0 1,0 6,0a3,3 0 1,0 -6,0Z",
    "warn": "M0,-6L6,5L-6,5Z",
    "alert": "M0,-7L7,0L0,7L-7,0Z",
    "unknown": "M-2.5,-2.5L2.5,2.5M2.5,-2.5L-2.5,2.5",
}
"""Around a point, in pixels: a dot, a triangle, a diamond, a cross."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A figure at a time, and what was said of it."""

    at: float
    """Seconds since 1970."""
    value: float | None
    """None: it could not be told then, and the line is broken."""
    state: str = "ok"
    said: str = ""
    """What stands beside the pointer."""


@dataclass(frozen=True, slots=True)
class TimeChart:
    """How a figure went."""

    label: str
    moments: Sequence[Moment]
    shown: Callable[[float], str] = "{:g}".format
    """How a value is written."""
    bounds: Mapping[str, float] = field(default_factory=dict)
    """What is held against the figure: by its name the value."""
    begin: float | None = None
    """Seconds since 1970 at the left edge; by default those of the first moment."""
    end: float | None = None
    low: float | None = None
    """A value that is always on the scale."""


def over_time(chart: TimeChart) -> str:
    """A line through the figures with a mark for each; nothing where there is none."""
    moments = sorted((one for one in chart.moments if 0 <= one.at < LATEST), key=lambda one: one.at)
    known = [(one, one.value) for one in moments if one.value is not None]
    if not known:
        return ""
    values = [value for _, value in known]
    extent = [*values, *chart.bounds.values(), *([] if chart.low is None else [chart.low])]
    if chart.low is not None and max(extent) - chart.low < 1e-12:
        extent.append(chart.low + 0.1)  # nothing but the lowest value: the scale goes up from it
    lowest, highest = min(extent), max(extent)
    room = max(0.0, ROOM * max(abs(lowest), abs(highest)) - (highest - lowest)) / 2
    up = Scale(lowest - (room if chart.low is None else 0.0), highest + room, TOP + HEIGHT, TOP)
    begin = moments[0].at if chart.begin is None else chart.begin
    end = max(moments[-1].at if chart.end is None else chart.end, begin + 60)

    def across(at: float) -> float:
        return 2 + 96 * (min(max(at, begin), end) - begin) / (end - begin)

    parts = [*_times(begin, end, across), ticks_upwards(up, chart.shown)]
    parts += [
        line(f"goal {name}", 0, 100, up(value), up(value), f"{name}: {chart.shown(value)}")
        for name, value in chart.bounds.items()
    ]
    parts += [_through(run, across, up) for run in _runs(moments)]
    parts += [_mark(one, across(one.at), up(value), chart.shown(value)) for one, value in _marked(known)]
    newest = moments[-1]
    last = "not known" if newest.value is None else chart.shown(newest.value)
    said = f"{chart.label}: {len(known)} figures between {chart.shown(min(values))} and {chart.shown(max(values))}"
    return svg("series", TOP + HEIGHT + LINE + 4, parts, f"{said}, the newest {last}")


@dataclass(frozen=True, slots=True)
class SpreadChart:
    """How many figures lie between each two edges, now and before."""

    label: str
    edges: Sequence[float]
    """One more than there are bars, the lowest first."""
    now: Sequence[float]
    """Shares of all, one a bar."""
    before: Sequence[float] = ()
    """The same of what it is held against; empty where there is nothing."""
    shown: Callable[[float], str] = "{:.2f}".format


def histogram(spread: SpreadChart) -> str:
    """Bars of what is now, and the outline of what was before over them."""
    if not any(spread.now) and not any(spread.before):
        return ""
    up = Scale(0, max(*spread.now, *(spread.before or (0.0,)), 1e-9), TOP + HEIGHT, TOP)
    wide, floor = 100 / len(spread.now), up(0)
    parts = [ticks_upwards(up, "{:.0%}".format)]
    before = [*spread.before] or [0.0] * len(spread.now)
    for at, (now, was) in enumerate(zip(spread.now, before, strict=True)):
        said = f"{spread.shown(spread.edges[at])} to {spread.shown(spread.edges[at + 1])}: {now:.1%} now"
        said += f", {was:.1%} before" if spread.before else ""
        parts.append(
            f'<rect class="bar" x="{at * wide + 0.2:.2f}%" y="{up(now):.1f}" width="{wide - 0.4:.2f}%" '
            f'height="{floor - up(now):.1f}"><title>{escape(said)}</title></rect>'
        )
    if spread.before:
        steps = [(0.0, floor)]
        for at, was in enumerate(before):
            steps += [(at * wide, up(was)), ((at + 1) * wide, up(was))]
        parts.append(_path("before", [*steps, (100.0, floor)]))
    parts += [
        f'<text class="tick" x="{100 * at / (len(spread.edges) - 1):.2f}%" y="{floor + LINE - 2:g}" '
        f'text-anchor="{anchor}">{escape(spread.shown(spread.edges[at]))}</text>'
        for at, anchor in ((0, "start"), (len(spread.edges) // 2, "middle"), (len(spread.edges) - 1, "end"))
    ]
    return svg("spread-out", floor + LINE + 4, parts, spread.label)


def _runs(moments: Sequence[Moment]) -> Iterator[list[tuple[float, float]]]:
    """Figures that follow each other without one that is not known."""
    run: list[tuple[float, float]] = []
    for one in moments:
        if one.value is None:
            if run:
                yield run
            run = []
        else:
            run.append((one.at, one.value))
    if run:
        yield run


def _through(run: Sequence[tuple[float, float]], across: Callable[[float], float], up: Scale) -> str:
    return _path("through", [(across(at), up(value)) for at, value in run])


def _path(kind: str, places: Sequence[tuple[float, float]]) -> str:
    """A line through places, per cent across and pixels down: a path knows no per cent, so it has a frame of its own
    that is as wide as the chart."""
    bottom = TOP + HEIGHT
    drawn = " ".join(f"{x:.2f},{y:.1f}" for x, y in places)
    return (
        f'<svg x="0" y="0" width="100%" height="{bottom}" viewBox="0 0 100 {bottom}" preserveAspectRatio="none" '
        f'overflow="visible"><polyline class="{kind}" points="{drawn}" vector-effect="non-scaling-stroke"/></svg>'
    )


def _marked(known: Sequence[tuple[Moment, float]]) -> Sequence[tuple[Moment, float]]:
    """Those that have a mark."""
    if len(known) <= MOST_MARKS:
        return known
    bad = [one for one in known[:-1] if one[0].state in ("warn", "alert")]
    return [*bad[-MOST_MARKS:], known[-1]]


def _mark(one: Moment, x: float, y: float, shown: str) -> str:
    said = (
        f"{moment(one.at)}: {shown}"
        + (f", {one.state}" if one.state != "ok" else "")
        + (f". {one.said}" if one.said else "")
    )
    shape = SHAPES.get(one.state, SHAPES["unknown"])
    return (
        f'<svg class="mark-{escape(one.state)}" x="{x:.2f}%" y="{y:.1f}" overflow="visible">'
        f'<title>{escape(said)}</title><path d="{shape}"/></svg>'
    )


def _times(begin: float, end: float, across: Callable[[float], float]) -> Iterator[str]:
    """Round times below, UTC as on all pages."""
    step = next((one for one in STEPS if (end - begin) / one <= MOST), STEPS[-1])
    first = -(-begin // step) * step
    marked = [first + step * n for n in range(MOST + 2) if first + step * n <= end]
    for at in marked if len(marked) >= FEWEST else [begin, end]:
        said = datetime.fromtimestamp(at, UTC).strftime("%b %d" if step >= 86_400 else "%H:%M")
        x = across(at)
        anchor = "start" if x < 8 else "end" if x > 92 else "middle"
        place = f'x="{x:.2f}%" y="{TOP + HEIGHT + LINE - 2}" text-anchor="{anchor}"'
        yield line("grid", x, x, TOP, TOP + HEIGHT) + f'<text class="tick" {place}>{escape(said)}</text>'
