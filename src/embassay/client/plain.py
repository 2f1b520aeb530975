"""The client that waits for each answer."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


class Client:
    """A server; threads may share it. Use it as a context manager, or call `close`.

    Every call raises EmbassayError: what the server refuses as the class that the library has for it, ServerRefused for
    what only a server says, ServerUnreachable and DeadlinePassed. What was refused for the moment is sent again, up to
    `retries` times, when the server says so, else after pauses that double.
    """

    def __init__(self, url: str, key: str | None = None, *, timeout: float = 60.0, retries: int = 3) -> None:
        """`url`: of the server, ``http://127.0.0.1:8080``. `timeout`: seconds until a request has to be answered.

        Raises UsageError for what is no address.
        """
        self.server = ServerPlace(url, key, timeout, Retries(retries))
        self._http = httpx.Client(headers=self.server.headers, timeout=timeout, trust_env=False)

    def embed(
        self,
        texts: Sequence[str],
        role: Role,
        *,
        model: str | None = None,
        dimensions: int | None = None,
        on_long: OnLong = "truncate",
    ) -> TextVectors:
        """Vectors of `texts` as ``query`` or ``document``, by a model of the server, which joins them with others'."""
        return self.run(calls.embed(texts, role, model, dimensions, on_long))

    def rerank(self, query: str, texts: Sequence[str], *, model: str | None = None) -> RankedTexts:
        """Scores of `texts` for `query`, by a reranker of the server."""
        return self.run(calls.rerank(query, texts, model))

    def search(
        self, query: str, k: int = 10, *, set: str | Sequence[str] | None = None, **wishes: Unpack[SearchWishes]
    ) -> SearchFound:
        """What answers `query` best, in a set, several, or the one that is meant where none is named."""
        return self.run(calls.search(_names(set), query, k, wishes))

    def set(self, slug: str) -> ServedSet:
        """The set of this name, which need not be there; nothing is asked."""
        return ServedSet(self, slug)

    def sets(self) -> list[SetInfo]:
        """Every set that the key sees."""
        found: list[SetInfo] = []
        after: str | None = ""
        while after is not None:
            page = self.run(calls.sets(after))
            found += page.data
            after = page.next
        return found

    def create_set(self, slug: str, **fields: Unpack[SetWishes]) -> SetInfo:
        """Make a set. Raises ServerRefused with the code ``name_taken`` where there is one, DimensionsRefused, ..."""
        return self.run(calls.create_set(slug, fields))

    def configs(self) -> list[ConfigInfo]:
        """The models that sets may be made with."""
        return self.run(calls.configs())

    def config(self, id: str) -> ConfigInfo:
        """One of them, by its id or another name. Raises ModelNotFound."""
        return self.run(calls.config(id))

    def models(self) -> list[str]:
        """The names of the models that are served."""
        return self.run(calls.models())

    def jobs(self, set: str | None = None) -> list[JobInfo]:
        """The last move of each set to another model, or of one set."""
        return self.run(calls.jobs(set))

    def job(self, id: str) -> JobInfo:
        """How one stands."""
        return self.run(calls.job(id))

    def pause_job(self, id: str) -> JobInfo:
        """Halt it; what it has done is kept."""
        return self.run(calls.do_job(id, "pause", {}))

    def resume_job(self, id: str, *, rate: float | None = None, max_spend: float | None = None) -> JobInfo:
        """Have it go on."""
        return self.run(calls.do_job(id, "resume", {"rate": rate, "max_spend": max_spend}))

    def switch_job(self, id: str, *, keep_days: float = 7.0, force: bool = False, why: str = "") -> JobInfo:
        """Have searches use what it built. Raises MigrationState before it is ready."""
        return self.run(calls.do_job(id, "switch", {"keep_days": keep_days, "force": force, "why": why}))

    def rollback_job(self, id: str, *, keep_days: float = 7.0, why: str = "") -> JobInfo:
        """Have searches use what was live before."""
        return self.run(calls.do_job(id, "rollback", {"keep_days": keep_days, "why": why}))

    def abort_job(self, id: str) -> bool:
        """Give it up; whether what it built is gone already."""
        return self.run(calls.abort_job(id))

    def feedback(
        self,
        search: SearchFound | str,
        *,
        clicked: Sequence[int | str] = (),
        thumbs: str | None = None,
        about: Sequence[int | str] = (),
    ) -> FeedbackKept:
        """Note what came of a search, given as its answer or its id."""
        name = search if isinstance(search, str) else search.id
        return self.run(calls.feedback(name, clicked, thumbs, about))

    def compare(self, a: str, b: str, **wishes: Unpack[CompareWishes]) -> Compared:
        """Whether `b` is better than `a`, on pairs or a judged set beside the server's home."""
        return self.run(calls.compare(a, b, wishes))

    def recommend(self, **wanted: Unpack[Wanted]) -> Recommended:
        """Models to try first."""
        return self.run(calls.recommend(wanted))  # type: ignore[arg-type]

    def health(self) -> str:
        """The version of the server. Raises ServerUnreachable."""
        return self.run(calls.health())

    def run(self, step: ClientStep[T]) -> T:
        """Send a step until it is answered; what the other calls are made of."""
        going = flow(step, self.server.patience)
        got: ServerReply | NoReply | None = None
        while True:
            try:
                asked = going.send(got)
            except StopIteration as done:
                return done.value  # type: ignore[no-any-return]
            if isinstance(asked, Pause):
                time.sleep(asked.seconds)
                got = None
            else:
                got = self._send(asked)

    def _send(self, step: ClientStep[T]) -> ServerReply | NoReply:
        try:
            return reply_of(self._http.send(self.server.request(self._http, step)))
        except httpx.HTTPError as error:
            return self.server.lost(error)

    def close(self) -> None:
        """Close its connections."""
        self._http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ServedSet:
    """A set of a server, from `Client.set`, with the verbs that `embassay.EmbeddingSet` has."""

    def __init__(self, client: Client, name: str) -> None:
        self.client, self.name = client, name

    def show(self) -> SetInfo:
        """What it is made with, and what it holds. Raises SetNotFound."""
        return self.client.run(calls.show_set(self.name))

    @property
    def exists(self) -> bool:
        """Whether it is there, and the key sees it."""
        try:
            self.show()
        except SetNotFound:
            return False
        return True

    def update(self, **changes: Unpack[SetChanges]) -> SetInfo:
        """Change its title, its slug, when it embeds, how it joins arms, or whether it is meant where none is named."""
        found = self.client.run(calls.update_set(self.name, changes))
        self.name = found.slug
        return found

    def drop(self, *, dry_run: bool = False) -> int:
        """Remove it with all that is in it; how many documents that are."""
        return self.client.run(calls.delete_set(self.name, dry_run))

    def search(self, query: str, k: int = 10, **wishes: Unpack[SearchWishes]) -> SearchFound:
        """The k chunks that answer `query` best."""
        return self.client.run(calls.search([self.name], query, k, wishes))

    def upsert(self, records: Records) -> Written:
        """Add documents, and replace those whose ids are there. Raises SetNotFound: a set is made by `create_set`."""
        return self.client.run(calls.write(self.name, records, "upsert"))

    def add(self, records: Records) -> Written:
        """Add documents whose ids are not there yet. Raises UsageError where one is; nothing is added then."""
        return self.client.run(calls.write(self.name, records, "add"))

    def get(self, ids: Iterable[str]) -> list[Record]:
        """The documents of these ids, in that order; unknown ones are left out."""
        return self.client.run(calls.get(self.name, ids))

    def list(self, glob: str | None = None, *, where: str | Filter | None = None) -> Iterator[ListedDocument]:
        """Every document by path, as pages come: where `glob` matches its path, and a chunk passes `where`."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.client.run(calls.documents(self.name, glob, where, cursor))
            yield from page.data
            cursor = page.next

    def delete(
        self,
        ids: Iterable[str] | None = None,
        *,
        where: str | Filter | None = None,
        path: str | None = None,
    ) -> int:
        """Remove documents by id, by a filter or by a glob of their paths; how many."""
        return self.client.run(calls.delete(self.name, ids, where, path))

    def index(self) -> int:
        """Embed what waits; how many chunks."""
        return self.client.run(calls.index(self.name))

    def embed(self, texts: Sequence[str], role: Role, *, on_long: OnLong = "truncate") -> TextVectors:
        """Vectors of `texts` in the space of the set."""
        shown = self.show()
        model, cut = shown.embedding_config_id, shown.truncate_dim
        return self.client.embed(texts, role, model=model, dimensions=cut, on_long=on_long)

    def migrate(self, to: str | None = None, **wishes: Unpack[JobWishes]) -> JobInfo:
        """Begin to move it to another model, in the background; see `Client.job`."""
        fields = {"embedding_config_id": to, **wishes}
        return self.client.run(calls.begin_job(self.name, fields))

    def __repr__(self) -> str:
        return f"ServedSet({self.name!r})"


def _names(set: str | Sequence[str] | None) -> list[str]:
    return [] if set is None else [set] if isinstance(set, str) else list(set)
