"""The verbs of a set for asyncio: each is the verb of that name in a thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from embassay.threads import in_thread

if TYPE_CHECKING:
    from embassay.search.result import SearchResult
    from embassay.sets.build.report import IndexReport
    from embassay.sets.options import IndexOptions, MakingOptions, SearchOptions
    from embassay.sets.records.report import RecordsReport
    from embassay.space import Space
    from embassay.stores.filters.values import Filter
    from embassay.types import Embeddings, OnLong, Record, Role

    Records = Iterable[Record | Mapping[str, Any]]


class AsyncVerbs:
    """What `EmbeddingSet` has beside its verbs."""

    if TYPE_CHECKING:
        index: Callable[..., IndexReport]
        add: Callable[..., RecordsReport]
        upsert: Callable[..., RecordsReport]
        delete: Callable[..., int]
        get: Callable[..., Sequence[Record]]
        search: Callable[..., SearchResult]
        embed: Callable[..., Embeddings]

    async def aindex(
        self, paths: Iterable[str | os.PathLike[str]] | None = None, **options: Unpack[IndexOptions]
    ) -> IndexReport:
        """`index` in a thread, for asyncio."""
        return await in_thread(self.index, paths, **options)

    async def aadd(
        self, records: Records, *, space: Space | None = None, **making: Unpack[MakingOptions]
    ) -> RecordsReport:
        """`add` in a thread, for asyncio."""
        return await in_thread(self.add, records, space=space, **making)

    async def aupsert(
        self, records: Records, *, space: Space | None = None, **making: Unpack[MakingOptions]
    ) -> RecordsReport:
        """`upsert` in a thread, for asyncio."""
        return await in_thread(self.upsert, records, space=space, **making)

    async def adelete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: str | Filter | None = None,
        path: str | None = None,
    ) -> int:
        """`delete` in a thread, for asyncio."""
        return await in_thread(self.delete, ids, where=where, path=path)

    async def aget(self, ids: Iterable[str]) -> Sequence[Record]:
        """`get` in a thread, for asyncio."""
        return await in_thread(self.get, ids)

    async def asearch(self, query: str, k: int = 10, **options: Unpack[SearchOptions]) -> SearchResult:
        """`search` in a thread, for asyncio; many run at once."""
        return await in_thread(self.search, query, k, **options)

    async def aembed(self, texts: Sequence[str], role: Role, *, on_long: OnLong = "truncate") -> Embeddings:
        """`embed` in a thread, for asyncio."""
        return await in_thread(self.embed, texts, role, on_long=on_long)
