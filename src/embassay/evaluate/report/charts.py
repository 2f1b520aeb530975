"""Charts as SVG, drawn here: a report has to open without a network, and a chart library would be its largest part.

Colours come from the page's style sheet, so that charts follow its light and its dark look. What a mark stands for is
in its ``<title>``, which browsers show beside the pointer and screen readers speak.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, SCATTER_WIDTH = 720, 480
LABEL = 190
"""Pixels left of an interval chart for names."""
APART = 44
"""Pixels that labels need not to run into each other."""


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
    x: float
    y: float


def intervals(rows: Sequence[Interval], *, min_effect: float | None = None) -> str:
    """A line for each interval around its mean; zero and the minimum effect are marked."""
    if not rows:
        return ""
    step, top = 34, 14
    height = top + step * len(rows) + 34
    extent = [0.0, *(r.low for r in rows), *(r.high for r in rows), *([min_effect] if min_effect else [])]
    scale = _Scale(min(extent), max(extent), LABEL, WIDTH - 34)
    parts = [_grid(scale, top, height - 30, signed=True)]
    parts.append(f'<line class="zero" x1="{scale(0):.1f}" x2="{scale(0):.1f}" y1="{top}" y2="{height - 30}"/>')
    if min_effect:
        at = scale(min_effect)
        parts.append(
            f'<line class="goal" x1="{at:.1f}" x2="{at:.1f}" y1="{top}" y2="{height - 30}">'
            f"<title>minimum effect {min_effect:g}</title></line>"
        )
    for at, row in enumerate(rows):
        y = top + step * at + step / 2
        said = f"{row.label}: {row.mean:+.4f}, 95 % interval {row.low:+.4f} to {row.high:+.4f}"
        parts.append(
            f'<g class="{row.tone}"><title>{escape(said)}</title>'
            f'<text class="name" x="{LABEL - 10}" y="{y + 4:.1f}" text-anchor="end">{escape(_short(row.label))}</text>'
            f'<line class="bar" x1="{scale(row.low):.1f}" x2="{scale(row.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<circle cx="{scale(row.mean):.1f}" cy="{y:.1f}" r="5"/></g>'
        )
    return _svg("intervals", height, parts, "Mean differences with their 95 % intervals")


def per_query(differences: Sequence[tuple[str, float]]) -> str:
    """A bar for each query, from the greatest gain to the greatest loss."""
    ordered = sorted(differences, key=lambda item: -item[1])
    if not ordered:
        return ""
    height, left, top = 220, 46, 12
    most = max(abs(ordered[0][1]), abs(ordered[-1][1]), 1e-9)
    middle = top + (height - 2 * top) / 2
    unit = (height - 2 * top) / 2 / most
    width = (WIDTH - left - 10) / len(ordered)
    parts = []
    for value in (most, most / 2, 0.0, -most / 2, -most):
        y = middle - value * unit
        label = f"{value:+.2f}" if value else "0"
        parts.append(
            f'<line class="grid" x1="{left}" x2="{WIDTH - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>'
        )
    for at, (query, value) in enumerate(ordered):
        if abs(value) < 1e-9:
            continue
        y = middle - max(value, 0) * unit
        tone = "gain" if value > 0 else "loss"
        parts.append(
            f'<rect class="{tone}" x="{left + at * width:.2f}" y="{y:.2f}" width="{max(width - 0.3, 0.6):.2f}" '
            f'height="{abs(value) * unit:.2f}"><title>{escape(f"{value:+.3f}  {query}")}</title></rect>'
        )
    return _svg("per-query", height, parts, "Difference of each query, gains first")


def scatter(points: Sequence[Point], x_label: str, y_label: str) -> str:
    """Quality upwards, cost to the right on a logarithmic scale where it spans a decade; the Pareto front is a line.

    Points carry the number of their candidate: names would lie on each other.
    """
    if not points:
        return ""
    height, left, top, wide = 280, 56, 22, SCATTER_WIDTH
    xs, ys = [p.x for p in points], [p.y for p in points]
    logarithmic = min(xs) > 0 and max(xs) / min(xs) > 10
    forward = math.log10 if logarithmic else float
    room = max((max(ys) - min(ys)) * 0.2, 0.01)
    across = _Scale(forward(min(xs)), forward(max(xs)), left + 30, wide - 40, ticks=False)
    up = _Scale(max(min(ys) - room, min(0.0, *ys)), max(ys) + room, height - 44, top)
    parts = []
    for value in up.ticks:
        y = up(value)
        parts.append(
            f'<line class="grid" x1="{left}" x2="{wide - 10}" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="tick" x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>'
        )
    last = -math.inf
    for x in sorted(xs):
        if (at := across(forward(x))) - last > APART:
            parts.append(f'<text class="tick" x="{at:.1f}" y="{height - 26}" text-anchor="middle">{_figure(x)}</text>')
            last = at
    front = pareto(points)
    path = " ".join(f"{across(forward(p.x)):.1f},{up(p.y):.1f}" for p in front)
    parts.append(f'<polyline class="front" points="{path}"/>')
    for number, point in enumerate(points, 1):
        x, y = across(forward(point.x)), up(point.y)
        tone = "on-front" if point in front else "off-front"
        said = f"{point.label}: {point.y:.4f} at {_figure(point.x)}"
        parts.append(
            f'<g class="{tone}"><title>{escape(said)}</title><circle cx="{x:.1f}" cy="{y:.1f}" r="8"/>'
            f'<text class="number" x="{x:.1f}" y="{y + 4:.1f}" text-anchor="middle">{number}</text></g>'
        )
    parts.append(
        f'<text class="axis" x="{(left + wide) / 2:.0f}" y="{height - 6}" text-anchor="middle">'
        f"{escape(x_label)}</text>"
        f'<text class="axis" x="4" y="12">{escape(y_label)}</text>'
    )
    return _svg("scatter", height, parts, f"{y_label} against {x_label}", wide)


def pareto(points: Sequence[Point]) -> list[Point]:
    """Those for which no other is at least as good and as cheap, and better in one of both; cheapest first."""
    return sorted(
        (
            p
            for p in points
            if not any(o.x <= p.x and o.y >= p.y and (o.x < p.x or o.y > p.y) for o in points)
        ),
        key=lambda p: (p.x, p.y),
    )  # fmt: skip


class _Scale:
    """From values to pixels, with round ticks."""

    def __init__(self, low: float, high: float, start: float, end: float, *, ticks: bool = True) -> None:
        if high - low < 1e-12:
            low, high = low - 0.5, high + 0.5
        step = 10 ** math.floor(math.log10((high - low) / 4))
        step *= next(m for m in (1, 2, 2.5, 5, 10) if (high - low) / (step * m) <= 6)
        if ticks:
            low, high = math.floor(low / step) * step, math.ceil(high / step) * step
        self._low, self._span, self._start, self._width = low, high - low, start, end - start
        count = round((high - low) / step)
        self.ticks = [round(low + at * step, 10) for at in range(count + 1)]

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) / self._span * self._width


def _grid(scale: _Scale, top: float, bottom: float, *, signed: bool) -> str:
    parts = []
    for value in scale.ticks:
        x = scale(value)
        label = f"{value:+g}" if signed and value else f"{value:g}"
        parts.append(
            f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}"/>'
            f'<text class="tick" x="{x:.1f}" y="{bottom + 18:.1f}" text-anchor="middle">{label}</text>'
        )
    return "".join(parts)


def _svg(kind: str, height: float, parts: Sequence[str], label: str, width: int = WIDTH) -> str:
    return (
        f'<svg class="chart {kind}" viewBox="0 0 {width} {height:.0f}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def _short(label: str) -> str:
    return label if len(label) <= 26 else f"{label[:11]}…{label[-14:]}"


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
