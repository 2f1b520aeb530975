from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from embassay.cli import common, words
from embassay.cli.tables import facts

if TYPE_CHECKING:
    from embassay.sets.description import SetDescription

LISTED = 10
"""Paths that are shown; --json has them all."""


def command(
    name: Annotated[
        Optional[str],  # noqa: UP045
        typer.Argument(help="The set; default: the one that is meant.", metavar="[SET]"),
    ] = None,
    home: common.HomeOption = None,
    json: common.JsonOption = False,
) -> None:
    """Show what a set is made with, what it holds, what it was indexed from, and what it leaves out.

    \b
    embassay sets show
    embassay sets show default --json
    """
    with common.opened_home(home) as opened:
        found = opened.describe(name)
    if json:
        common.print_json(found.to_dict())
    else:
        common.console().print(facts(_facts(found)))


def _facts(found: SetDescription) -> list[tuple[str, str]]:
    spec = found.spec
    default = "yes, chosen" if found.chosen else "yes" if found.is_default else "no"
    counts = [words.count(found.documents, "document"), words.count(found.chunks, "chunk"), words.size(found.bytes)]
    if found.quarantined:
        counts.append(f"{words.count(found.quarantined, 'file')} quarantined")
    if found.waiting:
        counts.append(f"{found.waiting:,} of them waiting for `embassay index --set {found.own}`")
    rules, view = found.auto_embed, found.view
    return [
        ("set", found.set),
        *([("view of", view.parent), ("shows", view.filter)] if view else []),
        ("default", default),
        ("space", f"{found.space} ({found.space_digest[:12]})"),
        ("model", spec.model),
        ("precision", spec.precision),
        ("chunks of", f"at most {spec.chunk_tokens:,} tokens"),
        ("language", spec.language),
        ("kept in", f"{spec.store}, as {spec.dtype}"),
        ("joins arms", _fusion(found)),
        ("embeds", "at once" if rules is None else " and ".join(rules) or "when it is indexed"),
        ("holds", ", ".join(counts)),
        ("indexed from", _listed(found.paths)),
        ("leaves out", ", ".join(found.excluded) or "nothing by --exclude"),
        ("created", found.created),
        ("last written", _time(found.written)),
    ]


def _fusion(found: SetDescription) -> str:
    """How hybrid searches join what their arms find."""
    if found.fusion is None:
        return "as every set does"
    fitted = found.fusion
    on = f", fitted to {fitted.detail['judged']}" if "judged" in fitted.detail else ""
    used = "" if fitted.space == found.space_digest else "; as every set does now, because it has another model"
    return f"{fitted.fusion}{on}{used}"


def _listed(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - LISTED:,} more" if len(paths) > LISTED else ""
    return ", ".join(paths[:LISTED]) + more or "nothing that it remembers"


def _time(seconds: float | None) -> str:
    return "unknown" if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
