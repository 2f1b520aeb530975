from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay import remedy
from embassay.cli import common, progress
from embassay.cli.tables import table, text
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.tune.fusion import Tuning

NEEDS_ARGUMENTS = True
SHOWN = 8
"""Ways that are listed: the best ones."""


def command(
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--judged", metavar="DIR", help="Judged data of the set, as embassay judge new makes it."),
    ] = None,
    set_name: Annotated[Optional[str], typer.Option("--set", metavar="NAME", help="The set.")] = None,  # noqa: UP045
    metric: Annotated[str, typer.Option("--metric", metavar="M", help="What is to be raised.")] = "nDCG@10",
    pipeline: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="STAGES", help="The search whose fusion is fitted. Default: a hybrid search of the set."),
    ] = None,
    min_effect: Annotated[
        float, typer.Option("--min-effect", metavar="X", help="The least gain that is worth a setting of its own.")
    ] = 0.005,
    apply: Annotated[
        bool, typer.Option("--apply", help="Have the set join its arms so from now on, where that is recommended.")
    ] = False,
    reset: Annotated[
        bool, typer.Option("--reset", help="Only have the set join its arms as every set does again.")
    ] = False,
    split: common.SplitOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """How the arms of a hybrid search are best joined, on your own judged queries.

    Fusions and their weights are tried on what the arms find. The best one is recommended only where it gains on
    queries that did not choose it. Nothing is changed without --apply: then hybrid searches of the set use it, and
    eval and compare of the set, until --reset.

    \b
    embassay tune-fusion --set docs --judged judged/
    embassay tune-fusion --set docs --judged judged/ --metric R@20 --json
    embassay tune-fusion --judged judged/ --pipeline 'dense(200) | lexical(200) >> convex >> top'
    embassay tune-fusion --set docs --judged judged/ --apply
    embassay tune-fusion --set docs --reset
    """
    if (judged is None) == (not reset):
        raise UsageError("say either what to fit the fusion to, --judged DIR, or --reset.", remedy=_EXAMPLE)
    if apply and pipeline is not None:
        raise UsageError("--apply is for a hybrid search of the set, and --pipeline is another search.", remedy=_ONE)
    if judged is None:
        _reset(set_name, home, apply=apply, json=json)
        return
    from embassay.evaluate.compare.candidate import measured
    from embassay.evaluate.data.judged import read_judged
    from embassay.tune.fusion import apply as applied
    from embassay.tune.fusion import tune_fusion

    data = read_judged(judged, split)
    present = measured(pipeline) if pipeline else None
    with common.opened_home(home) as opened:
        name = opened.set(set_name).name
        with progress.bar(len(data.queries), "Searching", "query") as advance:
            found = tune_fusion(
                opened, name, data, metric=metric, present=present, min_effect=min_effect, advance=advance
            )
        changed = apply and found.recommends and applied(opened, found)
    if json:
        common.print_json(found.to_dict() | {"applied": changed})
    else:
        _show(found, asked=apply, changed=changed)


def _reset(set_name: str | None, home: Path | None, *, apply: bool, json: bool) -> None:
    """Forget the fusion of a set, and say so."""
    from embassay.search.modes import DEFAULT_FUSION

    if apply:
        raise UsageError("--apply and --reset are opposites.", remedy="Leave one of the two out.")
    with common.opened_home(home) as opened:
        of_set = opened.set(set_name)
        name, changed = of_set.name, of_set.use_fusion(None)
    if json:
        common.print_json({"set": name, "reset": changed, "fusion": str(DEFAULT_FUSION)})
        return
    said = "joins its arms again" if changed else "has no fusion of its own: it joins its arms"
    common.console().print(text(f"{name} {said} as every set does, by {DEFAULT_FUSION}."))


def _show(found: Tuning, *, asked: bool, changed: bool) -> None:
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
    if changed:
        back = remedy.command("tune-fusion", set=found.set, reset=True, say="{} takes it back.")
        out.print(f"Hybrid searches of {found.set} use it from now on. {back.in_shell()}")
    elif asked:
        out.print("Nothing was changed.")
    elif found.recommends:
        say = f"Search with it: {{}}, or pipeline={str(found.fitted)!r} in Python; --apply has the set always do so."
        out.print(remedy.command("search", "QUERY", set=found.set, pipeline=str(found.fitted), say=say).in_shell())


_EXAMPLE = remedy.command("tune-fusion", set="NAME", judged="DIR", say="Example")
_ONE = "Leave one of the two out; a search with other arms names its pipeline itself."
