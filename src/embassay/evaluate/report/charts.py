"""Charts as SVG, drawn here: a report has to open without a network, and a chart library would be its largest part.

What lies across is in per cent of the width and all else in pixels, so that a chart grows with its page and its letters
do not. Colours come from the page's style sheet, so that charts follow its light and its dark look. What a
mark stands for is in its ``<title>``, which browsers show beside the pointer and screen readers speak.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

START, END = 4.0, 96.0
"""Per cent of the width between which values lie: the outermost labels need some room."""
NOMINAL = 400
"""Pixels of the width by which it is judged whether marks would lie on each other; wider ones have more room."""
APART, LINE = 26, 20
"""Pixels between marks, across and upwards, below which they share one; and of a line of letters."""
LETTER = 7
"""Pixels of a letter, about."""
FEW, MANY = (1, 2, 5), (1,)
"""Of each power of ten that are marked on a logarithmic scale, of few of them and of many."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean difference and its bounds."""

    label: str
    mean: float
    low: float
    high: float
    tone: str
    """Class of the style sheet: switch, keep, undecided."""


@dataclass(frozen=True, slots=True)
class Point:
    """A candidate in a scatter chart."""

    label: str
    number: int
    x: float
    x_end: float
    """Where what it costs mostly ends: the spread is a line from `x` to here."""
    y: float
    low: float
    high: float
    """Bounds of `y`."""
    beaten: bool
    """Whether another one is clearly to be preferred."""
    chosen: bool = False
    """Whether it is the one that is proposed."""


def intervals(rows: Sequence[Interval], *, min_effect: float | None = None) -> str:
    """A line for each interval around its mean; zero and the minimum effect are marked."""
    if not rows:
        return ""
    step, top = 3 * LINE, 4
    bottom = top + step * len(rows)
    extent = [0.0, *(r.low for r in rows), *(r.high for r in rows), *([min_effect] if min_effect else [])]
    scale = Scale(min(extent), max(extent), START, END)
    parts = [_across(scale, top, bottom, lambda value: f"{value:+g}" if value else "0")]
    parts.append(_line("zero", scale(0), scale(0), top, bottom))
    if min_effect:
        parts.append(_line("goal", scale(min_effect), scale(min_effect), top, bottom, f"minimum effect {min_effect:g}"))
    for at, row in enumerate(rows):
        y = top + step * at + LINE
        figures = f"{row.mean:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        said = f"{row.label}: {row.mean:+.4f}, 95 % interval {row.low:+.4f} to {row.high:+.4f}"
        parts.append(
            f'<g class="{row.tone}"><title>{escape(said)}</title>'
            f'<text class="name" x="0" y="{y}">{escape(_short(row.label))}</text>'
            f'<text class="figures" x="100%" y="{y}" text-anchor="end">{figures}</text>'
            f"{_line('bar', scale(row.low), scale(row.high), y + LINE, y + LINE)}"
            f'<circle cx="{scale(row.mean):.2f}%" cy="{y + LINE}" r="6"/></g>'
        )
    return _svg("intervals", bottom + LINE, parts, "Mean differences with their 95 % intervals")


def per_query(differences: Sequence[tuple[str, float]]) -> str:
    """A bar for each query, from the greatest gain to the greatest loss."""
    ordered = sorted(differences, key=lambda item: -item[1])
    if not ordered:
        return ""
    height = 220
    most = max(abs(ordered[0][1]), abs(ordered[-1][1]), 1e-9)
    up = Scale(-most, most, height - 10, 10)
    parts = [_upwards(up, lambda value: f"{value:+g}" if value else "0")]
    width = 100 / len(ordered)
    for at, (query, value) in enumerate(ordered):
        if abs(value) < 1e-9:
            continue
        y, tall = min(up(0), up(value)), abs(up(0) - up(value))
        parts.append(
            f'<rect class="{"gain" if value > 0 else "loss"}" x="{at * width:.3f}%" y="{y:.1f}" width="{width:.3f}%" '
            f'height="{tall:.1f}"><title>{escape(f"{value:+.3f}  {query}")}</title></rect>'
        )
    return _svg("per-query", height, parts, "Difference of each query, gains first")


