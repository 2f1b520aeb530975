"""Comparisons: is one model or set better than another on judged queries, with a verdict, statistics and costs.

The queries are those of a judged set that whoever runs the server has put beside the home, or come with the request. It
is answered within the deadline of a request; a comparison that takes longer belongs on the command line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from embassay.errors import UsageError
from embassay.evaluate.compare.candidate import parse_candidate
from embassay.evaluate.compare.opening import Options, compare
from embassay.evaluate.data.judged import JudgedSet, read_judged
from embassay.models.reference import parse_reference
from embassay.remedy import option, say
from embassay.server.allowed import check_pipeline
from embassay.server.call import Call
from embassay.server.own import SHOWN, failure, visible_sets
from embassay.server.refusals import NotFound, RequestInvalid, RequestTooLarge
from embassay.server.route import Route
from embassay.server.service import COMPARISONS
from embassay.types import Document, Value

__all__ = ["ROUTES", "failure"]

MOST_PAIRS, MOST_DOCUMENTS, MOST_QUERIES = 1_000, 20_000, 2_000
"""That come with a request, and that a judged set has which a request is answered on."""
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Text = Annotated[str, msgspec.Meta(min_length=1)]


class JudgedPair(msgspec.Struct, forbid_unknown_fields=True):
    query: Text
    relevant: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=100)]
    """Texts that answer it."""
    irrelevant: Annotated[list[Text], msgspec.Meta(max_length=100)] = []
    """Texts that do not, which make it harder to find those that do."""


class CompareRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    a: Name
    """What is in use: a model or a set, with a way to search behind it, as `minilm@hybrid`."""
    b: Name
    """What is held against it."""
    judged: str | None = None
    """The folder of a judged set that stands beside the home, by its name."""
    pairs: Annotated[list[JudgedPair], msgspec.Meta(min_length=1, max_length=MOST_PAIRS)] | None = None
    """Or queries with their answers, which are asked over the texts of all of them; for models alone."""
    mode: Literal["dense", "hybrid", "lexical"] = "dense"
    """Of candidates that name none."""
    min_effect: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.01
    """The least gain of nDCG@10 that is worth a switch."""


class CandidateObject(msgspec.Struct):
    name: str
    scores: Mapping[str, float]
    error: str
    """Why it could not be measured; empty where it was."""


class CompareReply(msgspec.Struct, kw_only=True):
    verdict: Literal["switch", "keep", "undecided"]
    winner: str | None
    headline: str
    reason: str
    caution: str
    """Why the verdict is worth less than it looks; empty where it is not."""
    judged: str
    queries: int
    candidates: list[CandidateObject]
    detail: Mapping[str, Value]
    """The comparison as the command line prints it as JSON: pairs with their statistics, costs, what changed."""


async def held_against(call: Call) -> CompareReply:
    """The verdict."""
    asked: CompareRequest = call.body
    if (asked.judged is None) == (asked.pairs is None):
        which = option("judged", "NAME", say="Say {}") + say("or pairs, queries with their answers.")
        raise RequestInvalid("what is compared on is said by one of judged and pairs.", remedy=which)
    return await call.service.in_worker_for(COMPARISONS, _compared, call, asked)


def _compared(call: Call, asked: CompareRequest) -> CompareReply:
    names = [_allowed(call, text, asked.mode) for text in (asked.a, asked.b)]
    data = _beside(call, asked.judged) if asked.judged is not None else _of_pairs(asked.pairs or ())
    home = call.service.home
    found = compare(
        names,
        data,
        home=home.folder,
        session=call.service.session,
        options=Options(asked.mode),
        min_effect=asked.min_effect,
    )
    detail = found.to_dict()
    rows = [CandidateObject(row.name, dict(row.metrics), row.error) for row in found.rows]
    return CompareReply(
        verdict=found.verdict,
        winner=found.winner,
        headline=found.headline,
        reason=found.reason,
        caution=found.caution,
        judged=data.name,
        queries=len(data.queries),
        candidates=rows,
        detail=msgspec.to_builtins(detail),
    )


def _allowed(call: Call, text: str, mode: str) -> str:
    """A candidate as it is opened: the model by the name that it is served by. Raises as `check_pipeline` does."""
    candidate = parse_candidate(text, mode)
    check_pipeline(call, candidate.pipeline)
    name = candidate.model
    if name in visible_sets(call.service.home, call.principal):
        return text
    base = parse_reference(name).base
    served = parse_reference(call.service.models.find(base, call.principal)).base
    return served + text[len(base) :] if text.startswith(base) else text


def _beside(call: Call, name: str) -> JudgedSet:
    """The judged set of this name in the folder that holds the home. Raises NotFound, RequestTooLarge."""
    beside = call.service.home.folder.parent.resolve()
    place = beside / name
    single = name not in ("", ".", "..") and Path(name).name == name and "\0" not in name and len(name) <= SHOWN
    if not single or not place.is_dir() or place.resolve().parent != beside:
        raise NotFound(f"there is no judged set {name[:SHOWN]!r} beside the home.")
    try:
        data = read_judged(place)
    except UsageError:  # whose words name folders and lines of files
        raise NotFound(f"{name!r} beside the home is no judged set that can be read.") from None
    if len(data.documents) > MOST_DOCUMENTS or len(data.queries) > MOST_QUERIES:
        raise RequestTooLarge(
            f"the judged set {name!r} has {len(data.documents):,} documents and {len(data.queries):,} queries; "
            f"a request is answered on up to {MOST_DOCUMENTS:,} and {MOST_QUERIES:,}.",
            remedy="Compare on the command line.",
        )
    return data


def _of_pairs(pairs: Sequence[JudgedPair]) -> JudgedSet:
    texts: dict[str, str] = {}
    for pair in pairs:
        for text in (*pair.relevant, *pair.irrelevant):
            texts.setdefault(text, f"d{len(texts)}")
    documents = tuple(Document(id, id, text) for text, id in texts.items())
    queries = {f"q{at}": pair.query for at, pair in enumerate(pairs)}
    qrels = {f"q{at}": {texts[text]: 1 for text in pair.relevant} for at, pair in enumerate(pairs)}
    return JudgedSet("pairs", documents, queries, qrels)


EXAMPLE = {
    "a": "minilm",
    "b": "minilm@hybrid",
    "pairs": [
        {"query": "when are keys rotated", "relevant": ["Keys are rotated on Mondays."]},
        {"query": "what do otters hold", "relevant": ["Otters sleep afloat, holding hands."]},
    ],
}

ROUTES = (
    Route(
        "POST",
        "/api/v1/compare",
        held_against,
        "Hold a model or a set against another one",
        body=CompareRequest,
        reply=CompareReply,
        needs="admin",
        examples={"on pairs": EXAMPLE},
    ),
)
