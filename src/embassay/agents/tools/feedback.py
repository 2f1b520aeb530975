"""Note what came of a search, by the `id` of its reply: which passages were used, and whether they helped. It makes
later searches measurable; nothing that was found before changes. Searches have an id only where the home logs them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from msgspec import Meta, Struct

from embassay.agents.base import Desk
from embassay.errors import UsageError

TITLE = "Give feedback on a search"
WRITES = True

Hits = Annotated[list[int | str], Meta(max_length=100)]


class Arguments(Struct, forbid_unknown_fields=True):
    """The search, and what is thought of it."""

    search: Annotated[str, Meta(description="The id of the search.", min_length=1, max_length=100)]
    used: Annotated[Hits, Meta(description="The passages that were used, by rank or document.")] = []
    thumbs: Annotated[Literal["up", "down"] | None, Meta(description="Whether it helped.")] = None
    about: Annotated[
        Hits,
        Meta(description="What the thumb is about, by rank or document; empty: the answer as a whole."),
    ] = []


class Given(Struct):
    """What was noted of one document."""

    kind: Literal["clicked", "up", "down"]
    document: Annotated[str | None, Meta(description="Null where it is about the answer as a whole.")]


class Reply(Struct):
    """The search as the log has it now."""

    search: str
    sets: Sequence[str]
    feedback: Sequence[Given]


def run(desk: Desk, arguments: Arguments) -> Reply:
    """Noted for a search of sets that the asker may use."""
    log = desk.home.query_log
    sets = log.entry(arguments.search).sets
    if not all(desk.asker.may("read", set=name) for name in sets):  # as if it was not there: its sets are not told
        raise UsageError(f"no search {arguments.search!r} is in the query log.")
    for name in sets:
        desk.host.about(name)
        desk.asker.check("write", set=name)
    noted = log.give(arguments.search, clicked=arguments.used, thumbs=arguments.thumbs, about=arguments.about)
    return Reply(noted.id, noted.sets, [Given(one.kind, one.document or None) for one in noted.feedback])
