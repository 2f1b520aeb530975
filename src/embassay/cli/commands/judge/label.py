from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, progress

if TYPE_CHECKING:
    from rich.console import Console

    from embassay.evaluate.judge.label.labelling import Labelling

NEEDS_ARGUMENTS = True


def command(
    judged: Annotated[Path, typer.Argument(help="Passages, as embassay judge new makes them.", metavar="JUDGED_DIR")],
    candidates: Annotated[
        list[str],
        typer.Argument(help="Two or more, as compare takes them, the one in use first.", metavar="CANDIDATE..."),
    ],
    questions: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--questions", metavar="FILE", help="A question a line, or JSON lines of query."),
    ] = None,
    from_log: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--from-log", metavar="SET", help="Questions that this set was asked, those that failed first."),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="N", min=1, help="Questions of the log, at most.")] = 50,
    mode: Annotated[
        str, typer.Option(metavar="MODE", help="The mode of candidates that name none: dense, hybrid or lexical.")
    ] = "dense",
    depth: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="First results of each candidate that are pooled.")
    ] = 10,
    pool: Annotated[
        int, typer.Option(metavar="N", min=0, max=1000, help="Most results shown for a question; 0: all of them.")
    ] = 10,
    effect: Annotated[
        float,
        typer.Option(metavar="X", help="The difference in nDCG@10 that is to be seen; it says when it is enough."),
    ] = 0.05,
    page: Annotated[bool, typer.Option("--page", help="Judge in a browser on this machine.")] = False,
    split: Annotated[str, typer.Option(metavar="NAME", help="Which judgments are written.")] = "test",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Judge by hand what candidates find, with at most one key a result.

    The first results of all candidates are shown in mixed order, without saying whose they are; questions on which the
    candidates differ most come first. Without --questions and --from-log, type them. Each key is kept at once: stop
    whenever you like, and the same command goes on.

    \b
    embassay judge new docs --out judged/ -n 0
    embassay judge label judged/ minilm minilm@hybrid --questions questions.txt
    embassay judge label judged/ minilm minilm@hybrid --from-log docs --page
    """
    from embassay.evaluate.judge.label.labelling import LabelOptions
    from embassay.evaluate.judge.label.opening import label
    from embassay.evaluate.judge.label.questions import read_questions

    asked = read_questions(questions) if questions else []
    out = common.messages() if json else common.console()
    compare = shlex.join(["embassay", "compare", *candidates, "--judged", str(judged)])
    typed = not asked and from_log is None
    with progress.bar(None) as bar, label(
        judged, candidates, asked, from_log=from_log, limit=limit, home=home, mode=mode,
        options=LabelOptions(depth, pool, split, effect), advance=bar, started=bar.expect,
    ) as judging:  # fmt: skip
        bar.close()
        try:
            _judge(judging, out, page=page, typed=typed)
        except KeyboardInterrupt:
            common.messages().print("\nEvery key is kept; the same command goes on from here.")
            raise
        _report(judging, out, str(judged), compare, json=json)


def _judge(judging: Labelling, out: Console, *, page: bool, typed: bool) -> None:
    from embassay.cli.judging import Sitting
    from embassay.cli.keyboard import Keyboard
    from embassay.evaluate.judge.label.page import LabelPage

    if page:
        served = LabelPage(judging)
        common.messages().print(f"Judge here, and keep the address to yourself:\n{served.url}", soft_wrap=True)
        served.run()
        return
    with Keyboard() as keyboard:
        Sitting(judging, keyboard, out).run((lambda question: _add(judging, question)) if typed else None)


def _add(judging: Labelling, question: str) -> None:
    with progress.working("Searching"):
        judging.add([question])


def _report(judging: Labelling, out: Console, folder: str, compare: str, *, json: bool) -> None:
    from embassay.cli.judging import report

    standing = judging.standing
    if json:
        common.print_json({"judged": folder, **standing.to_dict(), "next": compare})
        return
    out.print()
    for sentence in report(standing, folder, compare):
        out.print(sentence)
