from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embassay.cli import common, scored_models
from embassay.cli.tables import line

NEEDS_ARGUMENTS = True


def command(
    train: Annotated[Path, typer.Argument(help="text, label: CSV, TSV or JSON lines.", metavar="TRAIN")],
    test: Annotated[Path, typer.Argument(help="The same, for texts that are to be told.", metavar="TEST")],
    models: scored_models.ModelsOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Do vectors tell labelled texts apart?

    Accuracy of the five nearest texts of TRAIN for each text of TEST, and purity and V-measure of as many k-means
    clusters of TEST as there are labels.

    \b
    embassay similarity labels train.csv test.csv
    embassay similarity labels train.csv test.csv -m minilm -m minilm@int8 --json
    """
    from embassay.evaluate.data.labels import read_labelled
    from embassay.evaluate.score.labels import score_labels

    known, asked = read_labelled(train), read_labelled(test)
    total = len(known.texts) + len(asked.texts)
    found = scored_models.each_model(models, home, total, lambda e, bar: score_labels(e, known, asked, bar).to_dict())
    if json:
        common.print_json({"train": str(train), "test": str(test), "models": found})
    else:
        counts = f"{len(asked.texts):,} texts, {len(known.texts):,} to learn from"
        common.console().print(line((asked.name, "bold"), f" · {counts}"))
        scored_models.show(found, ("knn_accuracy", "purity", "v_measure"))
    scored_models.exit_if_failed(found)
