from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, progress, words
from embassay.cli.tables import table, text
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.catalog.cost import Cost

NEEDS_ARGUMENTS = True
HOSTED = "openai/text-embedding-3-small"
"""Stands beside a local model, as the local default stands beside a hosted one."""


def command(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders.", metavar="PATH...")],
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
    exclude: common.ExcludeOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Say what indexing would cost: money, time and storage, at first and every month. No document is sent.

    Tokens are counted by the model's own tokenizer where it is local, otherwise estimated, and the error is said.
    One model is put beside a local or a hosted one.

    \b
    embassay cost ./docs --model openai/text-embedding-3-large
    embassay cost docs -m minilm -m openai/text-embedding-3-small --json
    """
    from embassay.evaluate.speed.price import price_folder

    share = _share(monthly_change)
    with common.opened_session(home, create=True) as session:
        left_out = common.left_out(session.models.config, exclude or (), home)
        names = list(dict.fromkeys(model or [session.models.default_name]))
        if len(names) == 1:
            names.append(HOSTED if not session.models.get(names[0]).remote else session.models.default_name)
            names = list(dict.fromkeys(names))
        with progress.working("Reading and counting"):
            costs = [price_folder(session.models, name, paths, share, chunk_tokens, left_out) for name in names]
    if not costs[0].first.chunks:
        raise UsageError(f"no text was found in {', '.join(map(str, paths))}.")
    if json:
        common.print_json({"monthly_change": share, "models": [cost.to_dict() for cost in costs]})
    else:
        _show(costs, share)


def _share(text: str) -> float:
    try:
        share = float(text.rstrip("% ")) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise UsageError(f"monthly-change {text!r} is no share.", remedy="Write 5% or 0.05.")
    return share


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


def _rows(cost: Cost) -> Iterator[list[str]]:
    about = "" if cost.tokens_exact else "~"
    for name, when, bill in ((cost.model, "first", cost.first), ("", "monthly", cost.monthly)):
        counts = [f"{bill.chunks:,}", f"{about}{bill.tokens:,}"]
        yield [name, when, *counts, words.dollars(bill.usd), words.duration(bill.seconds), words.size(bill.bytes)]
