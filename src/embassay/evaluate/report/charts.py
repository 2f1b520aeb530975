"""Charts as SVG, drawn here: a report has to open without a network, and a chart library would be its largest part.

What lies across is in per cent of the width and all else in pixels, so that a chart grows with its page and its letters
do not. Colours come from the page's style sheet, so that charts follow its light and its dark look. What a
mark stands for is in its ``<title>``, which browsers show beside the pointer and screen readers speak.
What they are drawn with is in `embassay.evaluate.report.drawing`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise

from embassay.evaluate.report.drawing import (
    END,
    LINE,
    START,
    Logarithmic,
    Scale,
    line,
    short,
    svg,
    ticks_across,
    ticks_upwards,
)

NOMINAL = 400
"""Pixels of the width by which it is judged whether marks would lie on each other; wider ones have more room."""
APART = 26
"""Pixels between marks, across and upwards, below which they share one."""
LETTER = 7
"""Pixels of a letter, about."""


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
    parts = [ticks_across(scale, top, bottom, lambda value: f"{value:+g}" if value else "0")]
    parts.append(line("zero", scale(0), scale(0), top, bottom))
    if min_effect:
        parts.append(line("goal", scale(min_effect), scale(min_effect), top, bottom, f"minimum effect {min_effect:g}"))
    for at, row in enumerate(rows):
        y = top + step * at + LINE
        figures = f"{row.mean:+.3f} ({row.low:+.3f} to {row.high:+.3f})"
        said = f"{row.label}: {row.mean:+.4f}, 95 % interval {row.low:+.4f} to {row.high:+.4f}"
        parts.append(
            f'<g class="{row.tone}"><title>{escape(said)}</title>'
            f'<text class="name" x="0" y="{y}">{escape(short(row.label))}</text>'
            f'<text class="figures" x="100%" y="{y}" text-anchor="end">{figures}</text>'
            f"{line('bar', scale(row.low), scale(row.high), y + LINE, y + LINE)}"
            f'<circle cx="{scale(row.mean):.2f}%" cy="{y + LINE}" r="6"/></g>'
        )
    return svg("intervals", bottom + LINE, parts, "Mean differences with their 95 % intervals")


def per_query(differences: Sequence[tuple[str, float]]) -> str:
    """A bar for each query, from the greatest gain to the greatest loss."""
    ordered = sorted(differences, key=lambda item: -item[1])
    if not ordered:
        return ""
    height = 220
    most = max(abs(ordered[0][1]), abs(ordered[-1][1]), 1e-9)
    up = Scale(-most, most, height - 10, 10)
    parts = [ticks_upwards(up, lambda value: f"{value:+g}" if value else "0")]
    width = 100 / len(ordered)
    for at, (query, value) in enumerate(ordered):
        if abs(value) < 1e-9:
            continue
        y, tall = min(up(0), up(value)), abs(up(0) - up(value))
        parts.append(
            f'<rect class="{"gain" if value > 0 else "loss"}" x="{at * width:.3f}%" y="{y:.1f}" width="{width:.3f}%" '
            f'height="{tall:.1f}"><title>{escape(f"{value:+.3f}  {query}")}</title></rect>'
        )
    return svg("per-query", height, parts, "Difference of each query, gains first")


def bars(values: Sequence[tuple[str, float]], label: str, shown: Callable[[float], str]) -> str:
    """A bar upwards for each value, with the first and the last name below. `shown` writes a value."""
    if not values:
        return ""
    height = 180
    up = Scale(0, max(value for _, value in values) or 1.0, height - 10, 10)
    parts = [ticks_upwards(up, shown)]
    width = 100 / max(len(values), 8)
    for at, (name, value) in enumerate(values):
        y = up(max(value, 0.0))
        parts.append(
            f'<rect class="bar" x="{at * width + width * 0.1:.3f}%" y="{y:.1f}" width="{width * 0.8:.3f}%" '
            f'height="{up(0) - y:.1f}"><title>{escape(f"{name}: {shown(value)}")}</title></rect>'
        )
    ends = [(0.0, "start", values[0][0])]
    if len(values) > 1:
        ends.append((min(100.0, len(values) * width), "end", values[-1][0]))
    parts += [
        f'<text class="tick" x="{x:.2f}%" y="{height + LINE - 6}" text-anchor="{anchor}">{escape(name)}</text>'
        for x, anchor, name in ends
    ]
    return svg("bars", height + LINE, parts, label)


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
    parts = [ticks_across(across, 10, height - 10, shown), ticks_upwards(up, lambda value: f"{value:g}")]
    if front:
        parts.append(_front(points, across, up))
    for point in points:
        x, y = across(point.x), up(point.y)
        parts.append(line("spread", x, across(point.x_end), y, y) + line("spread", x, x, up(point.low), up(point.high)))
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
    return svg("scatter", height + 2.5 * LINE, parts, f"{y_label} against {x_label}")


def _front(points: Sequence[Point], across: Scale, up: Scale) -> str:
    """Steps from each point that is not beaten to the next dearer one."""
    ordered = sorted((point for point in points if not point.beaten), key=lambda point: point.x)
    places = [(across(point.x), up(point.y)) for point in ordered]
    return "".join(
        line("front", x, next_x, y, y) + line("front", next_x, next_x, y, next_y)
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
