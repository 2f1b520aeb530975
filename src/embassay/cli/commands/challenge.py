from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, progress, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import table, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from embassay.client.challenge.run import RouteFinding

EXAMPLE = "example"


def command(
    url: Annotated[str, typer.Option(metavar="URL", help="Of the server.")] = "http://127.0.0.1:8080",
    key: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="KEY", envvar="EMBASSAY_KEY", help="Where the server wants one, which may administer it."),
    ] = None,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="For which an answer is waited for.")] = 60.0,
    json: common.JsonOption = False,
) -> None:
    """Call every route of a running server once, from outside, and say what works and what does not.

    Each is asked by the example of the server's own OpenAPI document, for a set that is made for it and removed
    afterwards; answers are held against the shapes of their dialects. Then each is asked wrongly: with broken JSON, by
    a wrong method, for an unknown model, without the key. The exit code is 1 where anything is not as it should be.

    \b
    embassay challenge
    embassay challenge --url http://localhost:8080 --json
    embassay challenge --url https://search.example.com --key ek_...
    """
    from embassay.client.challenge.run import Challenge

    challenge = Challenge(url, key, timeout)
    with progress.working(f"Asking {url}"):
        found = challenge.run()
    wrong = [one for one in found if one.problem]
    if json:
        plain = {"url": url, "ok": not wrong, "asked": len(found), "wrong": len(wrong)}
        common.print_json(plain | {"routes": [one.to_dict() for one in found]})
    else:
        _show(found, wrong)
    if wrong:
        raise typer.Exit(ExitCode.FAILED)


def _show(found: Sequence[RouteFinding], wrong: Sequence[RouteFinding]) -> None:
    """Every route by its example; of the mistakes only those that were taken amiss."""
    out = common.console()
    examples = [one for one in found if one.what == EXAMPLE]
    rows = [
        [f"{one.method} {one.path}", str(one.status or ""), f"{one.milliseconds:,.0f}", _told(one)] for one in examples
    ]
    out.print(table(("route", "status", "ms", "answer"), rows, wrap=("answer",)))
    amiss = [one for one in wrong if one.what != EXAMPLE]
    for one in amiss:
        out.print(text(f"{one.method} {one.path}: ").append(one.problem, "red"))
    mistakes = len(found) - len(examples)
    out.print(
        f"{words.count(len(examples), 'route')}, {words.count(mistakes, 'mistake')} on purpose: "
        f"{f'{len(wrong)} are not answered as they should be.' if wrong else 'all are answered as they should be.'}"
    )


def _told(one: RouteFinding) -> str:
    return one.problem or one.note or "ok"
