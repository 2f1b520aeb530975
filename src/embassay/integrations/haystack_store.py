"""A set as a document store of Haystack."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from embassay.arguments import shown
from embassay.client import Client
from embassay.embedding_set import EmbeddingSet
from embassay.errors import UsageError
from embassay.extras import needed
from embassay.home import Home, open_home
from embassay.integrations.base import Located, by_vector, count_of, got, joined, parts_of, passages
from embassay.integrations.haystack_filters import filter_of
from embassay.integrations.values import Fields, about_fields, between, distinct
from embassay.stores.filters.values import Glob
from embassay.threads import in_thread
from embassay.types import Metadata, Record

with needed("the integration of Haystack", "haystack"):
    from haystack import Document, default_from_dict, default_to_dict
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy
    from haystack.utils import Secret, deserialize_secrets_inplace

if TYPE_CHECKING:
    from embassay.client import ServedSet
    from embassay.stores.filters.values import Filter

Filters = dict[str, object]
KEY = Secret.from_env_var("EMBASSAY_API_KEY", strict=False)
"""Where the key for a server stands; a pipeline that is written down has the name of the variable alone."""
EVERYTHING = Glob("path", "**")
_OPENING = threading.Lock()
"""Components of a pipeline share a store, and threads run them."""


class EmbassayDocumentStore:
    """A set as a document store. Its model embeds what is written; documents that were embedded before may bring their
    vectors."""

    def __init__(
        self,
        set: str = "default",
        *,
        home: str | None = None,
        url: str | None = None,
        key: Secret | None = KEY,
        model: str | None = None,
        take_vectors: bool = False,
        source: EmbeddingSet | ServedSet | None = None,
    ) -> None:
        """`home`: its folder; by default the nearest ``.embassay`` here or above. `url`: of a server, in the place of a
        home, and the `key` for it. `model`: what a set is made with that is not there yet. `take_vectors`: vectors of
        documents are taken, where the model of the set made them, instead of made anew. `source`: a set that is
        open already, instead of all that."""
        if home is not None and url is not None:
            raise UsageError("a home and a server were named.", remedy="Name one of them.")
        self.set, self.home, self.url, self.key, self.model = set, home, url, key, model
        self.take_vectors = take_vectors
        self._source: EmbeddingSet | ServedSet | None = source
        self._opened: Home | Client | None = None

    @property
    def source(self) -> EmbeddingSet | ServedSet:
        """The set. Nothing is asked of a server yet."""
        with _OPENING:
            if self._source is None and self.url is not None:
                self._opened = Client(self.url, self.key.resolve_value() if self.key else None)
                self._source = self._opened.set(self.set)
            elif self._source is None:
                self._opened = open_home(self.home)
                self._source = self._opened.set(self.set)
            return self._source

    def close(self) -> None:
        """Give back what was opened here."""
        if self._opened is not None:
            self._opened.close()
            self._source = self._opened = None

    def to_dict(self) -> dict[str, object]:
        """As Haystack writes pipelines down. Raises UsageError for a set that was handed over: only a name can be
        written."""
        if self._source is not None and self._opened is None:
            raise UsageError(
                "a store over a set that is open cannot be written down.",
                remedy='Make it by name: EmbassayDocumentStore("docs", home="project/.embassay").',
            )
        made: dict[str, object] = default_to_dict(
            self,
            set=self.set,
            home=os.fspath(self.home) if self.home is not None else None,
            url=self.url,
            key=self.key.to_dict() if self.key else None,
            model=self.model,
            take_vectors=self.take_vectors,
        )
        return made

    @classmethod
    def from_dict(cls, data: dict[str, Filters]) -> EmbassayDocumentStore:
        """What `to_dict` wrote."""
        deserialize_secrets_inplace(data["init_parameters"], ["key"])
        made: EmbassayDocumentStore = default_from_dict(cls, data)
        return made

    def count_documents(self) -> int:
        """How many documents there are; none in a set that is not there yet."""
        return count_of(self.source) if self.source.exists else 0

    def filter_documents(self, filters: Filters | None = None) -> list[Document]:
        """The documents that pass, by their ids; all where there are no filters. Raises FilterNotRead."""
        where = filter_of(filters)
        if not self.source.exists:
            return []
        return [_document(one) for one in self._records(where)]

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Write documents; how many were written. ``NONE`` does as ``OVERWRITE``: what says the same as before is left
        alone. Raises DuplicateDocumentError under ``FAIL``, and UsageError for what has no text."""
        if not isinstance(documents, list) or not all(isinstance(one, Document) for one in documents):
            raise ValueError(f"documents is {shown(documents)}; it must be a list of documents.")  # as Haystack wants
        wanted = self._by_policy(documents, policy)
        for records in _apart(_record(one, with_vector=self.take_vectors) for one in wanted):
            self._write(records)
        return len(wanted)

    def _write(self, records: list[Record]) -> None:
        """The first call makes the set."""
        source = self.source
        if not source.exists:
            if isinstance(source, EmbeddingSet):
                source.upsert(records, model=self.model)
                return
            source.client.create_set(self.set, embedding_config_id=self.model)
        for some in parts_of(source, records):
            source.upsert(some)

    def _by_policy(self, documents: Sequence[Document], policy: DuplicatePolicy) -> list[Document]:
        """The documents that are to be written, each id once."""
        by_id: dict[str, Document] = {}
        for one in documents:
            if one.id not in by_id or policy not in (DuplicatePolicy.SKIP, DuplicatePolicy.FAIL):
                by_id[one.id] = one
            elif policy is DuplicatePolicy.FAIL:
                raise DuplicateDocumentError(f"the document {one.id!r} comes twice.")
        if policy not in (DuplicatePolicy.SKIP, DuplicatePolicy.FAIL) or not self.source.exists:
            return [*by_id.values()]
        there = {one.id for one in got(self.source, [*by_id])}
        if there and policy is DuplicatePolicy.FAIL:
            raise DuplicateDocumentError(f"the set has the document {min(there)!r} already.")
        return [one for one in by_id.values() if one.id not in there]

    def delete_documents(self, document_ids: list[str]) -> None:
        """Remove the documents of these ids; unknown ones are passed over."""
        if self.source.exists:
            self.source.delete(ids=document_ids)

    def delete_all_documents(self) -> None:
        """Remove all documents; the set stays."""
        if self.source.exists:
            self.source.delete(where=EVERYTHING)

    def delete_by_filter(self, filters: Filters) -> int:
        """Remove the documents that pass; how many."""
        where = filter_of(filters)
        return self.source.delete(where=where or EVERYTHING) if self.source.exists else 0

    def update_by_filter(self, filters: Filters, meta: Mapping[str, object]) -> int:
        """Give fields of the metadata other values, in all documents that pass; how many."""
        where = filter_of(filters)
        if not self.source.exists:
            return 0
        changed = [
            Record(one.id, one.text, one.title, {**one.metadata, **cast("Metadata", meta)})
            for one in self._records(where)
        ]
        self._write(changed)
        return len(changed)

    def count_documents_by_filter(self, filters: Filters) -> int:
        """How many documents pass."""
        return len(self._metadata(filters))

    def count_unique_metadata_by_filter(self, filters: Filters, metadata_fields: list[str]) -> dict[str, int]:
        """How many different values each field has among the documents that pass."""
        found = self._metadata(filters)
        return {
            name.removeprefix("meta."): len(distinct(found, name.removeprefix("meta."))) for name in metadata_fields
        }

    def get_metadata_fields_info(self) -> Fields:
        """The fields of the metadata, and of which type their values are."""
        return about_fields(self._metadata(None))

    def get_metadata_field_min_max(self, metadata_field: str) -> dict[str, object]:
        """The least and the greatest value of a field; None where there is none."""
        least, most = between(self._metadata(None), metadata_field.removeprefix("meta."))
        return {"min": least, "max": most}

    def get_metadata_field_unique_values(
        self,
        metadata_field: str,
        search_term: str | None = None,
        from_: int = 0,
        size: int = 10,
        filters: Filters | None = None,
    ) -> tuple[list[object], int]:
        """The different values of a field, in their order, and how many there are. `search_term` has to be in them."""
        found = distinct(self._metadata(filters), metadata_field.removeprefix("meta."))
        if search_term is not None:
            found = [one for one in found if search_term.lower() in str(one).lower()]
        return found[from_ : from_ + size], len(found)

    def nearest(self, vector: Sequence[float], k: int, filters: Filters | None = None) -> list[Document]:
        """The k passages that are nearest to the vector of a query. Raises SpaceMismatch for one of another space."""
        return _found(by_vector(self.source, vector, f"dense({k}) >> top({k})", filter_of(filters)))

    def search(self, query: str, k: int, filters: Filters | None = None, **options: object) -> list[Document]:
        """The k passages that answer best; `options` are those of `EmbeddingSet.search`."""
        where = joined(options.pop("where", None), filter_of(filters))
        return _found(self.source.search(query, k, where=where, **options))  # type: ignore[arg-type]

    async def count_documents_async(self) -> int:
        """`count_documents` for asyncio."""
        return await in_thread(self.count_documents)

    async def filter_documents_async(self, filters: Filters | None = None) -> list[Document]:
        """`filter_documents` for asyncio."""
        return await in_thread(self.filter_documents, filters)

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """`write_documents` for asyncio."""
        return await in_thread(self.write_documents, documents, policy)

    async def delete_documents_async(self, document_ids: list[str]) -> None:
        """`delete_documents` for asyncio."""
        await in_thread(self.delete_documents, document_ids)

    async def delete_all_documents_async(self) -> None:
        """`delete_all_documents` for asyncio."""
        await in_thread(self.delete_all_documents)

    async def delete_by_filter_async(self, filters: Filters) -> int:
        """`delete_by_filter` for asyncio."""
        return await in_thread(self.delete_by_filter, filters)

    async def update_by_filter_async(self, filters: Filters, meta: Mapping[str, object]) -> int:
        """`update_by_filter` for asyncio."""
        return await in_thread(self.update_by_filter, filters, meta)

    async def count_documents_by_filter_async(self, filters: Filters) -> int:
        """`count_documents_by_filter` for asyncio."""
        return await in_thread(self.count_documents_by_filter, filters)

    def _records(self, where: Filter | None) -> Iterable[Record]:
        return got(self.source, [one.id for one in self.source.list(where=where)])

    def _metadata(self, filters: Filters | None) -> list[Metadata]:
        """The metadata of the documents that pass."""
        where = filter_of(filters)
        return [one.metadata for one in self.source.list(where=where)] if self.source.exists else []


def _record(document: Document, *, with_vector: bool) -> Record:
    if document.content is None:
        raise UsageError(f"the document {document.id!r} has no text.", remedy="Make one of it with a converter.")
    vector = document.embedding if with_vector else None
    return Record(document.id, document.content, metadata=cast("Metadata", document.meta), vector=vector)


def _apart(records: Iterable[Record]) -> Iterable[list[Record]]:
    """Records with vectors and others, each by themselves: a call has vectors for all or for none."""
    given = [*records]
    parts = ([one for one in given if (one.vector is None) is none] for none in (True, False))
    return [some for some in parts if some]


def _document(record: Record) -> Document:
    return Document(id=record.id, content=record.text, meta=dict(record.metadata))


def _found(result: object) -> list[Document]:
    return [_placed(one) for one in passages(result)]  # type: ignore[arg-type]


def _placed(one: Located) -> Document:
    return Document(id=one.document, content=one.text, meta={**one.metadata, **one.place}, score=one.score)
