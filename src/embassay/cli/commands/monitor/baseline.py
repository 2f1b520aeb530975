from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from embassay.cli import common, progress, words
from embassay.cli.tables import line


def command(
    judged: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option(metavar="DIR", help="Judged data, whose queries are asked; default: the searches of the log."),
    ] = None,
    split: common.SplitOption = None,
    out: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--out", metavar="FILE", help="Also write it to a file, for monitor check --baseline FILE."),
    ] = None,
    set_name: common.SetOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Write down what is good now, for one set in its space: what later searches are held against.

    \b
    embassay monitor baseline --judged judged/
    embassay monitor baseline --set docs
    embassay monitor baseline --judged judged/ --out baseline.json
    """
    from embassay.evaluate.data.judged import read_judged
    from embassay.monitor.baseline_file import write_baseline
    from embassay.monitor.baselines import make_baseline
    from embassay.monitor.monitor import Monitor

    data = None if judged is None else read_judged(judged, split)
    with common.opened_home(home) as opened:
        monitor = Monitor(opened, set_name or opened.default_set)
        with progress.bar(len(data.queries) if data else None) as advance:
            made = make_baseline(monitor, data, str(judged or ""), advance)
        if out is not None:
            write_baseline(monitor, out)
    if json:
        common.print_json(made.to_dict())
        return
    source = f"judged set {made.judged}" if made.judged else "the log"
    said = (
        f"Written down what is good for set {made.set}: {words.count(made.searches, 'search', 'searches')} of {source}."
    )
    common.console().print(line(said))
