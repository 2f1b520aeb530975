from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, watching, words
from embassay.cli.tables import facts, line, table

if TYPE_CHECKING:
    from embassay.monitor.report.made import NamedQuery, QualityReport


def command(
    days: Annotated[int, typer.Option("--days", metavar="N", help="How far back searches are read.")] = 7,
    html: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--html", metavar="FILE", help="Also write it as one HTML file that needs no network."),
    ] = None,
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Tell how the searches of a set went: scores, clicks, latency, and which queries fail.

    \b
    embassay monitor report
    embassay monitor report --days 30 --html report.html
    embassay monitor report --set docs --json
    """
    from embassay.monitor.monitor import Monitor
    from embassay.monitor.report.made import make_report

    with common.opened_home(home) as opened:
        made = make_report(Monitor(opened, set_name or opened.default_set), days)
    if html is not None:
        from embassay.monitor.report.page import write_page

        write_page(made, html)
    if json:
        common.print_json(made.to_dict())
        return
    _show(made)
    if html is not None:
        common.console().print(line(f"Written to {html}."))


def _show(made: QualityReport) -> None:
    out = common.console()
    counted = words.count(made.searches, "search", "searches")
    asked = f" for {words.count(made.different, 'query', 'queries')}" if made.searches else ""
    out.print(line((made.set, "bold"), f": {counted}{asked} in {words.count(made.number_of_days, 'day')}."))
    for note in made.notes:
        out.print(line((note, "yellow")))
    if made.searches:
        out.print(facts(_facts(made)))
        out.print(table(*_days(made)))
    for title, queries in (("Asked most", made.hot), ("Failing", made.failing)):
        if queries:
            out.print(line((title, "bold")))
            out.print(_queries(queries, failing=title == "Failing"))
    if made.readings:
        out.print(line((f"Signals, of the last {words.count(made.window, 'search', 'searches')}", "bold")))
    watching.show_readings(made.readings, made.alerts, made.until)


def _facts(made: QualityReport) -> Iterator[tuple[str, str]]:
    feedback, took, scores = made.feedback, made.took_ms.percentiles, made.scores.percentiles
    yield "found nothing", _part(made.nothing_found, made.searches)
    for title, bad, of in made.flagged.values():
        yield title.lower(), _part(bad, of)
    if scores:
        said = ", ".join(f"{name} {value:.3f}" for name, value in scores.items())
        yield "best raw score", f"{said} ({made.scores.least:.3f} to {made.scores.most:.3f})"
    yield "milliseconds", ", ".join(f"{name} {value:.0f}" for name, value in took.items())
    if feedback.share is not None and feedback.interval is not None:
        low, high = feedback.interval
        share = (
            f"{_part(feedback.satisfied, feedback.with_feedback)} with feedback, 95 % interval {low:.0%} to {high:.0%}"
        )
        yield "satisfied", f"{share}; {words.share(feedback.share_of_all or 0.0)} of all"
    else:
        yield "satisfied", "nobody said anything of them"
    if feedback.first_click is not None:
        yield (
            "first click",
            f"rank {feedback.first_click:.1f} on average in {words.count(feedback.clicked, 'search', 'searches')}; "
            f"{feedback.at_first or 0:.0%} at rank 1, {feedback.within_three or 0:.0%} in the first three",
        )
    yield "scores and feedback", made.agreement.said


def _part(part: int, whole: int) -> str:
    return f"{part:,} of {whole:,}" + (f" ({words.share(part / whole)})" if whole else "")


def _days(made: QualityReport) -> tuple[Sequence[str], list[Sequence[str]]]:
    """A column for each signal that looks at single searches would be too many: the first one has a column."""
    flag = next(iter(made.flagged), "")
    names = ["day", "searches", "nothing", *(["low"] if flag else []), "score", "p50 ms", "p95 ms", "satisfied"]
    rows: list[Sequence[str]] = []
    for day in made.days:
        low = [f"{day.flagged.get(flag, 0):,}"] if flag else []
        score = "" if day.score is None else f"{day.score:.3f}"
        took = ["" if one is None else f"{one:.0f}" for one in (day.p50_ms, day.p95_ms)]
        said = f"{day.satisfied:,} of {day.with_feedback:,}" if day.with_feedback else ""
        rows.append((day.day, f"{day.searches:,}", f"{day.nothing_found:,}", *low, score, *took, said))
    return names, rows


def _queries(queries: Sequence[NamedQuery], *, failing: bool) -> object:
    names = ("query", "asked", "opened", "score", *(["why"] if failing else []))
    rows = []
    for one in queries:
        of = one.query
        score = "" if of.score is None else f"{of.score:.3f}"
        rows.append(
            (one.shown, f"{of.asked:,}", f"{of.clicked:,}", score, *(["; ".join(of.failures)] if failing else []))
        )
    return table(names, rows, wrap=("why",))
