from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from embassay.cli import common, scored_models
from embassay.cli.tables import line

NEEDS_ARGUMENTS = True


def command(
    file: Annotated[Path, typer.Argument(help="sentence1, sentence2, score: CSV, TSV or JSON lines.", metavar="FILE")],
    models: scored_models.ModelsOption = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Does a model's similarity of two sentences agree with what people say?

    Spearman's and Pearson's correlation of cosine, or dot product, and the scores in the file.

    \b
    embassay similarity pairs stsb.tsv
    embassay similarity pairs stsb.tsv -m minilm -m bge-small --json
    """
    from embassay.evaluate.data.pairs import read_pairs
    from embassay.evaluate.score.pairs import score_pairs

    pairs = read_pairs(file)
    found = scored_models.each_model(
        models, home, 2 * len(pairs.scores), lambda e, bar: score_pairs(e, pairs, bar).to_dict()
    )
    if json:
        common.print_json({"file": str(file), "models": found})
    else:
        common.console().print(line((pairs.name, "bold"), f" · {len(pairs.scores):,} pairs"))
        scored_models.show(found, ("spearman", "spearman_interval", "pearson"))
    scored_models.exit_if_failed(found)
