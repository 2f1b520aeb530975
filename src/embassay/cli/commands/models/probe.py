from __future__ import annotations

from typing import Annotated, Any

import typer

from embassay.cli import common

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
    from embassay.evaluate.speed.measure import probe

    with common.open_registry(home) as registry, common.messages().status(f"Asking {model}"):
        found = probe(registry, model, max(1, requests))
    if json:
        common.print_json(found)
    else:
        _show(found)
    if not found["health"]["ok"]:
        raise typer.Exit(1)


def _show(found: dict[str, Any]) -> None:
    from rich.table import Table

    out = common.console()
    health = found["health"]
    state = "[green]answers[/green]" if health["ok"] else "[red]does not answer[/red]"
    out.print(f"[bold]{found['model']}[/bold] {state}", highlight=False)
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in found.items():
        if name not in ("model", "health", "latency_ms", "warnings", "billed_tokens", "usd_per_million_tokens"):
            table.add_row(
                name.replace("_", " "), ("any" if name == "max_tokens" else "unknown") if value is None else str(value)
            )
    if found.get("latency_ms"):
        times = found["latency_ms"]
        table.add_row("latency", f"median {times['p50']} ms, slowest {times['max']} ms of {times['n']}")
    if health["ok"]:
        billed = found["billed_tokens"]
        price = common.dollars(found["usd_per_million_tokens"])
        per = "" if price in ("free", "unknown") else " per million tokens"
        count = "" if price == "free" else f"; {'unknown' if billed is None else billed} billed for 16 tokens"
        table.add_row("price", f"{price}{per}{count}")
    out.print(table, markup=False)
    if not health["ok"]:
        out.print(health["message"], markup=False)
    for warning in found["warnings"]:
        out.print(f"[yellow]{warning}[/yellow]")
