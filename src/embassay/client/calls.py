"""Every call of a server as a step: the path, the body, and how the answer is read. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar
from urllib.parse import quote

import msgspec

from embassay.client.replies import read_found, read_records, read_scores, read_vectors
from embassay.client.steps import ClientStep, Query
from embassay.client.values import (
    Compared,
    ConfigInfo,
    FeedbackKept,
    JobInfo,
    ListedDocument,
    RankedTexts,
    Recommended,
    SearchFound,
    SetInfo,
    TextVectors,
    Written,
)
from embassay.errors import UsageError
from embassay.types import Record, Role, Value, check_role

if TYPE_CHECKING:
    from embassay.types import OnLong

T = TypeVar("T")
Fields = Mapping[str, object]
API = "/api/v1"
SETS, JOBS = f"{API}/embedding-sets", f"{API}/jobs"
PAGE = 1_000
"""Sets, and documents, that are listed by one request."""


class Page(msgspec.Struct, Generic[T]):
    """A part of a list."""

    data: list[T]
    next: str | None = None
    """Where the next part begins; None behind the last one."""


def embed(
    texts: Sequence[str], role: Role, model: str | None, dimensions: int | None, on_long: OnLong
) -> ClientStep[TextVectors]:
    """Vectors of texts. Raises UsageError."""
    check_role(role)
    if on_long == "split":
        raise UsageError("a server cuts a long text or refuses it.", remedy='Pass on_long="truncate" or "error".')
    body: Fields = {
        "input": list(texts),
        "input_type": role,
        "encoding_format": "base64",
        "truncation": on_long == "truncate",
        "model": model,
        "dimensions": dimensions,
    }
    return _post("/v1/embeddings", body, read_vectors)


def rerank(query: str, texts: Sequence[str], model: str | None) -> ClientStep[RankedTexts]:
    """Scores of texts for a query."""
    body: Fields = {"query": query, "documents": list(texts), "model": model}
    return _post("/v1/rerank", body, partial(read_scores, len(texts)))


def configs() -> ClientStep[list[ConfigInfo]]:
    """The models that sets may be made with."""
    return ClientStep(
        "GET", f"{API}/embedding-configs", lambda raw: msgspec.json.decode(raw, type=Page[ConfigInfo]).data
    )


def config(id: str) -> ClientStep[ConfigInfo]:
    """One of them."""
    return ClientStep("GET", f"{API}/embedding-configs/{escaped(id)}", _as(ConfigInfo))


def sets(after: str) -> ClientStep[Page[SetInfo]]:
    """A page of the sets."""
    return ClientStep(
        "GET", SETS, lambda raw: msgspec.json.decode(raw, type=Page[SetInfo]), {"limit": PAGE, "after": after}
    )


def create_set(slug: str, fields: Fields) -> ClientStep[SetInfo]:
    """A new set; `fields` as the server has them, without those that are None."""
    return _post(SETS, {"name": slug, "slug": slug} | _said(fields), _as(SetInfo), repeatable=False)


def show_set(slug: str) -> ClientStep[SetInfo]:
    """One set."""
    return ClientStep("GET", of_set(slug), _as(SetInfo))


def update_set(slug: str, fields: Fields) -> ClientStep[SetInfo]:
    """The set as it is then."""
    body = msgspec.json.encode(_said(fields))
    return ClientStep("PATCH", of_set(slug), _as(SetInfo), body=body, repeatable="slug" not in fields)


def delete_set(slug: str, dry_run: bool) -> ClientStep[int]:
    """How many documents went with it."""
    return ClientStep("DELETE", of_set(slug), _count, {"dry_run": dry_run})


def search(slugs: Sequence[str], query: str, k: int, fields: Fields) -> ClientStep[SearchFound]:
    """What was found. A filter, and a pipeline, may be given as a value, which prints as it is written."""
    said = _said(fields)
    mode, pipeline = said.pop("mode", None), said.pop("pipeline", None)
    said["strategy"] = str(pipeline or mode or "hybrid")
    if (where := said.get("where")) is not None:
        said["where"] = str(where)
    named: Fields = {"sets": list(slugs)} if slugs else {}
    return _post(f"{API}/search", {"q": query, "k": k, **named, **said}, read_found)


def write(slug: str, records: Iterable[Record | Fields], mode: str) -> ClientStep[Written]:
    """What came of them."""
    body: Fields = {"documents": [_record(one) for one in records], "mode": mode}
    return _post(f"{of_set(slug)}/documents", body, _as(Written), repeatable=mode == "upsert")


def documents(slug: str, glob: str | None, where: object, cursor: str) -> ClientStep[Page[ListedDocument]]:
    """A page of the documents."""
    query: Query = {"limit": PAGE, "cursor": cursor, "glob": glob, "where": None if where is None else str(where)}
    return ClientStep(
        "GET", f"{of_set(slug)}/documents", lambda raw: msgspec.json.decode(raw, type=Page[ListedDocument]), query
    )


def get(slug: str, ids: Iterable[str]) -> ClientStep[list[Record]]:
    """The documents of these ids."""
    return _post(f"{of_set(slug)}/documents:get", {"ids": list(ids)}, read_records)


def delete(slug: str, ids: Iterable[str] | None, where: object, path: str | None) -> ClientStep[int]:
    """How many went. Raises UsageError unless exactly one of the three is given."""
    if sum(one is not None for one in (ids, where, path)) != 1:
        raise UsageError("say which documents to delete, by exactly one of ids, where and path.")
    if ids is not None:
        return _post(f"{of_set(slug)}/documents:delete", {"ids": list(ids)}, _count)
    query: Query = {"where": None if where is None else str(where), "path": path}
    return ClientStep("DELETE", f"{of_set(slug)}/documents", _count, query)


def index(slug: str) -> ClientStep[int]:
    """How many chunks were embedded."""
    return ClientStep("POST", f"{of_set(slug)}/index", lambda raw: msgspec.json.decode(raw, type=_Counted).embedded)


def begin_job(slug: str, fields: Fields) -> ClientStep[JobInfo]:
    """A move of a set that begins, or goes on."""
    return _post(JOBS, {"set": slug} | _said(fields), _as(JobInfo))


def jobs(slug: str | None) -> ClientStep[list[JobInfo]]:
    """The last move of each set, or of one."""
    return ClientStep("GET", JOBS, lambda raw: msgspec.json.decode(raw, type=Page[JobInfo]).data, {"set": slug})


def job(id: str) -> ClientStep[JobInfo]:
    """How one stands."""
    return ClientStep("GET", f"{JOBS}/{escaped(id)}", _as(JobInfo))


def do_job(id: str, action: str, fields: Query) -> ClientStep[JobInfo]:
    """A job as it is when something was done with it."""
    safe = action in ("pause", "resume")
    return ClientStep("POST", f"{JOBS}/{escaped(id)}/{action}", _as(JobInfo), fields, repeatable=safe)


def abort_job(id: str) -> ClientStep[bool]:
    """Whether what it built is gone already."""
    return ClientStep(
        "POST", f"{JOBS}/{escaped(id)}/abort", lambda raw: bool(_object(raw)["removed"]), repeatable=False
    )


def feedback(
    search: str, clicked: Sequence[int | str], thumbs: str | None, about: Sequence[int | str]
) -> ClientStep[FeedbackKept]:
    """What the log has of a search then."""
    body: Fields = {"search": search, "clicked": list(clicked), "thumbs": thumbs, "about": list(about)}
    return _post(f"{API}/feedback", body, _as(FeedbackKept))


def compare(a: str, b: str, fields: Fields) -> ClientStep[Compared]:
    """A verdict."""
    return _post(f"{API}/compare", {"a": a, "b": b} | _said(fields), _as(Compared))


def recommend(fields: Query) -> ClientStep[Recommended]:
    """Models to try first."""
    return ClientStep("GET", f"{API}/models/recommend", _as(Recommended), fields)


def models() -> ClientStep[list[str]]:
    """The names of the models that are served."""
    return ClientStep("GET", "/v1/models", lambda raw: [one["id"] for one in msgspec.json.decode(raw)["data"]])


def health() -> ClientStep[str]:
    """The version of the server, if it answers."""
    return ClientStep("GET", "/version", lambda raw: str(_object(raw)["version"]))


def of_set(slug: str) -> str:
    """The path of a set."""
    return f"{SETS}/{escaped(slug)}"


def escaped(name: str) -> str:
    """A name as one part of a path, whatever signs it has: dots alone would mean a folder."""
    return quote(name, safe="") if name.strip(".") else name.replace(".", "%2E")


def _post(path: str, body: Fields, parse: Callable[[bytes], T], *, repeatable: bool = True) -> ClientStep[T]:
    return ClientStep("POST", path, parse, body=msgspec.json.encode(body), repeatable=repeatable)


def _as(kind: type[T]) -> Callable[[bytes], T]:
    return lambda raw: msgspec.json.decode(raw, type=kind)


def _object(raw: bytes) -> dict[str, Value]:
    return msgspec.json.decode(raw, type=dict[str, Value])


class _Counted(msgspec.Struct):
    documents: int = 0
    embedded: int = 0


def _count(raw: bytes) -> int:
    return msgspec.json.decode(raw, type=_Counted).documents


def _said(fields: Fields) -> dict[str, object]:
    return {name: value for name, value in fields.items() if value is not None}


def _record(given: Record | Fields) -> Fields:
    """Raises UsageError for a vector, which a server makes itself."""
    fields = asdict(given) if isinstance(given, Record) else dict(given)
    if fields.pop("vector", None) is not None:
        raise UsageError("a server makes vectors itself, and one was handed over.", remedy="Leave it out.")
    return _said(fields)
