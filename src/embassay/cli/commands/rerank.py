from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay import jsontext
from embassay.cli import common, words
from embassay.cli.standard_input import stdin_lines
from embassay.cli.tables import line
from embassay.errors import UsageError
from embassay.text import printable

if TYPE_CHECKING:
    from embassay.reranking.base import Reranked

NEEDS_ARGUMENTS = True
TEXTS = ("text", "content", "document", "passage", "body")
"""Fields that may hold the text of a line, the first one found."""
SHOWN = 100
"""Characters of a text that are printed."""


def command(
    query: Annotated[str, typer.Argument(help="What the documents are to answer.")],
    documents: Annotated[
        Optional[str],  # noqa: UP045
        typer.Option("--documents", "-d", metavar="FILE", help="JSON lines, or a text a line; default: stdin."),
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="NAME", help="The reranker: cohere/rerank-v3.5, a folder; default: as configured."
        ),
    ] = "",
    field: Annotated[
        str, typer.Option("--field", metavar="NAME", help="The field of JSON lines that holds the text.")
    ] = "",
    k: Annotated[Optional[int], typer.Option("-k", metavar="N", help="How many are printed; default: all.")] = None,  # noqa: UP045
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Put documents in the order of how well they answer a query.

    A line of JSON keeps all of its fields, and so does the answer of `embassay search --json`, whose hits are taken.

    \b
    embassay rerank "how do I rotate a key" --documents hits.jsonl --model cohere/rerank-v3.5 --json
    embassay search "rotate a key" -k 50 --json | embassay rerank "rotate a key" -m ./reranker -k 5
    grep -rh "key" notes/ | embassay rerank "how do I rotate a key" -m tei/http://localhost:3000
    """
    if k is not None and k < 1:
        raise UsageError(f"-k is {k}; it must be at least 1.")
    given = _lines(documents)
    items = _items(given, field)
    with common.opened_session(home, create=True) as session:
        made = session.rerank(query, [text for _, text in items], model=model)
        notices = [*session.notices]
    best = made.order[:k]
    if json:
        common.print_json(_data(query, items, made, best) | {"notices": notices})
        return
    for rank, at in enumerate(best, 1):
        text = " ".join(printable(items[at][1]).split())
        common.console().print(line(f"{rank:>3}  ", (f"{made.scores[at]:.4f}  ", "magenta"), text[:SHOWN]))
    _remark(made)


def _lines(file: str | None) -> list[str]:
    """The lines of a file, or of standard input. Raises UsageError."""
    if file is None or file == "-":
        return stdin_lines()
    try:
        text = Path(file).read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{file} is not UTF-8: {error.reason} at byte {error.start:,}.") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    return text.split("\n")


def _items(lines: Sequence[str], field: str) -> list[tuple[dict[str, Any], str]]:
    """Fields and text of each document: of a JSON object, or of a line of plain text. Raises UsageError."""
    hits = _hits(lines)
    if hits is not None:
        return [(hit, _text(hit, field, f"hit {number}")) for number, hit in enumerate(hits, 1)]
    full = [(number, one.rstrip("\r")) for number, one in enumerate(lines, 1) if one.strip()]
    if not full:
        raise UsageError("there are no documents.", remedy="Give JSON lines, or a text a line.")
    if not full[0][1].lstrip().startswith("{"):
        if field:
            raise UsageError("--field names a field of JSON lines, and these are plain.", remedy="Leave it out.")
        return [({"text": one}, one) for _, one in full]
    return [(data := _object(one, number), _text(data, field, f"line {number}")) for number, one in full]


def _hits(lines: Sequence[str]) -> list[dict[str, Any]] | None:
    """The hits of a search as JSON; None for anything else."""
    text = "\n".join(lines).strip()
    if not text.startswith("{"):
        return None
    try:
        data = jsontext.loads(text)
    except ValueError:
        return None
    hits = data.get("hits") if isinstance(data, dict) else None
    return hits if isinstance(hits, list) and all(isinstance(hit, dict) for hit in hits) else None


def _object(text: str, number: int) -> dict[str, Any]:
    try:
        data = jsontext.loads(text)
    except ValueError as error:
        raise UsageError(f"line {number} is no JSON: {error}.", remedy="Mend the line, or leave it out.") from None
    if not isinstance(data, dict):
        raise UsageError(f"line {number} is no JSON object.", remedy="Write each document as an object.")
    return data


def _text(data: Mapping[str, Any], field: str, where: str) -> str:
    name = field or next((name for name in TEXTS if name in data), "")
    text = data.get(name)
    if not isinstance(text, str):
        found = ", ".join(data) or "none"
        raise UsageError(
            f"{where} has no text: its fields are {found}.", remedy="Name the field that holds it: --field NAME."
        )
    return text


def _data(
    query: str, items: Sequence[tuple[dict[str, Any], str]], made: Reranked, best: Sequence[int]
) -> dict[str, object]:
    results = [
        items[at][0]
        | {
            "index": at,
            "rerank_rank": rank,
            "rerank_score": float(made.scores[at]),
            "tokens": int(made.tokens[at]),
            "truncated": bool(made.truncated[at]),
            "refused": made.refused.get(at),
        }
        for rank, at in enumerate(best, 1)
    ]
    usage = {name: getattr(made.usage, name) for name in ("requests", "tokens", "usd", "cached")}
    return {"query": query, "model": made.model, "documents": len(items), "results": results, "usage": usage}


def _remark(made: Reranked) -> None:
    """What the caller should know, on stderr."""
    cut = int(made.truncated.sum())
    if cut:
        common.messages().print(line((f"{words.count(cut, 'text')} cut at the model's token limit.", "yellow")))
    for at, reason in made.refused.items():
        common.messages().print(line((f"Document {at + 1} was refused: {reason}", "yellow")))
    usage = made.usage
    if usage.requests or usage.cached:
        parts = [f"{words.count(usage.requests, 'request')}, {words.dollars(usage.usd)}"] if usage.requests else []
        parts += [f"{usage.cached:,} from the cache"] if usage.cached else []
        common.messages().print(line((f"{made.model}: {'; '.join(parts)}.", "dim")))
