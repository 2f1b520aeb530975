"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar, Unpack

import httpx

from embassay.client import calls
from embassay.client.connecting import ServerPlace, reply_of
from embassay.client.steps import ClientStep, NoReply, Pause, Retries, ServerReply, flow
from embassay.errors import SetNotFound

if TYPE_CHECKING:
    from embassay.client.options import CompareWishes, JobWishes, SearchWishes, SetChanges, SetWishes, Wanted
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
    from embassay.stores.filters.values import Filter
    from embassay.types import OnLong, Record, Role

    Records = Iterable[Record | Mapping[str, object]]

T = TypeVar("T")


class AsyncClient:
    """A server, for asyncio; tasks of one loop may share it. Use it as a context manager, or call `aclose`.

    Every call raises EmbassayError: what the server refuses as the class that the library has for it, ServerRefused for
    what only a server says, ServerUnreachable and DeadlinePassed. What was refused for the moment is sent again, up to
    `retries` times, when the server says so, else after pauses that double.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 60.0, retries: int = 3) -> None:
        """`url`: of the server, ``http://127.0.0.1:8080``. `timeout`: seconds until a request has to be answered.

        Raises UsageError for what is no address.
        """
        self.server = ServerPlace(url, key, timeout, Retries(retries))
        self._http = httpx.AsyncClient(headers=self.server.headers, timeout=timeout, trust_env=False)

    async def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        model: str | None = None,
        dimensions: int | None = None,
        on_long: OnLong = "truncate",
    ) -> TextVectors:
        """Vectors of `texts` as ``query`` or ``document``, by a model of the server, which joins them with others'."""
        return await self.run(calls.embed(texts, role, model, dimensions, on_long))

    async def rerank(self, query: str, texts: Sequence[str], *, model: str | None = None) -> RankedTexts:
        """Scores of `texts` for `query`, by a reranker of the server."""
        return await self.run(calls.rerank(query, texts, model))

    async def search(
        self, query: str, k: int = 10, *, set: str | Sequence[str] | None = None, **wishes: Unpack[SearchWishes]
    ) -> SearchFound:
        """What answers `query` best, in a set, several, or the one that is meant where none is named."""
        return await self.run(calls.search(_names(set), query, k, wishes))

    def set(self, slug: str) -> AsyncServedSet:
        """The set of this name, which need not be there; nothing is asked."""
        return AsyncServedSet(self, slug)

    async def sets(self) -> list[SetInfo]:
        """Every set that the key sees."""
        found: list[SetInfo] = []
        after: str | None = ""
        while after is not None:
            page = await self.run(calls.sets(after))
            found += page.data
            after = page.next
        return found

    async def create_set(self, slug: str, **fields: Unpack[SetWishes]) -> SetInfo:
        """Make a set. Raises ServerRefused with the code ``name_taken`` where there is one, DimensionsRefused, ..."""
        return await self.run(calls.create_set(slug, fields))

    async def configs(self) -> list[ConfigInfo]:
        """The models that sets may be made with."""
        return await self.run(calls.configs())

    async def config(self, id: str) -> ConfigInfo:
        """One of them, by its id or another name. Raises ModelNotFound."""
        return await self.run(calls.config(id))

    async def models(self) -> list[str]:
        """The names of the models that are served."""
        return await self.run(calls.models())

    async def jobs(self, set: str | None = None) -> list[JobInfo]:
        """The last move of each set to another model, or of one set."""
        return await self.run(calls.jobs(set))

    async def job(self, id: str) -> JobInfo:
        """How one stands."""
        return await self.run(calls.job(id))

    async def pause_job(self, id: str) -> JobInfo:
        """Halt it; what it has done is kept."""
        return await self.run(calls.do_job(id, "pause", {}))

    async def resume_job(self, id: str, *, rate: float | None = None, max_spend: float | None = None) -> JobInfo:
        """Have it go on."""
        return await self.run(calls.do_job(id, "resume", {"rate": rate, "max_spend": max_spend}))

    async def switch_job(self, id: str, *, keep_days: float = 7.0, force: bool = False, why: str = "") -> JobInfo:
        """Have searches use what it built. Raises MigrationState before it is ready."""
        return await self.run(calls.do_job(id, "switch", {"keep_days": keep_days, "force": force, "why": why}))

    async def rollback_job(self, id: str, *, keep_days: float = 7.0, why: str = "") -> JobInfo:
        """Have searches use what was live before."""
        return await self.run(calls.do_job(id, "rollback", {"keep_days": keep_days, "why": why}))

    async def abort_job(self, id: str) -> bool:
        """Give it up; whether what it built is gone already."""
        return await self.run(calls.abort_job(id))

    async def feedback(
        self,
        search: SearchFound | str,
        *,
        clicked: Sequence[int | str] = (),
        thumbs: str | None = None,
        about: Sequence[int | str] = (),
    ) -> FeedbackKept:
        """Note what came of a search, given as its answer or its id."""
        name = search if isinstance(search, str) else search.id
        return await self.run(calls.feedback(name, clicked, thumbs, about))

    async def compare(self, a: str, b: str, **wishes: Unpack[CompareWishes]) -> Compared:
        """Whether `b` is better than `a`, on pairs or a judged set beside the server's home."""
        return await self.run(calls.compare(a, b, wishes))

    async def recommend(self, **wanted: Unpack[Wanted]) -> Recommended:
        """Models to try first."""
        return await self.run(calls.recommend(wanted))  # type: ignore[arg-type]

    async def health(self) -> str:
        """The version of the server. Raises ServerUnreachable."""
        return await self.run(calls.health())

    async def run(self, step: ClientStep[T]) -> T:
        """Send a step until it is answered; what the other calls are made of."""
        going = flow(step, self.server.patience)
        got: ServerReply | NoReply | None = None
        while True:
            try:
                asked = going.send(got)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(asked, Pause):
                await asyncio.sleep(asked.seconds)
                got = None
            else:
                got = await self._send(asked)

    async def _send(self, step: ClientStep[T]) -> ServerReply | NoReply:
        try:
            return reply_of(await self._http.send(self.server.request(self._http, step)))
        except httpx.HTTPError as error:
            return self.server.lost(error)

    async def aclose(self) -> None:
        """Close its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class AsyncServedSet:
    """A set of a server, from `AsyncClient.set`, with the verbs that `embassay.EmbeddingSet` has."""

    def __init__(self, client: AsyncClient, name: str) -> None:
        self.client, self.name = client, name

    async def show(self) -> SetInfo:
        """What it is made with, and what it holds. Raises SetNotFound."""
        return await self.client.run(calls.show_set(self.name))

    async def exists(self) -> bool:
        """Whether it is there, and the key sees it."""
        try:
            await self.show()
        except SetNotFound:
            return False
        return True

    async def update(self, **changes: Unpack[SetChanges]) -> SetInfo:
        """Change its title, its slug, when it embeds, how it joins arms, or whether it is meant where none is named."""
        found = await self.client.run(calls.update_set(self.name, changes))
        self.name = found.slug
        return found

    async def drop(self, *, dry_run: bool = False) -> int:
        """Remove it with all that is in it; how many documents that are."""
        return await self.client.run(calls.delete_set(self.name, dry_run))

    async def search(self, query: str, k: int = 10, **wishes: Unpack[SearchWishes]) -> SearchFound:
        """The k chunks that answer `query` best."""
        return await self.client.run(calls.search([self.name], query, k, wishes))

    async def upsert(self, records: Records) -> Written:
        """Add documents, and replace those whose ids are there. Raises SetNotFound: a set is made by `create_set`."""
        return await self.client.run(calls.write(self.name, records, "upsert"))

    async def add(self, records: Records) -> Written:
        """Add documents whose ids are not there yet. Raises UsageError where one is; nothing is added then."""
        return await self.client.run(calls.write(self.name, records, "add"))

    async def get(self, ids: Iterable[str]) -> list[Record]:
        """The documents of these ids, in that order; unknown ones are left out."""
        return await self.client.run(calls.get(self.name, ids))

    async def list(
        self, glob: str | None = None, *, where: str | Filter | None = None
    ) -> AsyncIterator[ListedDocument]:
        """Every document by path, as pages come: where `glob` matches its path, and a chunk passes `where`."""
        cursor: str | None = ""
        while cursor is not None:
            page = await self.client.run(calls.documents(self.name, glob, where, cursor))
            for one in page.data:
                yield one
            cursor = page.next

    async def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: str | Filter | None = None,
        path: str | None = None,
    ) -> int:
        """Remove documents by id, by a filter or by a glob of their paths; how many."""
        return await self.client.run(calls.delete(self.name, ids, where, path))

    async def index(self) -> int:
        """Embed what waits; how many chunks."""
        return await self.client.run(calls.index(self.name))

    async def embed(self, texts: Sequence[str], role: Role, *, on_long: OnLong = "truncate") -> TextVectors:
        """Vectors of `texts` in the space of the set."""
        shown = await self.show()
        model, cut = shown.embedding_config_id, shown.truncate_dim
        return await self.client.embed(texts, role, model=model, dimensions=cut, on_long=on_long)

    async def migrate(self, to: str | None = None, **wishes: Unpack[JobWishes]) -> JobInfo:
        """Begin to move it to another model, in the background; see `AsyncClient.job`."""
        fields = {"embedding_config_id": to, **wishes}
        return await self.client.run(calls.begin_job(self.name, fields))

    def __repr__(self) -> str:
        return f"AsyncServedSet({self.name!r})"


def _names(set: str | Sequence[str] | None) -> list[str]:
    return [] if set is None else [set] if isinstance(set, str) else list(set)
