"""Feedback: what somebody did with the hits of a search, or thought of them, where searches are logged."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from embassay.errors import UsageError
from embassay.server.call import Call
from embassay.server.own import failure
from embassay.server.refusals import NotFound
from embassay.server.route import Route

__all__ = ["ROUTES", "failure"]

Hits = Annotated[list[int | str], msgspec.Meta(max_length=100)]


class FeedbackRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    search: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """The id that the search came with."""
    clicked: Hits = []
    """The hits that were opened, by rank or document."""
    thumbs: Literal["up", "down"] | None = None
    """Whether it helped."""
    about: Hits = []
    """What the thumb is about, by rank or document; empty: the answer as a whole."""


class FeedbackNoted(msgspec.Struct):
    kind: Literal["clicked", "up", "down"]
    document: str | None
    """Null where it is about the answer as a whole."""
    given: float
    """Seconds since 1970."""


class FeedbackReply(msgspec.Struct):
    search: str
    sets: list[str]
    feedback: list[FeedbackNoted]
    """All that the log has of this search now."""


async def give(call: Call) -> FeedbackReply:
    """What the log has of the search then."""
    return await call.service.in_worker(_give, call, call.body)


def _give(call: Call, asked: FeedbackRequest) -> FeedbackReply:
    log = call.service.home.query_log
    try:
        sets = log.entry(asked.search).sets
    except UsageError as error:
        raise NotFound(error.message, remedy=error.remedy) from None
    if not all(call.principal.may("read", set=name) for name in sets):  # as if it was not there: its sets are not told
        raise NotFound(f"no search {asked.search!r} is in the query log.")
    for name in sets:
        call.set = name
        call.principal.check("write", set=name)
    noted = log.give(asked.search, clicked=asked.clicked, thumbs=asked.thumbs, about=asked.about)
    given = [FeedbackNoted(one.kind, one.document or None, one.given) for one in noted.feedback]
    return FeedbackReply(noted.id, [*noted.sets], given)


EXAMPLES = {
    "a hit was opened": {"search": "0c5f2a", "clicked": [1]},
    "it helped": {"search": "0c5f2a", "thumbs": "up", "about": [1]},
}

ROUTES = (
    Route(
        "POST",
        "/api/v1/feedback",
        give,
        "Note what came of a search",
        body=FeedbackRequest,
        reply=FeedbackReply,
        needs="write",
        examples=EXAMPLES,
    ),
)
