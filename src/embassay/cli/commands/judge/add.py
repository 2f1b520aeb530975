from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from embassay.cli import common, words

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[Path, typer.Argument(help="A judged set, as embassay judge new makes it.", metavar="JUDGED_DIR")],
    query: Annotated[str, typer.Option("--query", "-q", metavar="TEXT", help="What somebody would ask.")],
    relevant: Annotated[
        list[str],
        typer.Option(
            "--relevant", "-r", metavar="PLACE", help="What answers it; repeat it. docs/a.md#L10-40, or an id."
        ),
    ],
    grade: Annotated[
        int, typer.Option(metavar="N", help="How relevant; 0 says that it is not, 2 and more that it is very much.")
    ] = 1,
    split: Annotated[str, typer.Option(metavar="NAME", help="Which judgments.")] = "test",
    json: common.JsonOption = False,
) -> None:
    """Say which documents answer a query.

    \b
    embassay judge add judged/ -q "when do links end" -r docs/a.md#L10-40
    embassay judge add judged/ -q "rotate a key" -r docs/keys.md -r docs/b.md --grade 2
    """
    from embassay.evaluate.judge.writing import add_judgment

    meant = add_judgment(judged, query, relevant, grade=grade, split=split)
    if json:
        common.print_json({"query": query, "relevant": meant, "grade": grade})
    else:
        files = Counter(name.partition("#L")[0] for name in meant)
        listed = ", ".join(f"{words.count(n, 'passage')} of {file}" for file, n in files.items())
        common.console().print(f"{query}: judged {listed}.")
