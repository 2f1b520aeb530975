"""Documents of embedding sets: added and replaced, read back, listed and removed, one or many at once.

They are embedded at once where the rules of their set say so, and found by their words alone until then. To send the
same document again costs nothing, so that a request of which no answer came can be repeated.
"""

from __future__ import annotations

import base64
import itertools
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from embassay import jsontext
from embassay.remedy import option
from embassay.server.call import Call
from embassay.server.own import PAGE, Limit, failure, on_set, on_writing
from embassay.server.refusals import NotFound, RequestInvalid
from embassay.server.route import Route
from embassay.types import Metadata

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from embassay.embedding_set import EmbeddingSet
    from embassay.sets.records.listing import DocumentInfo

__all__ = ["ROUTES", "failure"]


class DocumentBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A document without its id, which stands in the path."""

    text: str
    title: str = ""
    """Embedded above the text."""
    metadata: Metadata = msgspec.field(default_factory=dict)
    """What filters read: texts, numbers, truth values, lists, and mappings of them."""


class DocumentGiven(DocumentBody, kw_only=True, forbid_unknown_fields=True):
    id: str | int
    """Unique in its set: up to 1,000 printable characters."""


class DocumentsGiven(msgspec.Struct, forbid_unknown_fields=True):
    documents: list[DocumentGiven]
    """All of them are looked at before any is written."""
    mode: Literal["upsert", "add"] = "upsert"
    """`add` refuses ids that are there; nothing is added then."""


class NotStored(msgspec.Struct):
    id: str
    reason: str


class WriteReport(msgspec.Struct, kw_only=True):
    set: str
    added: int
    updated: int
    """Documents whose ids were there, and that say something else now."""
    unchanged: int
    embedded: int
    """Chunks whose text was new."""
    cached: int
    """Of these, those whose vectors were in the cache."""
    waiting: int
    """Chunks of the set that are found by words only, until it is indexed."""
    chunks: int
    """In the set."""
    skipped: list[NotStored]
    """Documents without text, which are kept and not found."""
    quarantined: list[NotStored]
    """Documents of which the model did not take a part."""
    usd: float | None
    """Paid to whoever runs the model; null where that is not known."""
    seconds: float


class DocumentObject(msgspec.Struct):
    id: str
    text: str
    title: str
    metadata: Metadata


class DocumentSummary(msgspec.Struct):
    id: str
    path: str
    """Of its file; of a document that was sent, its id."""
    title: str
    chunks: int
    tokens: int
    state: str
    """`ok`; `pending` while it is written, or waits; `failed` where its file cannot be read any more."""
    waits: bool
    """Whether it is found by words only, until the set is indexed."""
    metadata: Metadata


class DocumentList(msgspec.Struct):
    data: list[DocumentSummary]
    next: str | None
    """Pass it as `cursor` to have what comes behind; null on the last page."""


class DocumentPage(msgspec.Struct):
    limit: Limit = PAGE
    cursor: str = ""
    """`next` of the page before."""
    glob: str | None = None
    """What their paths match, as `docs/*.md`."""
    where: str | None = None
    """What one of their chunks passes, as `lang = "en"`."""


class DocumentsMeant(msgspec.Struct):
    where: str | None = None
    """Those of which a chunk passes a filter."""
    path: str | None = None
    """Those whose path matches a glob."""
    dry_run: bool = False


Ids = Annotated[list[str | int], msgspec.Meta(min_length=1, max_length=10_000)]


class IdsGiven(msgspec.Struct, forbid_unknown_fields=True):
    ids: Ids


class DocumentsFound(msgspec.Struct):
    data: list[DocumentObject]
    """In the order of the ids; unknown ones are left out."""


class DocumentsRemoved(msgspec.Struct):
    documents: int
    chunks: int
    dry_run: bool


class IndexedReport(msgspec.Struct):
    set: str
    embedded: int
    cached: int
    chunks: int
    waiting: int
    usd: float | None
    seconds: float


async def put_many(call: Call) -> WriteReport:
    """What came of them."""
    asked: DocumentsGiven = call.body
    most = call.service.limits.inputs
    if not 0 < len(asked.documents) <= most:
        raise RequestInvalid(
            f"{len(asked.documents):,} documents were sent; it may be 1 to {most:,}.", place="documents"
        )
    return await _put(call, asked.documents, asked.mode)


async def put_one(call: Call) -> WriteReport:
    """The same of one."""
    asked: DocumentBody = call.body
    given = DocumentGiven(id=call.path["id"], text=asked.text, title=asked.title, metadata=asked.metadata)
    return await _put(call, [given], "upsert")


async def listed(call: Call) -> DocumentList:
    """A page of the documents, by their paths."""
    asked: DocumentPage = call.query
    return await on_set(call, call.path["slug"], "read", _page, asked, _place(asked.cursor))


async def shown(call: Call) -> DocumentObject:
    """One document, word for word; of a file, put together from its chunks."""
    return await on_set(call, call.path["slug"], "read", _one, call.path["id"])


async def remove_one(call: Call) -> DocumentsRemoved:
    """What went."""
    return await on_writing(call, call.path["slug"], _remove_one, call.path["id"])


async def remove_many(call: Call) -> DocumentsRemoved:
    """What went, or would go."""
    asked: DocumentsMeant = call.query
    if (asked.where is None) == (asked.path is None):
        which = option("where", 'lang = "de"', say="Say {}") + option("path", "drafts/*", say="or {}.")
        raise RequestInvalid("which documents are to go is said by one of where and path.", remedy=which)
    return await on_writing(call, call.path["slug"], _remove, asked)


async def shown_many(call: Call) -> DocumentsFound:
    """Documents, word for word."""
    asked: IdsGiven = call.body
    return await on_set(call, call.path["slug"], "read", _some, [str(one) for one in asked.ids])


async def remove_these(call: Call) -> DocumentsRemoved:
    """What went; unknown ids are passed over."""
    asked: IdsGiven = call.body
    return await on_writing(call, call.path["slug"], _remove_these, [str(one) for one in asked.ids])


async def index(call: Call) -> IndexedReport:
    """What was embedded."""
    return await on_writing(call, call.path["slug"], _index)


async def _put(call: Call, given: Sequence[DocumentGiven], mode: str) -> WriteReport:
    """Texts count against what the key may use, but where none of them had to be embedded."""
    with call.service.charged(call, [one.title + one.text for one in given]) as taken:
        report = await on_writing(call, call.path["slug"], _write, given, mode)
        if not report.embedded:
            taken.settle(0)
    return report


def _write(of_set: EmbeddingSet, given: Sequence[DocumentGiven], mode: str) -> WriteReport:
    records = [{"id": one.id, "text": one.text, "title": one.title, "metadata": one.metadata} for one in given]
    done = of_set.add(records) if mode == "add" else of_set.upsert(records)
    return WriteReport(
        set=done.set,
        added=done.added,
        updated=done.updated,
        unchanged=done.unchanged,
        embedded=done.embedded,
        cached=done.cached,
        waiting=done.waiting,
        chunks=done.chunks,
        skipped=[NotStored(*one) for one in done.skipped],
        quarantined=[NotStored(*one) for one in done.quarantined],
        usd=done.usd,
        seconds=round(done.seconds, 3),
    )


def _page(of_set: EmbeddingSet, asked: DocumentPage, behind: tuple[str, str]) -> DocumentList:
    coming: Iterator[DocumentInfo] = of_set.list(asked.glob, where=asked.where, behind=behind)
    page = list(itertools.islice(coming, asked.limit))
    more = next(coming, None) is not None
    return DocumentList([_summary(one) for one in page], _cursor(page[-1]) if more else None)


def _one(of_set: EmbeddingSet, id: str) -> DocumentObject:
    for found in _some(of_set, [id]).data:
        return found
    raise _not_there(id)


def _some(of_set: EmbeddingSet, ids: Sequence[str]) -> DocumentsFound:
    return DocumentsFound([DocumentObject(one.id, one.text, one.title, one.metadata) for one in of_set.get(ids)])


def _remove_one(of_set: EmbeddingSet, id: str) -> DocumentsRemoved:
    done = _remove_these(of_set, [id])
    if not done.documents:
        raise _not_there(id)
    return done


def _remove_these(of_set: EmbeddingSet, ids: Sequence[str]) -> DocumentsRemoved:
    meant = of_set.deletion(ids)
    return DocumentsRemoved(of_set.delete(ids) if meant.documents else 0, meant.chunks, False)


def _remove(of_set: EmbeddingSet, asked: DocumentsMeant) -> DocumentsRemoved:
    meant = of_set.deletion(where=asked.where, path=asked.path)
    documents = meant.documents if asked.dry_run else of_set.delete(where=asked.where, path=asked.path)
    return DocumentsRemoved(documents, meant.chunks, asked.dry_run)


def _index(of_set: EmbeddingSet) -> IndexedReport:
    before = of_set.describe()
    if not before.paths and not before.waiting:  # a set of documents that were sent has no files to look at
        return IndexedReport(of_set.name, 0, 0, before.chunks, 0, 0.0, 0.0)
    done = of_set.index()
    seconds = round(done.seconds, 3)
    return IndexedReport(done.set, done.embedded, done.cached, done.chunks, done.waiting, done.usd, seconds)


def _summary(one: DocumentInfo) -> DocumentSummary:
    return DocumentSummary(one.id, one.path, one.title, one.chunks, one.tokens, one.state, one.waits, one.metadata)


def _not_there(id: str) -> NotFound:
    return NotFound(f"the set has no document {id[:100]!r}.")


def _cursor(last: DocumentInfo) -> str:
    """Where a page ends, so that what is added or removed meanwhile shifts nothing."""
    return base64.urlsafe_b64encode(jsontext.dumps([last.path, last.id]).encode()).decode().rstrip("=")


def _place(cursor: str) -> tuple[str, str]:
    """Raises RequestInvalid for what is no cursor."""
    if not cursor:
        return "", ""
    try:
        path, id = jsontext.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    except (ValueError, TypeError):
        path = id = None
    if not isinstance(path, str) or not isinstance(id, str):
        raise RequestInvalid("the cursor is none that a page gave.", place="cursor")
    return path, id


ONE = "/api/v1/embedding-sets/{slug}"
ALL, DOCUMENT = f"{ONE}/documents", f"{ONE}/documents/{{id:path}}"
EXAMPLE = {
    "text": "Keys are rotated on Mondays, by whoever is on call.",
    "title": "Key rotation",
    "metadata": {"lang": "en", "tags": ["keys"]},
}
MANY = {"two documents": {"documents": [{"id": "keys", **EXAMPLE}, {"id": "otters", "text": "Otters sleep afloat."}]}}
BY_IDS = "Remove documents by their ids"
IDS = {"two ids": {"ids": ["keys", "otters"]}}
ADDED, REPLACED = "Add documents, and replace those whose ids are there", "Add a document, or replace it"

ROUTES = (
    Route("POST", ALL, put_many, ADDED, DocumentsGiven, None, WriteReport, 200, "write", MANY),
    Route("PUT", DOCUMENT, put_one, REPLACED, DocumentBody, None, WriteReport, 200, "write", {"one": EXAMPLE}),
    Route("GET", ALL, listed, "The documents of a set", None, DocumentPage, DocumentList),
    Route("GET", DOCUMENT, shown, "One document", reply=DocumentObject),
    Route("DELETE", DOCUMENT, remove_one, "Remove a document", reply=DocumentsRemoved, needs="write"),
    Route("DELETE", ALL, remove_many, "Remove documents", None, DocumentsMeant, DocumentsRemoved, 200, "write"),
    Route("POST", f"{ALL}:get", shown_many, "Documents by their ids", IdsGiven, None, DocumentsFound, examples=IDS),
    Route("POST", f"{ALL}:delete", remove_these, BY_IDS, IdsGiven, None, DocumentsRemoved, 200, "write", IDS),
    Route("POST", f"{ONE}/index", index, "Embed what waits", reply=IndexedReport, needs="write"),
)
