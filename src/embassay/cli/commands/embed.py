from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from embassay.cli import common, progress, words
from embassay.cli.standard_input import stdin_lines
from embassay.cli.tables import line
from embassay.errors import UsageError
from embassay.types import check_role

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.session import Session
    from embassay.types import Embeddings

FORMATS = ("text", "json", "jsonl")
FEW = 64
"""Texts that need no progress bar."""


def command(
    role: Annotated[
        str, typer.Option("--role", metavar="ROLE", help="query or document: which of the model's prompts applies.")
    ],
    content: Annotated[
        list[str] | None,
        typer.Option(
            "-c", "--content", metavar="TEXT", help="A text; repeat it for more. Default: the lines of stdin."
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="Files, which are cut into chunks as for an index; repeat it for more."),
    ] = None,
    encoding: Annotated[
        str,
        typer.Option("--encoding", metavar="NAME", help="The encoding of stdin, if that is not UTF-8: latin-1, ..."),
    ] = "",
    format: Annotated[str, typer.Option("--format", metavar="F", help="text, json or jsonl.")] = "text",
    with_texts: Annotated[
        bool, typer.Option("--with-texts", help="Print the texts as well, with --format json.")
    ] = False,
    on_long: Annotated[
        str,
        typer.Option(metavar="POLICY", help="What happens to texts above the token limit: truncate, error or split."),
    ] = "truncate",
    fallback: Annotated[
        bool, typer.Option("--fallback", help="Use the configured fallback_chain where a model fails.")
    ] = False,
    allow_other_space: Annotated[
        bool,
        typer.Option("--allow-other-space", help="With --fallback: take vectors of another space rather than none."),
    ] = False,
    model: common.ModelOption = None,
    precision: common.PrecisionOption = None,
    set_name: common.ModelOfSetOption = "",
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Turn texts into vectors.

    With --set the set's own model is used, else --model, else the configured default or all-MiniLM-L6-v2. A line of
    stdin is a text, and a blank one keeps its place.

    \b
    embassay embed -c "one text" --role query --format json
    embassay embed --files 'docs/**/*.md' -m voyage/voyage-3.5 --role document
    cat titles.txt | embassay embed --role document --format jsonl
    """
    if on_long not in ("error", "truncate", "split"):
        raise UsageError(f"on-long {on_long!r} is not one of error, truncate, split.")
    chosen = "json" if json else format
    if chosen not in FORMATS:
        raise UsageError(f"format {chosen!r} is not one of {', '.join(FORMATS)}.")
    if set_name and (model or precision or fallback):
        raise UsageError("--set has its own model and precision.", remedy="Leave out the others, or --set.")
    if allow_other_space and not fallback:
        raise UsageError("--allow-other-space goes with --fallback.")
    check_role(role)
    given = stdin_lines(encoding) if content is None and files is None else content
    with _embedder(model, precision, set_name, home, fallback=fallback) as (embedder, session):
        texts = _texts(given, files, embedder)
        made = _embed(embedder, texts, role, on_long, allow_other_space=allow_other_space)
    _print(made, texts, chosen, session.notices, with_texts=with_texts)
    _remark(made)


@contextmanager
def _embedder(
    model: str | None, precision: str | None, set_name: str, home: Path | None, *, fallback: bool
) -> Iterator[tuple[Embedder, Session]]:
    from embassay.models.reference import with_precision

    if set_name:
        with common.opened_home(home) as opened:
            yield opened.embedder(set_name), opened.session
        return
    with common.opened_session(home, create=True) as session:
        if fallback:
            chain = session.models.config.embeddings.fallback_chain
            named = [model, *(name for name in chain if name != model)] if model else None
            yield session.models.chain(named), session
        else:
            yield session.models.get(with_precision(model or session.models.default_name, precision)), session


def _embed(embedder: Embedder, texts: list[str], role: Any, on_long: Any, *, allow_other_space: bool) -> Embeddings:
    """With a progress bar where it takes long enough to ask."""
    from embassay.embedders.texts.blocks import join
    from embassay.embedders.wrap.chain import Fallback
    from embassay.errors import TextRefused

    if isinstance(embedder, Fallback):
        return embedder.embed(texts, role, on_long, allow_other_space=allow_other_space)
    if len(texts) <= FEW:
        return embedder.embed(texts, role, on_long)
    blocks = []
    with progress.bar(len(texts)) as bar:
        for block in embedder.stream(texts, role, on_long):
            blocks.append(block)
            bar(len(block))
    made = join(blocks, embedder.space, role, embedder.precision)
    for position, reason in made.refused.items():
        raise TextRefused(position, reason)
    return made


def _texts(content: list[str] | None, files: list[str] | None, embedder: Embedder) -> list[str]:
    if content is not None and files is not None:
        raise UsageError("-c and --files were both given.", remedy="Pass one of them.")
    if files is not None:
        return _chunks(files, embedder)
    return content or []


def _chunks(patterns: list[str], embedder: Embedder) -> list[str]:
    """The chunks of every file that a pattern matches; the shell may have expanded it already."""
    import glob

    from embassay.ingest.flow import chunks_of

    paths = [Path(found) for pattern in patterns for found in sorted(glob.glob(pattern, recursive=True))]  # noqa: PTH207 - patterns may be absolute
    if not paths:
        raise UsageError(f"no file matches {', '.join(patterns)}.")
    return [chunk.indexed for chunk in chunks_of(paths, embedder.tokens, prompt=embedder.space.document_prompt)]


def _remark(made: Embeddings) -> None:
    """What the caller should know, on stderr."""
    cut = sum(made.truncated)
    if cut:
        common.messages().print(line((f"{words.count(cut, 'text')} cut at the model's token limit.", "yellow")))
    usage = made.usage
    if usage.requests or usage.cached:
        billed = f"{usage.tokens:,} tokens billed" if usage.tokens is not None else "tokens unknown"
        money = f", {words.dollars(usage.usd)}" if usage.requests else ""
        parts = [f"{words.count(usage.requests, 'request')}, {billed}{money}"] if usage.requests else []
        parts += [f"{usage.cached:,} from the cache"] if usage.cached else []
        common.messages().print(line((f"{made.model}: {'; '.join(parts)}.", "dim")))


def _print(made: Embeddings, texts: list[str], chosen: str, notices: Sequence[str], *, with_texts: bool) -> None:
    if chosen == "json":
        common.print_json(
            ({"texts": texts} if with_texts else {})
            | {
                "model": made.model,
                "space": str(made.space),
                "space_digest": made.space.digest,
                "role": made.role,
                "embeddings": made.vectors.tolist(),
                "tokens": list(made.tokens),
                "truncated": list(made.truncated),
                "usage": {name: getattr(made.usage, name) for name in ("requests", "tokens", "usd", "cached")},
                "notices": list(notices),
            }
        )
        return
    for text, vector, tokens, truncated in zip(texts, made.vectors, made.tokens, made.truncated, strict=True):
        if chosen == "jsonl":
            made_of = {"text": text, "embedding": vector.tolist(), "tokens": tokens, "truncated": truncated}
            common.print_json(made_of | {"space_digest": made.space.digest})  # each line may be stored by itself
        else:
            head = ", ".join(f"{value:.4f}" for value in vector[:4])
            common.console().print(f"[{head}, … {len(vector)} values]  {tokens} tokens  {text[:60]!r}")
