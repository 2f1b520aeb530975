from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mensura.cli import common
from mensura.errors import UsageError

if TYPE_CHECKING:
    from mensura.types import Embeddings

FORMATS = ("text", "json", "jsonl")


def command(
    role: Annotated[str, typer.Option("--role", metavar="ROLE", help="query or document: which prompt applies.")],
    content: Annotated[
        list[str] | None,
        typer.Option("-c", "--content", metavar="TEXT", help="A text; repeat it. Default: lines of stdin."),
    ] = None,
    format: Annotated[str, typer.Option("--format", metavar="F", help="text, json or jsonl.")] = "text",
    on_long: Annotated[
        str, typer.Option(metavar="POLICY", help="Texts above the token limit: error, truncate or split.")
    ] = "truncate",
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    set_name: common.SetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Turn texts into vectors.

    With --set the set's own model is used, else --model, else all-MiniLM-L6-v2.

    \b
    mensura embed -c "one text" --role query --format json
    cat titles.txt | mensura embed --role document --format jsonl
    """
    if on_long not in ("error", "truncate", "split"):
        raise UsageError(f"on-long {on_long!r} is not one of error, truncate, split.")
    chosen = "json" if json else format
    if chosen not in FORMATS:
        raise UsageError(f"format {chosen!r} is not one of {', '.join(FORMATS)}.")
    texts = content if content is not None else _stdin()
    made = _embed(texts, role, model, precision, on_long, set_name, home)
    _print(made, texts, chosen)
    cut = sum(made.truncated)
    if cut:
        common.messages().print(f"[yellow]{common.count(cut, 'text')} cut at the model's token limit.[/yellow]")


def _embed(
    texts: list[str], role: Any, model: str | None, precision: Any, on_long: Any, set_name: str, home: Any
) -> Embeddings:
    if set_name and (model or precision):
        raise UsageError(
            "--set has its own model and precision.", remedy="Leave out --model and --precision, or --set."
        )
    if set_name:
        with common.existing_home(home) as opened:
            return opened.embed(texts, role, set=set_name, on_long=on_long)
    from mensura.home import embed

    return embed(texts, role, model=model, precision=precision or "auto", on_long=on_long)


def _stdin() -> list[str]:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError("no text was given.", remedy='Pass -c "some text", or lines on stdin.')
    data = sys.stdin.buffer.read().decode("utf-8", "replace")
    return [line for line in data.splitlines() if line.strip()]


def _print(made: Embeddings, texts: list[str], chosen: str) -> None:
    if chosen == "json":
        common.print_json(
            {
                "space": str(made.space),
                "role": made.role,
                "embeddings": made.vectors.tolist(),
                "tokens": list(made.tokens),
                "truncated": list(made.truncated),
            }
        )
        return
    for text, vector, tokens, truncated in zip(texts, made.vectors, made.tokens, made.truncated, strict=True):
        if chosen == "jsonl":
            common.print_json({"text": text, "embedding": vector.tolist(), "tokens": tokens, "truncated": truncated})
        else:
            head = ", ".join(f"{value:.4f}" for value in vector[:4])
            common.console().print(f"[{head}, … {len(vector)} values]  {tokens} tokens  {text[:60]!r}", markup=False)
