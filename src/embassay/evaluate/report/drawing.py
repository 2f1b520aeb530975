"""What charts are drawn with: scales, their ticks, lines, and the frame; see `embassay.evaluate.report.charts`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

START, END = 4.0, 96.0
"""Per cent of the width between which values lie: the outermost labels need some room."""
LINE = 20
"""Pixels of a line of letters."""
FEW, MANY = (1, 2, 5), (1,)
"""Of each power of ten that are marked on a logarithmic scale, of few of them and of many."""


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


def ticks_across(scale: Scale, top: float, bottom: float, shown: Callable[[float], str]) -> str:
    """A line upwards at each tick of `scale`, with its value below."""
    return "".join(
        line("grid", scale(value), scale(value), top, bottom)
        + f'<text class="tick" x="{scale(value):.2f}%" y="{bottom + LINE - 2:g}" text-anchor="middle">'
        f"{escape(shown(value))}</text>"
        for value in scale.ticks
    )


def ticks_upwards(scale: Scale, shown: Callable[[float], str]) -> str:
    """A line across at each tick of `scale`, with its value before it: the page leaves room for it."""
    return "".join(
        line("grid", 0, 100, scale(value), scale(value))
        + f'<text class="tick" x="-8" y="{scale(value) + 4:.1f}" text-anchor="end">{shown(value)}</text>'
        for value in scale.ticks
    )


def line(kind: str, x1: float, x2: float, y1: float, y2: float, title: str = "") -> str:
    """A line; `kind` is its class in the style sheet, `title` what it stands for."""
    said = f"<title>{escape(title)}</title>" if title else ""
    return f'<line class="{kind}" x1="{x1:.2f}%" x2="{x2:.2f}%" y1="{y1:.1f}" y2="{y2:.1f}">{said}</line>'


def svg(kind: str, height: float, parts: Sequence[str], label: str) -> str:
    """The chart of these parts; `label` is what screen readers say of it."""
    return (
        f'<svg class="chart {kind}" width="100%" height="{height:g}" role="img" aria-label="{escape(label)}">'
        f"{''.join(parts)}</svg>"
    )


def short(label: str) -> str:
    """A name for which a chart has room: of a long one its beginning and its end."""
    return label if len(label) <= 26 else f"{label[:11]}…{label[-14:]}"


def figure(value: float) -> str:
    """A cost in three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
