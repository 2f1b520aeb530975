"""Models by name: opened when first used, once, with the behaviour that the configuration asks for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.config.reading import load_config
from embassay.config.values import DEFAULT_MODEL, LEDGER_FILE, Config, user_cache
from embassay.embedders.base import Embedder
from embassay.embedders.keeper import Keeper
from embassay.embedders.settings import Settings
from embassay.errors import ConfigError, EmbassayError, UsageError
from embassay.events import SILENCE, Events, Warned
from embassay.models.budgets import configured_budget
from embassay.models.ledger import Ledger, Payer, new_payer
from embassay.models.lookup import Lookup, difference
from embassay.models.opening import open_model
from embassay.models.provider import Provider, load_provider
from embassay.models.reference import parse_reference
from embassay.models.wrapping import Wrapping, wrap
from embassay.types import Health

if TYPE_CHECKING:
    from embassay.canaries import Anchor
    from embassay.catalog.card import ModelCard
    from embassay.catalog.catalog import Catalog
    from embassay.embedders.wrap.batched import Batching
    from embassay.embedders.wrap.budget import Budget
    from embassay.embedders.wrap.chain import Fallback
    from embassay.models.cache import VectorCache
    from embassay.models.canaries import KeptCanaries
    from embassay.models.chat import ConfiguredChat
    from embassay.models.rerankers import Rerankers
    from embassay.space import Space


class Registry:
    """Threads may share it. Use it as a context manager, or call `close`.

    >>> with Registry() as models:                                    # doctest: +SKIP
    ...     models.get("openai/text-embedding-3-small@dims=512").embed(["a text"], "document")
    """

    def __init__(
        self,
        config: Config | None = None,
        *,
        cache_file: Path | None = None,
        keep_local: bool = False,
        budget: Budget | None = None,
        payer: Payer | None = None,
        events: Events = SILENCE,
        batching: Batching | None = None,
    ) -> None:
        """`config` None: it is looked for, see `embassay.config`. Raises ConfigError for settings no provider has.

        `keep_local`: keep vectors of local models as well, for work that asks for the same ones again.
        `budget`: what these models may spend together; default: the ``spend_cap_usd`` of the configuration, with what
        is spent written down in the ledger beside the cache as that of `payer`, a run of its own by default. `events`
        are told what is embedded. `batching`: texts of all threads that ask for the same model are embedded together.
        """
        self.config = load_config() if config is None else config
        self.own_cache_file = cache_file
        """Where vectors are kept unless the configuration says otherwise; None: in the one file of the user."""
        self._keep_local, self.events, self._batching = keep_local, events, batching
        self._lookup = Lookup(self.config)
        self._lock = threading.RLock()
        self._opening: dict[str, threading.Lock] = {}
        self._opened: dict[str, Embedder] = {}
        self._registered: dict[str, Callable[[], Embedder] | Embedder | Settings] = {}
        self.payer = new_payer() if payer is None else payer
        self.ledger = Ledger((cache_file or user_cache()).with_name(LEDGER_FILE))
        """What was spent, by all processes that share it."""
        self.budget = configured_budget(self.config, self.ledger, self.payer, events) if budget is None else budget
        """What these models may still spend together."""

    # -- names ----------------------------------------------------------------------------------------------

    def register(self, name: str, model: Callable[[], Embedder] | Embedder | Settings) -> None:
        """Add a model under a name: settings, an embedder, or what opens one. Replaces what had that name.

        An embedder that is handed over opened stays its owner's to close.
        """
        with self._lock:
            concerned = [
                key for key in self._opened if key == name or key.startswith((f"{name}@", f"{name}#", "chain:"))
            ]
            old = [self._opened.pop(key) for key in concerned if not isinstance(self._registered.get(key), Embedder)]
            for key in concerned:
                self._opened.pop(key, None)
            self._registered[name] = model
        _close(old)

    def names(self) -> list[str]:
        """The names of all models that are configured or registered."""
        with self._lock:
            return sorted({*self._lookup.configured, *self._registered})

    def settings(self, name: str) -> Settings:
        """What a model would be opened with. Raises ModelNotFound, ConfigError."""
        with self._lock:
            registered = {key: one for key, one in self._registered.items() if isinstance(one, Settings)}
        return self._lookup.settings(name, registered)

    def card(self, name: str) -> ModelCard | None:
        """What the catalog or a card of the user says of a model; None where nothing is known."""
        return self._lookup.card(name, self.settings(name)) if self._has_settings(name) else None

    def suggested_card(self, name: str) -> ModelCard | None:
        """The card that probably describes a hosted model which has none; None where none does, or nothing is missing.

        A user who has set what the card would say, the prompts or a field that tells the role, is left alone.
        """
        return self._lookup.suggested_card(name, self.settings(name))

    def advice(self, name: str) -> str:
        """What to set for a model without a card that is called like one of the catalog; empty where nothing is."""
        return self._lookup.advice(name, self.settings(name))

    def provider(self, name: str) -> Provider:
        """Who runs a model. Raises ModelNotFound, ConfigError, PluginError."""
        return load_provider(self.settings(name).provider)

    @property
    def catalog(self) -> Catalog:
        """The shipped cards and those of the user's own files."""
        return self._lookup.catalog

    @property
    def default_name(self) -> str:
        """The model that is used where nobody names one."""
        return self.config.embeddings.default_model or DEFAULT_MODEL

    # -- models ---------------------------------------------------------------------------------------------

    def get(self, name: str, anchor: Anchor | None = None) -> Embedder:
        """A model by its name, ``provider/model`` or Hugging Face id, with ``@precision`` and ``@dims=N``.

        Opened by the first caller, others wait for it. `anchor`: where it put the canaries when the set was made that
        it is asked for. Raises ModelError, ConfigError, PluginError.
        """
        anchor = anchor if self._has_settings(name) else None
        key = _key(name, anchor)
        with self._lock:
            if key in self._opened:
                return self._opened[key]
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:
            with self._lock:
                if key in self._opened:
                    return self._opened[key]
            embedder = self._open(name, anchor=anchor)
            with self._lock:
                self._opened[key] = embedder
            return embedder

    def bare(self, name: str) -> Embedder:
        """A model without cache or glossary, opened anew: the model itself, below the cap. Raises as `get` does."""
        return self._open(name, bare=True)

    def default(self) -> Embedder:
        """The model that is used where nobody names one."""
        return self.get(self.default_name)

    def chain(self, names: Iterable[str] | None = None, anchor: Anchor | None = None) -> Fallback:
        """`names`, by default the configured ``fallback_chain``, as one embedder.

        `anchor`: where the first of them put the canaries when the set was made that they are asked for. Raises
        ConfigError where there are no names.
        """
        from embassay.embedders.wrap.chain import Fallback

        chosen = list(names or self.config.embeddings.fallback_chain)
        if not chosen:
            mend = remedy.setting("embeddings", "{fallback_chain: [a, b]}")
            raise ConfigError("no fallback_chain is configured.", remedy=mend)
        key, first = _key("chain:" + ",".join(chosen), anchor), chosen[0]
        with self._lock:
            if key not in self._opened:
                plain = anchor if anchor and anchor.is_plain else None  # others may be cut from other dimensions
                members = {name: partial(self.get, name, plain) for name in chosen}
                members[first] = partial(self.get, first, anchor)
                differ, memory = partial(self._difference, first), self._memory(first)
                self._opened[key] = Fallback(members, memory, anchor=anchor, differ=differ, events=self.events)
            found = self._opened[key]
        assert isinstance(found, Fallback)
        return found

    def resilient(self, name: str, space: Space | None = None, anchor: Anchor | None = None) -> Embedder:
        """A model, with those behind it in the fallback chain to stand in for it where their space is its own.

        `space` and `anchor`: what it was when the caller's set was made, and where it put the canaries then.
        """
        names = self.config.embeddings.fallback_chain
        if name not in names[:-1]:
            return self.get(name, anchor)
        chain = self.chain(names[names.index(name) :], anchor)
        if space:
            chain.assume(space)
        return chain

    def again(self, payer: Payer) -> Registry:
        """The same models, opened anew, which `payer` pays for. The caller closes them."""
        own = self.own_cache_file
        made = Registry(self.config, cache_file=own, keep_local=self._keep_local, payer=payer, events=self.events)
        with self._lock:
            made._registered = {**self._registered}
        return made

    def health(self, names: Iterable[str] | None = None) -> dict[str, Health]:
        """Ask `names`, by default every model, for one vector each, all at the same time; how each did, by name."""
        from concurrent.futures import ThreadPoolExecutor

        chosen = self.names() if names is None else list(names)
        with ThreadPoolExecutor(max(1, min(16, len(chosen)))) as pool:
            return dict(zip(chosen, pool.map(self._health, chosen), strict=True))

    # -- the cache ------------------------------------------------------------------------------------------

    @cached_property
    def cache(self) -> VectorCache:
        """Where vectors are kept; the file is opened when it is first used."""
        from embassay.models.cache import VectorCache

        return VectorCache(self.cache_file(), int(self.config.cache.max_gb * 1e9))

    def cache_file(self) -> Path:
        """Where vectors are kept: as configured, else the home's cache, else one for the user.

        Raises ConfigNotAgreed.
        """
        return self.config.cache_path() or self.own_cache_file or user_cache()

    def cuts(self, name: str) -> VectorCache | None:
        """What remembers how documents were cut for a model; None where its vectors are not kept either."""
        return self.cache if self._keeps(name) else None

    @cached_property
    def rerankers(self) -> Rerankers:
        """The rerankers of this configuration, which share the cache and the money of its models."""
        from embassay.models.rerankers import Rerankers

        return Rerankers(self.config, lambda: self.cache, lambda: self.budget)

    @cached_property
    def chat(self) -> ConfiguredChat:
        """The chat model of this configuration, which shares the cache and the money of its models."""
        from embassay.models.chat import ConfiguredChat

        return ConfiguredChat(self.config, lambda: self.cache, lambda: self.budget)

    # -- the end --------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close whatever was opened here. The registry may be used again."""
        with self._lock:
            given = {name for name, one in self._registered.items() if isinstance(one, Embedder)}
            opened = [embedder for name, embedder in self._opened.items() if name not in given]
            self._opened = {}
            cache, rerankers, chat = (self.__dict__.pop(name, None) for name in ("cache", "rerankers", "chat"))
        for other in filter(None, (rerankers, chat)):
            other.close()
        _close(opened)
        self.ledger.close()
        if cache:
            cache.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open(self, name: str, *, bare: bool = False, anchor: Anchor | None = None) -> Embedder:
        """The model behind all that the configuration asks for; `bare`: behind the cut of its dimensions alone."""
        reference = parse_reference(name)
        with self._lock:
            registered = self._registered.get(reference.base)
        if registered is not None and not isinstance(registered, Settings):
            if reference.options:
                raise UsageError(f"{reference.base} was registered as it is: {name} cannot be made of it.")
            embedder = registered if isinstance(registered, Embedder) else registered()
            return embedder if bare else wrap(embedder, Wrapping(events=self.events, batching=self._batching))
        settings = self.settings(name)
        if not bare and (advice := self.advice(name)):
            self.events.tell(Warned(f"{name}: {advice}"))
        plan = Wrapping(budget=self.budget) if bare else self._wrapping(name, settings, anchor)
        with self._lookup.hinting(name, card := self.card(name)):
            return open_model(name, settings, card, plan)

    def _wrapping(self, name: str, settings: Settings, anchor: Anchor | None) -> Wrapping:
        return Wrapping(
            budget=self.budget,
            keeper=Keeper(self.cache, settings.cache_ttl) if self._keeps(name) else None,
            memory=self._memory(name),
            anchor=anchor,
            coalesce=True,
            glossary=self.config.glossary,
            events=self.events,
            batching=self._batching,
        )

    def _difference(self, first: str, other: str) -> str:
        """Why two models cannot be the same one, wherever they put the canaries; empty where nothing says so."""
        if not (self._has_settings(first) and self._has_settings(other)):
            return ""
        return difference(*((self.settings(name), self.card(name)) for name in (first, other)))

    def _has_settings(self, name: str) -> bool:
        with self._lock:
            registered = self._registered.get(parse_reference(name).base)
        return registered is None or isinstance(registered, Settings)

    def _memory(self, name: str) -> KeptCanaries | None:
        """What remembers where a model put the canaries: beside its vectors, where those are kept."""
        from embassay.models.canaries import KeptCanaries

        return KeptCanaries(self.cache) if self._keeps(name) else None

    def _keeps(self, name: str) -> bool:
        """Whether the vectors of a model are kept: as set, else those that are paid for."""
        if not self._has_settings(name):
            return False
        settings = self.settings(name)
        kept = settings.cache_enabled
        return kept if kept is not None else (self._keep_local or load_provider(settings.provider).remote)

    def _health(self, name: str) -> Health:
        try:
            return self.get(name).health()
        except EmbassayError as error:
            return Health(False, 0.0, str(error))


def _key(name: str, anchor: Anchor | None) -> str:
    """The key under which a model is kept open. A set with canaries of its own has a model of its own."""
    return f"{name}#{anchor.digest}" if anchor else name


def _close(embedders: Iterable[Embedder]) -> None:
    """Close all of them, whatever one of them raises."""
    for embedder in embedders:
        with suppress(EmbassayError, RuntimeError):
            embedder.close()
