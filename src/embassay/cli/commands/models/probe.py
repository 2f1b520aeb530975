from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from embassay.cli import common, progress, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import facts, text

if TYPE_CHECKING:
    from embassay.evaluate.speed.probe import Probe, ProbeAnswer

NEEDS_ARGUMENTS = True


def command(
    model: Annotated[
        str, typer.Argument(help="A name of embassay.yaml, provider/model, or a Hugging Face id.", metavar="MODEL")
    ],
    requests: Annotated[int, typer.Option("-n", metavar="N", help="Single queries to time.")] = 5,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Ask a model what it really does: dimensions, length, effect of the role, latency, health.

    A handful of short texts is sent, past the cache. Exit code 1 when the model does not answer.

    \b
    embassay models probe openai/text-embedding-3-small
    embassay models probe minilm --json
    """
    from embassay.evaluate.speed.probe import probe

    with common.opened_session(home, create=True) as session, progress.working(f"Asking {model}"):
        found = probe(session.models, model, max(1, requests))
    if json:
        common.print_json(found.to_dict())
    else:
        _show(found)
    if not found.ok:
        raise typer.Exit(ExitCode.FAILED)


def _show(found: Probe) -> None:
    out = common.console()
    state = text(" answers", "green") if found.ok else text(" does not answer", "red")
    out.print(text(found.model, "bold").append_text(state))
    if found.measured:
        out.print(facts(_facts(found.measured)))
    if not found.ok:
        out.print(text(found.message))
    for warning in found.warnings:
        out.print(text(warning, "yellow"))


def _facts(measured: ProbeAnswer) -> Iterator[tuple[str, str]]:
    for name, value in measured.items():
        if name not in ("latency_ms", "billed_tokens", "usd_per_million_tokens"):
            unknown = "any" if name == "max_tokens" else "unknown"
            yield name.replace("_", " "), unknown if value is None else str(value)
    times = measured["latency_ms"]
    yield "latency", f"median {times['p50']} ms, slowest {times['max']} ms of {times['n']}"
    billed = measured["billed_tokens"]
    price = words.dollars(measured["usd_per_million_tokens"])
    per = "" if price in ("free", "unknown") else " per million tokens"
    count = "" if price == "free" else f"; {'unknown' if billed is None else billed} billed for 16 tokens"
    yield "price", f"{price}{per}{count}"
