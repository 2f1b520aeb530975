from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from embassay.cli import common, progress, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import facts, text

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

    with common.opened_session(home) as session, progress.working(f"Asking {model}"):
        found: dict[str, Any] = probe(session.models, model, max(1, requests)).to_dict()
    if json:
        common.print_json(found)
    else:
        _show(found)
    if not found["health"]["ok"]:
        raise typer.Exit(ExitCode.FAILED)


def _show(found: dict[str, Any]) -> None:
    out = common.console()
    health = found["health"]
    state = text(" answers", "green") if health["ok"] else text(" does not answer", "red")
    out.print(text(found["model"], "bold").append_text(state))
    out.print(facts(_facts(found)))
    if not health["ok"]:
        out.print(text(health["message"]))
    for warning in found["warnings"]:
        out.print(text(warning, "yellow"))


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in found.items():
        if name not in ("model", "health", "latency_ms", "warnings", "billed_tokens", "usd_per_million_tokens"):
            unknown = "any" if name == "max_tokens" else "unknown"
            yield name.replace("_", " "), unknown if value is None else str(value)
    if found.get("latency_ms"):
        times = found["latency_ms"]
        yield "latency", f"median {times['p50']} ms, slowest {times['max']} ms of {times['n']}"
    if found["health"]["ok"]:
        billed = found["billed_tokens"]
        price = words.dollars(found["usd_per_million_tokens"])
        per = "" if price in ("free", "unknown") else " per million tokens"
        count = "" if price == "free" else f"; {'unknown' if billed is None else billed} billed for 16 tokens"
        yield "price", f"{price}{per}{count}"
