"""List the sets that can be searched: what each is called, how much is in it, from where, and in which language. Use it
first where several sets may hold the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from embassay.agents.base import Desk
from embassay.sets.description import SetDescription

TITLE = "List sets"
WRITES = False
MOST_SETS, MOST_PATHS = 200, 10


class Arguments(Struct, forbid_unknown_fields=True):
    """Which sets."""

    like: Annotated[str, Meta(description="Only sets whose names have this in them.")] = ""


class OneSet(Struct, omit_defaults=True):
    """A set that can be searched."""

    name: str
    documents: int
    passages: int
    model: str
    language: str
    default: Annotated[bool, Meta(description="Whether it is searched where none is named.")] = False
    paths: Annotated[Sequence[str], Meta(description="Files and folders that it was indexed from.")] = ()
    shows: Annotated[str, Meta(description="For a view: the filter by which it shows a part of another set.")] = ""


class Reply(Struct, omit_defaults=True):
    """The sets, by name."""

    sets: Sequence[OneSet]
    left_out: Annotated[int, Meta(description="Sets beyond these; `like` finds them.")] = 0


def run(desk: Desk, arguments: Arguments) -> Reply:
    """Those that may be read."""
    visible = {name for name in desk.visible() if arguments.like.lower() in name.lower()}
    seen = [one for one in desk.home.describe_all() if one.set in visible] if visible else []
    return Reply([_shown(one) for one in seen[:MOST_SETS]], max(0, len(seen) - MOST_SETS))


def _shown(one: SetDescription) -> OneSet:
    return OneSet(
        name=one.set,
        documents=one.documents,
        passages=one.chunks,
        model=one.spec.model,
        language=one.spec.language,
        default=one.is_default,
        paths=one.paths[:MOST_PATHS],
        shows=str(one.view.where) if one.view else "",
    )
