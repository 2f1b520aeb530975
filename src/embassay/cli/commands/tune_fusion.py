from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress
from embassay.cli.tables import table, text

if TYPE_CHECKING:
    from embassay.tune.fusion import Tuning

NEEDS_ARGUMENTS = True
SHOWN = 8
"""Ways that are listed: the best ones."""


def command(
    judged: Annotated[
        Path, typer.Option("--judged", metavar="DIR", help="Judged data of the set, as embassay judge new makes it.")
    ],
    set_name: Annotated[Optional[str], typer.Option("--set", metavar="NAME", help="The set.")] = None,  # noqa: UP045
    metric: Annotated[str, typer.Option("--metric", metavar="M", help="What is to be raised.")] = "nDCG@10",
    pipeline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="STAGES", help="The search whose fusion is fitted. Default: that of a hybrid search."),
    ] = None,
    min_effect: Annotated[
        float, typer.Option("--min-effect", metavar="X", help="The least gain that is worth a setting of its own.")
    ] = 0.005,
    split: common.SplitOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """How the arms of a hybrid search are best joined, on your own judged queries.

    Fusions and their weights are tried on what the arms find. The best one is recommended only where it gains on
    queries that did not choose it. Nothing is changed: what is recommended is printed as a pipeline.

    \b
    embassay tune-fusion --set docs --judged judged/
    embassay tune-fusion --set docs --judged judged/ --metric R@20 --json
    embassay tune-fusion --judged judged/ --pipeline 'dense(200) | lexical(200) >> convex >> top'
    """
    from embassay.evaluate.compare.candidate import measured
    from embassay.evaluate.data.judged import read_judged
    from embassay.tune.fusion import tune_fusion

    data = read_judged(judged, split)
    present = measured(pipeline) if pipeline else None
    with common.opened_home(home) as opened, progress.bar(len(data.queries), "Searching", "query") as advance:
        name = opened.set(set_name).name
        found = tune_fusion(opened, name, data, metric=metric, present=present, min_effect=min_effect, advance=advance)
    if json:
        common.print_json(found.to_dict())
    else:
        _show(found)


def _show(found: Tuning) -> None:
    out = common.console()
    out.print(text(found.set, "bold").append(f" · {found.judged.name} · {found.queries:,} queries", "not bold"))
    best = sorted(found.means.items(), key=lambda item: -item[1])
    listed = {name for name, _ in best[:SHOWN]} | {str(found.present.stages[0])}
    rows = [
        [name, f"{mean:.4f}", str(found.chosen.get(name, "")), "in use" if name == str(found.present.stages[0]) else ""]
        for name, mean in best
        if name in listed or name.endswith(" alone")
    ]
    out.print(table(["fusion", found.metric, "folds", ""], rows))
    out.print(found.sentence, style="bold green" if found.recommends else "bold")
    if found.recommends:
        say = f"Search with it: {{}}, or pipeline={str(found.fitted)!r} in Python."
        out.print(remedy.command("search", "QUERY", set=found.set, pipeline=str(found.fitted), say=say).in_shell())
