from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.catalog.cost import OLD_PRICE_DAYS
from embassay.catalog.worth import QUERY_TOKENS
from embassay.cli import common, progress, words
from embassay.cli.spending import line_of, table_of
from embassay.cli.tables import line, table, text
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.catalog.cost import Cost
    from embassay.catalog.worth import Worth
    from embassay.models.registry import Registry
    from embassay.models.spending import Spending

CANDIDATES = 50
"""Chunks that are reranked for a query, as the stage does it where nothing else is said."""
HOSTED = "openai/text-embedding-3-small"
"""Stands beside a local model, as the local default stands beside a hosted one."""


def command(
    paths: Annotated[
        Optional[list[Path]],  # noqa: UP045 - typer reads the annotation at run time
        typer.Argument(help="Files and folders; without any, what was spent is shown.", metavar="[PATH]..."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option("--model", "-m", metavar="MODEL", help="A model; repeat it to compare.")
    ] = None,
    monthly_change: Annotated[
        str, typer.Option(metavar="SHARE", help="How much of the documents changes in a month: 5% or 0.05.")
    ] = "5%",
    chunk_tokens: Annotated[
        Optional[int],  # noqa: UP045
        typer.Option(metavar="N", help="Most tokens of a chunk, as for index."),
    ] = None,
    value_per_point: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option(metavar="USD", help="What one point of nDCG@10 (0.01) is worth in a year."),
    ] = None,
    queries_per_month: Annotated[float, typer.Option(metavar="N", help="Queries that are asked in a month.")] = 0.0,
    gain: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL=POINTS", help="Points by which a model is better than the cheapest; repeatable."),
    ] = None,
    rerank: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Also what this reranker costs for 1,000 queries; repeatable."),
    ] = None,
    exclude: common.ExcludeOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Say what indexing would cost: money, time and storage, at first and every month. No document is sent.

    Tokens are counted by the model's own tokenizer where it is local, otherwise estimated, and the error is said.
    One model is put beside a local or a hosted one. --value-per-point says which of them pays for itself in a year.
    Without paths, what was spent is shown, and what is left of the spend cap.

    \b
    embassay cost
    embassay cost ./docs --model openai/text-embedding-3-large
    embassay cost docs -m minilm -m openai/text-embedding-3-small --value-per-point 200 --queries-per-month 50000
    embassay cost docs -m minilm -m openai/text-embedding-3-small --json
    embassay cost docs --rerank cohere/rerank-v3.5 --rerank voyage/rerank-2.5
    """
    from embassay.catalog.worth import worth
    from embassay.evaluate.speed.price import price_folder
    from embassay.models.spending import spending

    share, gains = words.part_of(monthly_change, "monthly-change"), dict(map(_gain, gain or ()))
    if not paths:
        _refuse(
            "is about documents", "Name files or folders.", model=model, value_per_point=value_per_point, rerank=rerank
        )
    if value_per_point is None:
        needed = "Add --value-per-point USD."
        _refuse("is read with what a point is worth", needed, queries_per_month=queries_per_month, gain=gain)
    with common.opened_session(home, create=bool(paths)) as session:
        if not paths:
            _show_spent(spending(session.models), json)
            return
        left_out = common.left_out(session.models.config, exclude or (), home)
        names = list(dict.fromkeys(model or [session.models.default_name]))
        if len(names) == 1:
            names.append(HOSTED if not session.models.get(names[0]).remote else session.models.default_name)
            names = list(dict.fromkeys(names))
        with progress.working("Reading and counting"):
            costs = [price_folder(session.models, name, paths, share, chunk_tokens, left_out) for name in names]
        spent = spending(session.models)
        reranking = _reranking(session.models, costs[0], rerank or ())
    if not costs[0].first.chunks:
        raise UsageError(f"no text was found in {', '.join(map(str, paths))}.")
    worths = worth(costs, value_per_point, queries_per_month, gains) if value_per_point is not None else []
    if json:
        data = {"monthly_change": share, "models": [cost.to_dict() for cost in costs], "spending": spent.to_dict()}
        if worths:
            assumed = {"value_per_point": value_per_point, "queries_per_month": queries_per_month}
            data |= {**assumed, "query_tokens": QUERY_TOKENS, "yearly": [asdict(one) for one in worths]}
        if reranking:
            data["reranking"] = {"candidates": CANDIDATES, "usd_per_thousand_queries": reranking}
        common.print_json(data)
        return
    _show(costs, share)
    for name, usd in reranking.items():
        said = (
            f"{name}: 1,000 queries of {QUERY_TOKENS} tokens with {CANDIDATES} chunks each cost {words.dollars(usd)}."
        )
        common.console().print(text(f"Reranked by {said}"))
    if worths:
        _show_worth(worths, value_per_point or 0.0, queries_per_month)
    if spent.cap_usd is not None or spent.entries:
        common.console().print(text(line_of(spent), "dim"))


def _reranking(models: Registry, cost: Cost, names: Sequence[str]) -> dict[str, float | None]:
    """Reranker to USD for 1,000 queries over chunks of the folder, as a model of this cost counts their tokens."""
    chunk = cost.first.tokens // max(1, cost.first.chunks)
    each = {name: models.rerankers.get(name).usd(QUERY_TOKENS, [chunk] * CANDIDATES) for name in dict.fromkeys(names)}
    return {name: None if usd is None else round(1000 * usd, 6) for name, usd in each.items()}


def _refuse(why: str, remedy: str, **given: object) -> None:
    """Raises UsageError where one of the options is given: it would be ignored."""
    for name, value in given.items():
        if value:
            raise UsageError(f"{name.replace('_', '-')} {why}.", remedy=remedy)


def _gain(said: str) -> tuple[str, float]:
    """``MODEL=POINTS``. Raises UsageError."""
    model, _, points = said.rpartition("=")
    try:
        value = float(points)
    except ValueError:
        value = float("nan")
    if not model or not abs(value) < float("inf"):
        raise UsageError(f"gain {said!r} is no model with its points.", remedy="Write MODEL=2.5.")
    return model, value


def _show_spent(spent: Spending, json: bool) -> None:
    """What was spent, and what is left."""
    if json:
        common.print_json({"spending": spent.to_dict()})
        return
    out = common.console()
    if spent.entries:
        out.print(table_of(spent))
    out.print(line_of(spent))


def _show_worth(worths: list[Worth], value_per_point: float, queries_per_month: float) -> None:
    """What the candidates cost in a year, and by how much they have to be better for it."""
    out = common.console()
    asked = f"{queries_per_month:,.0f} queries a month, each of {QUERY_TOKENS} tokens and the prompt of its model"
    out.print(f"A year with {asked}; a point of nDCG@10 is worth ${value_per_point:,.2f}.")
    heads = ("model", "a year", "queries", "beyond the cheapest", "pays from", "measured", "return")
    out.print(table(heads, [_worth_row(one) for one in worths]))


def _worth_row(one: Worth) -> list[str]:
    needed = "unknown" if one.points_to_pay is None else f"{one.points_to_pay:.3g} points"
    measured = "" if one.gain is None else f"{one.gain:+.2f} points"
    net = "" if one.net_usd is None else f"{'-' if one.net_usd < 0 else '+'}${abs(one.net_usd):,.2f}"
    extra = words.dollars(one.extra_usd) if one.extra_usd else "unknown" if one.extra_usd is None else "-"
    usd = (words.dollars(one.usd), words.dollars(one.queries_usd), extra)
    return [one.model, *usd, needed if one.extra_usd != 0 else "-", measured, net]


def _show(costs: list[Cost], share: float) -> None:
    out = common.console()
    out.print(f"{words.count(costs[0].documents, 'document')}; {share:.0%} of it changes in a month.")
    rows = [row for cost in costs for row in _rows(cost)]
    out.print(table(("model", "when", "chunks", "tokens", "money", "time", "storage"), rows, left=("when",)))
    for cost in costs:
        counted = (
            "counted with its own tokenizer" if cost.tokens_exact else f"estimated, within about {cost.token_error:.0%}"
        )
        cut = f"; {words.count(cost.truncated, 'chunk')} above its limit" if cost.truncated else ""
        out.print(text(f"{cost.model}: tokens {counted}; time {cost.speed}{cut}.", "dim"))
        _show_price(cost)


def _show_price(cost: Cost) -> None:
    """How old the price is, on stderr where that is too old to be trusted."""
    age = cost.price_age_days(datetime.now(UTC).date())
    if not cost.price_as_of:
        return
    said = f"{cost.model}: its price is that of {cost.price_as_of}"
    if age is not None and age > OLD_PRICE_DAYS:
        common.messages().print(
            line((f"{said}, {age} days ago; look it up, and set usd_per_million_tokens if it has changed.", "yellow"))
        )
    else:
        common.console().print(text(said + ("." if age is None else f", {words.count(age, 'day')} ago."), "dim"))


def _rows(cost: Cost) -> Iterator[list[str]]:
    about = "" if cost.tokens_exact else "~"
    for name, when, bill in ((cost.model, "first", cost.first), ("", "monthly", cost.monthly)):
        counts = [f"{bill.chunks:,}", f"{about}{bill.tokens:,}"]
        yield [name, when, *counts, words.dollars(bill.usd), words.duration(bill.seconds), words.size(bill.bytes)]
