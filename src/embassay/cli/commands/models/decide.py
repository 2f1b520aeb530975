from __future__ import annotations

import inspect
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from embassay.catalog.decisions.tree import load_tree, tree_names
from embassay.cli import common, words
from embassay.cli.tables import indented, text
from embassay.text import printable

if TYPE_CHECKING:
    from embassay.catalog.decisions.tree import Answer, Question
    from embassay.catalog.decisions.walk import Named, TreeDecision, TreeStep

NEEDS_ARGUMENTS = True
NAMED = 3
"""Models that are named of those which a step leaves out, and of those that a name stands for."""


def command(
    tree: Annotated[str, typer.Option("--tree", metavar="TREE", help=f"Which: {', '.join(tree_names())}.")],
    use_case: Annotated[
        Optional[str],  # noqa: UP045 - typer reads the annotation at run time
        typer.Option(metavar="NAME", help="A row of the tree's table instead, or all."),
    ] = None,
    table: Annotated[
        Optional[Path],  # noqa: UP045
        typer.Option("--from", metavar="FILE", help="Models of your own for a funnel, as CSV."),
    ] = None,
    json: common.JsonOption = False,
    **answers: Any,
) -> None:
    """Run a decision tree on the catalog: each step with what it leaves out, and the end with today's facts.

    A tree is advice that others give; where what is known today contradicts it, that is said. On a terminal you are
    asked what no option answers; else the tree's default holds.

    \b
    embassay models decide --tree rag --multilingual
    embassay models decide --tree rag --use-case legal
    embassay models decide --tree rerank --no-llm-rerank --storage --json
    embassay models decide --tree funnel --from models.csv
    """
    from embassay.models.deciding import decide

    ask = None if json or not (sys.stdin.isatty() and sys.stderr.isatty()) else _ask
    decision = decide(tree, models=table, use_case=use_case, ask=ask, **answers)
    if json:
        common.print_json(decision.to_dict())
    else:
        _show(decision)


def _options() -> dict[str, Any]:
    """An option for each question of every tree; trees that ask the same share it."""
    asked: dict[str, tuple[Question, list[str]]] = {}
    for name in tree_names():
        for question in load_tree(name).questions:
            asked.setdefault(question.name, (question, []))[1].append(name)
    return {question.python_name: _option(question, trees) for question, trees in asked.values()}


def _option(question: Question, trees: list[str]) -> Any:
    words = f"{', '.join(trees)}: {question.ask}"
    if question.is_number:
        kind = int if question.whole else float
        return Annotated[Optional[kind], typer.Option(f"--{question.name}", metavar="N", help=words)]  # noqa: UP045
    return Annotated[Optional[bool], typer.Option(f"--{question.name}/--no-{question.name}", help=words)]  # noqa: UP045


def _with_options(call: Any) -> None:
    """A tree is one file: its questions become options here, before the command line looks for them."""
    plain = inspect.signature(call, eval_str=True)
    fixed = [one for one in plain.parameters.values() if one.kind is not one.VAR_KEYWORD]
    kind = inspect.Parameter.KEYWORD_ONLY
    added = [inspect.Parameter(name, kind, default=None, annotation=option) for name, option in _options().items()]
    del call.__annotations__["answers"]
    call.__annotations__.update({one.name: one.annotation for one in added})
    call.__signature__ = plain.replace(parameters=[*fixed, *added])


_with_options(command)


def _ask(question: Question) -> Answer:
    """Asks on stderr, so that what is piped stays clean. An empty answer leaves the question to its default."""
    default = {"yes": "y", "no": "n", "open": "neither"}[question.default]
    if question.is_number:
        return _number(question)
    while True:
        said = typer.prompt(f"{question.ask} [y/n, Enter: {default}]", default="", show_default=False, err=True)
        if (first := said.strip().lower()[:1]) in ("y", "n", ""):
            return None if not first else first == "y"


def _number(question: Question) -> Answer:
    while True:
        said = typer.prompt(f"{question.ask} [a number, Enter: skip]", default="", show_default=False, err=True)
        try:
            if not said.strip():
                return None
            number = float(said.strip().rstrip("% ").replace(",", ""))
            number = int(number) if question.whole else number
        except (ValueError, OverflowError):
            continue
        if 0 <= number < float("inf"):
            return number


def _show(decision: TreeDecision) -> None:
    out = common.console()
    for place, step in enumerate(decision.steps, 1):
        answer = f"  {step.answer} ({step.how})" if step.how else ""
        out.print(text(f"{place}  ").append(step.says).append(answer, "bold"))
        out.print(indented(text(_left(step), "dim"), 3))
    out.print(text("\n→ ").append(decision.leaf, "bold"))
    for name in dict.fromkeys(model.named for model in decision.models):
        _show_choice([model for model in decision.models if model.named == name])
    if decision.not_named:
        out.print(indented(text(f"The tree names none of {_some(list(decision.not_named))}, which stay.", "dim"), 2))
    if not decision.models:
        out.print(text("  No model is known to meet all of that.", "yellow"))
    if decision.undecided:
        many = words.count(len(decision.undecided), "model")
        undecided = f"Undecided, because a fact is not known: {many}: {_some(list(decision.undecided))}."
        out.print(indented(text(undecided), 2))
    for remark in (decision.then, *decision.remarks):
        if remark:
            out.print(text(_sentence(remark), "dim"))
    for line, why in decision.malformed:
        common.messages().print(text(printable(f"line {line}: {why}; it was left out."), "yellow"))
    if decision.next:
        out.print("\nA tree is not your documents. Measure what it names on your own:")
        out.print(text(f"  {decision.next}"), soft_wrap=True)


def _left(step: TreeStep) -> str:
    """Whom a step left out, and how many stay."""
    excluded = f"leaves out {len(step.excluded)}: {_some([name for name, _ in step.excluded])}" if step.excluded else ""
    unknown = f"not known of {len(step.unknown)}, which stay" if step.unknown else ""
    told = "; ".join(filter(None, (excluded or "leaves out nothing", unknown)))
    return f"{told}; {step.left} stay"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return printable(", ".join(names[:NAMED]) + more)


def _show_choice(models: list[Named]) -> None:
    """What the tree calls by one name: the first of its models, each with what is known of it."""
    out = common.console()
    if models[0].named != models[0].id:
        out.print(text(f"  {models[0].named}"))
    for model in models[:NAMED]:
        out.print(indented(text(printable(model.id), "bold").append(f"  {_facts(model)}", "not bold"), 4))
        for remark in model.remarks:
            out.print(indented(text("! ", "yellow").append(remark), 6))
    if len(models) > NAMED:
        out.print(indented(text(f"and {len(models) - NAMED} more: --json has all.", "dim"), 4))


def _facts(model: Named) -> str:
    card = model.card
    told = [f"{model.downloads:,.0f} downloads"] if model.downloads is not None else []
    if card:
        tokens = "any length" if card.unlimited_tokens else f"{card.max_tokens:,} tokens" if card.max_tokens else ""
        price = card.usd_per_million_tokens
        told += [
            f"{card.dimensions:,} dims" if card.dimensions else "",
            tokens,
            f"{card.size_mb:,} MB" if card.size_mb else "",
            f"${price:g}/M tokens ({card.price_date})" if price is not None else "",
            card.licence,
            f"BEIR {card.retrieval:.1f}" if card.retrieval else "",
        ]
    return ", ".join(filter(None, told))


def _sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}{'' if words.endswith('.') else '.'}"