def scatter(
    points: Sequence[Point], x_label: str, y_label: str, shown: Callable[[float], str], *, front: bool = False
) -> str:
    """Quality upwards, cost to the right, each with its spread; points that lie on each other share a mark.

    The scale of the cost begins at zero, so that noise stays small, and is logarithmic where it spans a decade. Points
    carry the number of their candidate: names would lie on each other. `shown` writes a cost. With `front` a line in
    steps says what quality can be had at each cost.
    """
    if not points:
        return ""
    height = 280
    across = _costs(points)
    room = max((max(p.high for p in points) - min(p.low for p in points)) * 0.1, 0.005)
    up = Scale(min(p.low for p in points) - room, max(p.high for p in points) + room, height - 10, 10)
    parts = [_across(across, 10, height - 10, shown), _upwards(up, lambda value: f"{value:g}")]
    if front:
        parts.append(_front(points, across, up))
    for point in points:
        x, y = across(point.x), up(point.y)
        parts.append(
            _line("spread", x, across(point.x_end), y, y) + _line("spread", x, x, up(point.low), up(point.high))
        )
    for group in _together(points, across, up):
        x, y = across(group[0].x), up(group[0].y)
        numbers = ", ".join(str(point.number) for point in group)
        wide = _wide(numbers)
        said = "\n".join(
            f"{p.label}: {p.y:.4f} ({p.low:.4f} to {p.high:.4f}) at {shown(p.x)}"
            + (f", mostly up to {shown(p.x_end)}" if p.x_end > p.x else "")
            for p in group
        )
        tone = "beaten" if all(point.beaten for point in group) else "unbeaten"
        tone = "chosen" if any(point.chosen for point in group) else tone
        parts.append(
            f'<svg class="{tone}" x="{x:.2f}%" y="{y:.1f}" overflow="visible"><title>{escape(said)}</title>'
            f'<rect class="mark" x="{-wide / 2:g}" y="{-LINE / 2:g}" width="{wide}" height="{LINE}" rx="{LINE / 2:g}"/>'
            f'<text class="number" x="0" y="5" text-anchor="middle">{numbers}</text></svg>'
        )
    parts.append(f'<text class="axis" x="50%" y="{height + 2 * LINE}" text-anchor="middle">{escape(x_label)}</text>')
    return _svg("scatter", height + 2.5 * LINE, parts, f"{y_label} against {x_label}")


def figure(value: float) -> str:
    """A cost in three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _front(points: Sequence[Point], across: Scale, up: Scale) -> str:
    """Steps from each point that is not beaten to the next dearer one."""
    ordered = sorted((point for point in points if not point.beaten), key=lambda point: point.x)
    places = [(across(point.x), up(point.y)) for point in ordered]
    return "".join(
        _line("front", x, next_x, y, y) + _line("front", next_x, next_x, y, next_y)
        for (x, y), (next_x, next_y) in pairwise(places)
    )


def _wide(numbers: str) -> float:
    """Pixels of a mark with these numbers in it."""
    return max(LINE, LETTER * len(numbers) + 10)


def _together(points: Sequence[Point], across: Scale, up: Scale) -> list[list[Point]]:
    """Points whose marks would lie on each other, even where the chart is narrow."""
    groups: list[list[Point]] = []
    for point in points:
        for group in groups:
            wide = _wide(", ".join(str(one.number) for one in group))
            room = max(APART, (wide + _wide(str(point.number))) / 2)
            near = abs(across(group[0].x) - across(point.x)) / 100 * NOMINAL < room
            if near and abs(up(group[0].y) - up(point.y)) < LINE:
                group.append(point)
                break
        else:
            groups.append([point])
    return groups


def _costs(points: Sequence[Point]) -> Scale:
    """From costs to per cent: from zero, or logarithmic."""
    low, high = min(p.x for p in points), max(p.x_end for p in points)
    if low > 0 and high / low > 10:
        return Logarithmic(low / 1.3, high * 1.3, START, END)
    return Scale(0, high or 1.0, START, END)


class Scale:
    """From values to where they are drawn, with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        if high - low < 1e-12:
            low, high = low - 0.5, high + 0.5
        step = 10 ** math.floor(math.log10((high - low) / 4))
        step *= next(m for m in (1, 2, 2.5, 5, 10) if (high - low) / (step * m) <= 6)
        low, high = math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step
        self._low, self._span, self._start, self._width = low, high - low, start, end - start
        self.ticks = [round(low + at * step, 10) for at in range(round((high - low) / step) + 1)]

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) / self._span * self._width


class Logarithmic(Scale):
    """The same for values above zero, each power of ten as wide as the others."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._span = math.log10(low), math.log10(high) - math.log10(low)
        self._start, self._width = start, end - start
        powers = range(math.floor(self._low), math.ceil(math.log10(high)) + 1)
        marked = FEW if self._span <= 2 else MANY
        self.ticks = [m * 10.0**power for power in powers for m in marked if low <= m * 10.0**power <= high]

    def __call__(self, value: float) -> float:
        return super().__call__(math.log10(value))


def _across(scale: Scale, top: float, bottom: float, shown: Callable[[float], str]) -> str:
    """A line upwards at each tick, with its value below."""
    return "".join(
        _line("grid", scale(value), scale(value), top, bottom)
        + f'<text class="tick" x="{scale(value):.2f}%" y="{bottom + LINE - 2:g}" text-anchor="middle">'
        f"{escape(shown(value))}</text>"
        for value in scale.ticks
    )


def _upwards(scale: Scale, shown: Callable[[float], str]) -> str:
    """A line across at each tick, with its value before it: the page leaves room for it."""
    return "".join(
        _line("grid", 0, 100, scale(value), scale(value))
        + f'<text class="tick" x="-8" y="{scale(value) + 4:.1f}" text-anchor="end">{shown(value)}</text>'
        for value in scale.ticks
    )


def _line(kind: str, x1: float, x2: float, y1: float, y2: float, title: str = "") -> str:
    said = f"<title>{escape(title)}</title>" if title else ""
    return f'<line class="{kind}" x1="{x1:.2f}%" x2="{x2:.2f}%" y1="{y1:.1f}" y2="{y2:.1f}">{said}</line>'


def _svg(kind: str, height: float, parts: Sequence[str], label: str) -> str:
    return (
        f'<svg class="chart {kind}" width="100%" height="{height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 26 else f"{label[:11]}…{label[-14:]}"
