from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, progress, words
from embassay.cli.exits import ExitCode
from embassay.cli.tables import WIDE, table, text

if TYPE_CHECKING:
    from rich.text import Text

    from embassay.evaluate.speed.bench import BatchSpeed, Measured

NEEDS_ARGUMENTS = True
LONGEST = 32_768
"""Tokens of a text."""


def command(
    models: Annotated[
        list[str], typer.Argument(help="One or more; @int8 and @dims=256 choose a form.", metavar="MODEL...")
    ],
    docs: Annotated[
        list[Path] | None,
        typer.Option("--docs", metavar="PATH", help="Measure with chunks of your own documents as well."),
    ] = None,
    threads: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option(metavar="N,...", help="Numbers of cores to measure with; default: all of them."),
    ] = None,
    lengths: Annotated[
        str, typer.Option(metavar="N,...", help="Lengths of texts to measure in batches, in tokens.")
    ] = "16,64,256",
    rounds: Annotated[int, typer.Option(metavar="N", min=3, help="Rounds of each batch; the median counts.")] = 5,
    json: common.JsonOption = False,
) -> None:
    """How fast are models on this machine? Latency, throughput, memory, cost.

    Every model runs in a process of its own, past every cache, and is warmed up first. Figures are medians with their
    spread: percentiles of single queries, least and greatest of the rounds of batches. Hosted models are sent a dozen
    queries, and three times a sample of --docs.

    \b
    embassay bench minilm@bf16 minilm@int8
    embassay bench minilm openai-3-small --docs docs
    embassay bench minilm --threads 1,2 --lengths 32,128 --json
    """
    from embassay.errors import UsageError
    from embassay.evaluate.speed.bench import Benchmark, bench, check_threads
    from embassay.evaluate.speed.machine import processor

    cores: list[int | None] = list(_numbers("--threads", threads)) if threads else [None]
    check_threads([count for count in cores if count is not None])
    sizes = _numbers("--lengths", lengths)
    if max(sizes) > LONGEST:
        raise UsageError(f"--lengths {max(sizes):,}: texts of at most {LONGEST:,} tokens are measured.")
    for path in docs or ():
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder.")
    rows = []
    paths = tuple(map(str, docs or ()))
    with common.opened_session() as session, progress.bar(len(models) * len(cores), "Measuring", "run") as bar:
        for model in models:
            for count in cores:
                rows.append(bench(Benchmark(model, count, paths, tuple(sizes), rounds), session.models))
                bar(1)
    machine = processor()
    if json:
        common.print_json({"machine": machine, "models": rows})
    else:
        _show(machine, rows)
    if any(row["error"] for row in rows):
        raise typer.Exit(ExitCode.FAILED)


def _numbers(option: str, text: str) -> list[int]:
    from embassay.errors import UsageError

    try:
        found = [int(part) for part in text.split(",")]
    except ValueError:
        found = []
    if not found or min(found) < 1:
        raise UsageError(f"{option} {text!r}: write numbers with commas between, as 16,64.")
    return found


def _show(machine: str, measured: list[Measured]) -> None:
    from embassay.text import short_names

    out = common.console()
    rows = [row for row in measured if not row["error"]]
    short = short_names(list(dict.fromkeys(row["model"] for row in measured)))
    out.print(text(machine, "bold"))
    if rows:
        names = ("model", "cores", "first ms", "p50", "p95", "p99", "memory", "$/M tok.")
        out.print(
            table(names, [_query(row, short) for row in rows], title="One query, ms (the first one loads the model)")
        )
        between = " " if out.width >= WIDE else "\n"
        batches = [line for row in rows for line in _batches(row, short, between)]
        title = "Batches, median (least to greatest round)"
        out.print(table(("model", "cores", "texts of", "texts/s", "tokens/s"), batches, title=title))
    for row in rows:
        if row["documents"]:
            seen = row["documents"]
            what = f"{seen['chunks']:,} chunks, {seen['tokens']:,} tokens, {words.dollars(seen['usd'])}"
            out.print(text(f"your documents with {short[row['model']]}: {what}"))
    for row in rows:
        if row["left_out"]:
            listed = ", ".join(f"{length:,}" for length in row["left_out"])
            out.print(text(f"{short[row['model']]} takes no texts of {listed} tokens", "yellow"))
    for row in measured:
        if row["error"]:
            out.print(text(f"{row['model']}: {row['error']}", "yellow"))


def _query(row: Measured, short: dict[str, str]) -> list[str]:
    name = short[row["model"]]
    name = name if f"@{row['precision']}" in name else f"{name} ({row['precision']})"
    memory = words.size(row["peak_mb"] * 1e6) if row["peak_mb"] else ""
    times = row["query_ms"]
    assert times is not None  # a model that did not fail was timed
    shown = [f"{time:.2f}" for time in (times["p50"], times["p95"], times["p99"])]
    cores = str(row["threads"] or "all")
    return [name, cores, f"{row['first_ms']:,.0f}", *shown, memory, words.dollars(row["usd_per_million_tokens"])]


def _batches(row: Measured, short: dict[str, str], between: str) -> list[list[str | Text]]:
    measured: list[tuple[str, BatchSpeed]] = [(f"{batch['tokens']} tokens", batch) for batch in row["batches"]]
    if row["documents"]:
        measured.append(("your docs", row["documents"]))
    lines: list[list[str | Text]] = []
    for what, batch in measured:
        speeds = (batch["texts_per_second"], batch["tokens_per_second"])
        shown = [text(f"{s['median']:,.0f}{between}({s['low']:,.0f} to {s['high']:,.0f})") for s in speeds]
        lines.append([short[row["model"]], str(row["threads"] or "all"), what, *shown])
    return lines
