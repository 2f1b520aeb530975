"""What everything in one run shares: the configuration, the models, the money that may be spent, and the events.

    with Session() as session:
        session.events.subscribe(Searched, print)
        with Home(find_home(), session) as home:
            ...

A run has exactly one session, so that a model which two parts of it name is loaded once, and there is one spend cap.
Whoever makes a session closes it; whoever is handed one leaves it open.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from embassay.errors import QueryError, UsageError
from embassay.events import Events, RerankRan, Warned

if TYPE_CHECKING:
    from embassay.config.values import Config
    from embassay.embedders.wrap.batched import Batching
    from embassay.embedders.wrap.budget import Budget
    from embassay.models.registry import Registry
    from embassay.reranking.base import Reranked


MOST_NOTICES = 100
"""Sentences that are kept of a session: one that lives long may hear of many failures."""


class Session:
    """Threads may share it. Use it as a context manager, or call `close`."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        cache_file: Path | None = None,
        keep_local: bool = False,
        purpose: str = "python",
        run: str = "",
        batching: Batching | None = None,
    ) -> None:
        """Nothing is read or opened before it is needed.

        `config`: by default ``embassay.yaml`` and the environment, read when they are first asked for. `cache_file`:
        where vectors are cached unless the configuration says otherwise; by default one file for the user.
        `keep_local`: cache the vectors of local models as well, for work that asks for the same ones again.
        `purpose`: for what money is spent, as the ledger has it. `run`: which run this is a part of, for a process that
        another one starts; by default one of its own. `batching`: have the texts of all its threads embedded together,
        as a server does.
        """
        self.events = Events()
        self._notices: dict[str, None] = {}
        self._told = 0
        self.events.subscribe(Warned, self._note)
        self._given, self._cache_file, self._keep_local = config, cache_file, keep_local
        self._purpose, self._run, self._batching = purpose, run, batching
        self._lock = threading.RLock()
        self._models: Registry | None = None
        self._closed = False

    @cached_property
    def config(self) -> Config:
        """The configuration of this run. Raises ConfigError."""
        if self._given is not None:
            return self._given
        from embassay.config.reading import load_config

        return load_config()

    @property
    def models(self) -> Registry:
        """The models of this run, by name. Raises ConfigError, and UsageError once the session is closed."""
        from embassay.models.ledger import Payer, new_payer
        from embassay.models.registry import Registry

        with self._lock:
            if self._closed:
                raise UsageError("the session is closed.", remedy="Open another one.")
            if self._models is None:
                self._models = Registry(
                    self.config,
                    cache_file=self._cache_file,
                    keep_local=self._keep_local,
                    payer=Payer(self._run, self._purpose) if self._run else new_payer(self._purpose),
                    events=self.events,
                    batching=self._batching,
                )
            return self._models

    @property
    def budget(self) -> Budget:
        """What this run may still spend on all models together. Raises ConfigError."""
        return self.models.budget

    def rerank(self, query: str, texts: Sequence[str], *, model: str = "") -> Reranked:
        """Scores of `texts` for `query` by the reranker `model`, else by the configured one; see `embassay.rerank`."""
        if not isinstance(query, str) or not query.strip():
            raise QueryError("the query is empty." if isinstance(query, str) else "the query must be a string.")
        if isinstance(texts, str) or not all(isinstance(text, str) for text in texts):
            raise UsageError("texts must be a list of strings.", remedy="One text alone is a list as well: [text].")
        reranker = self.models.rerankers.get(model)
        started, failed = time.perf_counter(), True
        try:
            made = reranker.score(query, texts)
            failed = False
        finally:
            self.events.tell(RerankRan(reranker.name, len(texts), time.perf_counter() - started, failed))
        return made

    @property
    def notices(self) -> tuple[str, ...]:
        """What whoever uses the results of this run has to know, each sentence once."""
        return tuple(self._notices)

    def untold(self) -> tuple[str, ...]:
        """The notices that came since this was asked last."""
        new = self.notices[self._told :]
        self._told += len(new)
        return new

    def _note(self, event: Warned) -> None:
        if len(self._notices) < MOST_NOTICES:
            self._notices[event.text] = None

    def close(self) -> None:
        """Give back whatever was opened. Closing twice does nothing; streams that are under way end on their own."""
        with self._lock:
            models, self._models, self._closed = self._models, None, True
        if models:
            models.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


@contextmanager
def using(session: Session | None) -> Iterator[Session]:
    """`session` itself, which stays open; where there is none, one that is made for the block and closed behind it."""
    if session is not None:
        yield session
        return
    with Session() as own:
        yield own
