"""What compression costs a set as one HTML file that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from embassay.compress.measuring import CANDIDATES, RECALLED, TIMED
from embassay.compress.pareto import foremost
from embassay.compress.result import Compression, SchemeRow
from embassay.evaluate.report.charts import Point, scatter
from embassay.evaluate.report.drawing import figure
from embassay.evaluate.report.template import filled
from embassay.files import write_whole


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    below: str = ""
    """Shown smaller, on a line of its own."""


@dataclass(frozen=True, slots=True)
class _Line:
    """One scheme as the table has it."""

    number: int
    name: str
    said: str
    """What is to be said of it: that it is stored, proposed, or not kept."""
    proposed: bool
    cells: Sequence[tuple[str, _Cell]]


def write_report(found: Compression, file: Path) -> None:
    """Write the page of what was measured to `file`. Raises HomeNotWritable."""
    write_whole(file, render(found))


def render(found: Compression) -> str:
    """The page as HTML."""
    kept = [row for row in found.rows if not row.unkept]
    metric = found.metrics[0]
    score = lambda row: row.metrics[metric]  # noqa: E731
    size, scan = (lambda row: row.bytes), (lambda row: row.scan_ms)
    values = {
        "found": found,
        "judged": found.judged,
        "metric": metric,
        "table": _table(found),
        "recalled": RECALLED,
        "candidates": CANDIDATES,
        "timed": TIMED,
        "score_chart": _chart(found, found.rows, (size, "bytes of a vector"), (score, metric), spread=True),
        "recall_chart": _chart(
            found, found.rows, (size, "bytes of a vector"), (lambda row: row.recall, f"R@{RECALLED}")
        ),
        "scan_chart": _chart(found, kept, (scan, "scan of all rows for a query, ms"), (score, metric), spread=True),
    }
    return filled("embassay.compress", "report.html", values)


Value = Callable[[SchemeRow], float]


def _chart(
    found: Compression,
    rows: Sequence[SchemeRow],
    cost: tuple[Value, str],
    quality: tuple[Value, str],
    *,
    spread: bool = False,
) -> str:
    """Quality against cost, with the front of these rows; with `spread` also what the loss of each may be."""
    (costs, x_label), (qualities, y_label) = cost, quality
    front = foremost([(costs(row), qualities(row)) for row in rows])
    numbers = {row.name: at for at, row in enumerate(found.rows, 1)}
    points = []
    for row, ahead in zip(rows, front, strict=True):
        x, y = costs(row), qualities(row)
        stored = qualities(found.stored)
        low, high = (stored - row.loss.high, stored - row.loss.low) if spread else (y, y)
        points.append(Point(row.name, numbers[row.name], x, x, y, low, high, not ahead, row is found.proposed))
    return scatter(points, x_label, y_label, figure, front=True)


def _table(found: Compression) -> list[_Line]:
    return [
        _Line(number, row.name, _said(row, found), row is found.proposed, _cells(row, found))
        for number, row in enumerate(found.rows, 1)
    ]


def _said(row: SchemeRow, found: Compression) -> str:
    if row is found.stored:
        return "as they are stored"
    return "proposed" if row is found.proposed else row.unkept


def _cells(row: SchemeRow, found: Compression) -> list[tuple[str, _Cell]]:
    stored, loss, metric = found.stored, row.loss, found.metrics[0]
    lost = _Cell(f"{loss.mean:+.4f}", f"{loss.low:+.4f} to {loss.high:+.4f}")
    return [
        ("bytes", _Cell(f"{row.bytes:g}")),
        ("fewer", _Cell("" if row is stored else f"{stored.bytes / row.bytes:.1f}×")),
        (f"R@{RECALLED}", _Cell(f"{row.recall:.3f}")),
        *((name, _Cell(f"{value:.4f}")) for name, value in row.metrics.items()),
        ("loss", _Cell("") if row is stored else lost),
        (f"R@{RECALLED} rescored", _Cell(f"{row.recall_rescored:.3f}")),
        (f"{metric} rescored", _Cell(f"{row.rescored[metric]:.4f}")),
        ("scan ms", _Cell(f"{row.scan_ms:.2f}")),
    ]
