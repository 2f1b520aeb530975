"""Models by name: opened when first used, once, with the behaviour that the configuration asks for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cached_property, partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from embassay import plugins
from embassay.config.reading import checked, load_config
from embassay.config.values import DEFAULT_MODEL, Config
from embassay.embedders.base import Embedder, Health
from embassay.embedders.settings import Settings
from embassay.errors import ConfigError, EmbassayError, ModelNotFound, UsageError
from embassay.models.reference import LOCAL, PROVIDERS, Reference, parse_reference, provider_of
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.catalog.card import ModelCard
    from embassay.catalog.catalog import Catalog
    from embassay.embedders.wrap.capped import Budget
    from embassay.embedders.wrap.chain import Fallback
    from embassay.models.cache import VectorCache
    from embassay.space import Space


class Registry:
    """Threads may share it. Use it as a context manager, or call `close`.

    >>> with Registry() as models:                                    # doctest: +SKIP
    ...     models.get("openai/text-embedding-3-small@dims=512").embed(["a text"], "document")
    """

    def __init__(
        self, config: Config | None = None, *, cache_file: Path | None = None, cache_local: bool = False
    ) -> None:
        """`config` None: it is looked for, see `embassay.config`. Raises ConfigError for settings no provider has.

        `cache_local`: keep vectors of local models as well, for work that asks for the same ones again.
        """
        self.config = load_config() if config is None else config
        self._cache_file, self._cache_local = cache_file, cache_local
        self._lock = threading.RLock()
        self._opening: dict[str, threading.Lock] = {}
        self._opened: dict[str, Embedder] = {}
        self._registered: dict[str, Callable[[], Embedder]] = {}
        self._settings = {name: self._checked(name, raw) for name, raw in self.config.embeddings.models.items()}
        self._check_names()
        self.budget = self._new_budget()
        """What these models may still spend together; None without a cap."""

    def register(self, name: str, model: Callable[[], Embedder] | Embedder | Settings) -> None:
        """Add a model under a name: settings, an embedder, or what opens one. Replaces what had that name."""
        with self._lock:
            concerned = [key for key in self._opened if key == name or key.startswith((f"{name}@", "chain:"))]
            old = [self._opened.pop(key) for key in concerned]
            self._settings.pop(name, None)
            self._registered.pop(name, None)
            if isinstance(model, Settings):
                self._settings[name] = model
            else:
                self._registered[name] = (lambda: model) if isinstance(model, Embedder) else model
        _close(old)

    def names(self) -> list[str]:
        """The configured and registered ones."""
        with self._lock:
            return sorted({*self._settings, *self._registered})

    def settings(self, name: str) -> Settings:
        """What a model would be opened with. Raises ModelNotFound, ConfigError."""
        reference = parse_reference(name)
        if reference.base in self._settings:
            known = self._settings[reference.base]
            return msgspec.structs.replace(known, **reference.options) if reference.options else known
        return self._from_id(reference)

    def card(self, name: str) -> ModelCard | None:
        """What is known of a model."""
        settings = self.settings(name)
        if settings.card:
            found = self._cards_for(settings.card).get(settings.card)
            if found is None:
                raise ConfigError(
                    f"{name}: no card {settings.card!r}.", remedy=did_you_mean(settings.card, self.catalog.models)
                )
            return found
        model = settings.model_id or (DEFAULT_MODEL if settings.provider == LOCAL else "")
        canonical = getattr(plugins.load(PROVIDERS, settings.provider), "canonical", str)
        return self._cards_for(canonical(model)).named(settings.provider, canonical(model))

    def get(self, name: str) -> Embedder:
        """A model by its name, ``provider/model`` or Hugging Face id, with ``@precision`` and ``@dims=N``.

        Opened by the first caller, others wait for it. Raises ModelError, ConfigError, PluginError.
        """
        with self._lock:
            if name in self._opened:
                return self._opened[name]
            opening = self._opening.setdefault(name, threading.Lock())
        with opening:
            with self._lock:
                if name in self._opened:
                    return self._opened[name]
            embedder = self._open(name)
            with self._lock:
                self._opened[name] = embedder
            return embedder

    def bare(self, name: str) -> Embedder:
        """A model without cache, cap or glossary, opened anew: the model itself. Raises as `get` does."""
        return self._made(name, lambda embedder: embedder)

    @property
    def default_name(self) -> str:
        return self.config.embeddings.default_model or DEFAULT_MODEL

    def default(self) -> Embedder:
        return self.get(self.default_name)

    def chain(self, names: Iterable[str] | None = None) -> Fallback:
        """`names` (default: the configured ``fallback_chain``) as one embedder. Raises ConfigError for none."""
        from embassay.embedders.wrap.chain import Fallback

        chosen = list(names or self.config.embeddings.fallback_chain)
        if not chosen:
            raise ConfigError("no fallback_chain is configured.", remedy="embeddings: {fallback_chain: [a, b]}")
        key = "chain:" + ",".join(chosen)
        with self._lock:
            if key not in self._opened:
                self._opened[key] = Fallback({name: partial(self.get, name) for name in chosen})
            found = self._opened[key]
        assert isinstance(found, Fallback)
        return found

    def resilient(self, name: str, space: Space | None = None) -> Embedder:
        """A model, with those behind it in the fallback chain to stand in for it where their space is its own.

        `space`: what it was when the caller's set was made.
        """
        names = self.config.embeddings.fallback_chain
        if name not in names[:-1]:
            return self.get(name)
        chain = self.chain(names[names.index(name) :])
        if space:
            chain.assume(space)
        return chain

    def health(self, names: Iterable[str] | None = None) -> dict[str, Health]:
        """Each model asked for one vector, all at once."""
        from concurrent.futures import ThreadPoolExecutor

        chosen = list(names) if names is not None else self.names()
        with ThreadPoolExecutor(max(1, min(16, len(chosen)))) as pool:
            return dict(zip(chosen, pool.map(self._health, chosen), strict=True))

    def close(self) -> None:
        """Close whatever was opened. It may be used again."""
        with self._lock:
            opened, self._opened = list(self._opened.values()), {}
            cache = self.__dict__.pop("cache", None)
        _close(opened)
        if cache:
            cache.close()

    def __enter__(self) -> Registry:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _new_budget(self) -> Budget | None:
        cap = self.config.embeddings.spend_cap_usd
        if cap is None:
            return None
        from embassay.embedders.wrap.capped import Budget

        return Budget(cap)

    def _check_names(self) -> None:
        """Raises ConfigError for names that lead nowhere, or that could not be told from a model at a precision."""
        embeddings = self.config.embeddings
        wanted = {"default_model": [embeddings.default_model], "fallback_chain": embeddings.fallback_chain}
        for name in self._settings:
            if parse_reference(name).options:
                raise ConfigError(f"a model cannot be called {name!r}: that is a model at a precision or dimensions.")
        for key, names in wanted.items():
            for name in filter(None, names):
                base = parse_reference(name).base
                known = base in self._settings or "/" in base or base in ("hash", LOCAL)
                if not known and not self._cards_for(base).get(base):
                    hint = (
                        did_you_mean(base, self._settings)
                        if self._settings
                        else "Write provider/model, or add it to models."
                    )
                    raise ConfigError(f"{key} names {name!r}, which is no model.", remedy=hint)

    @cached_property
    def catalog(self) -> Catalog:
        from embassay.catalog.catalog import shipped

        files = self.config.card_files()
        return shipped().with_files(files) if files else shipped()

    def _cards_for(self, name: str) -> Catalog:
        """A catalog that has whatever is known of `name`."""
        from embassay.catalog.catalog import shipped_for

        return self.catalog if self.config.cards else shipped_for(name)

    @cached_property
    def cache(self) -> VectorCache:
        from embassay.models.cache import VectorCache

        return VectorCache(self.cache_file(), int(self.config.cache.max_gb * 1e9))

    def cache_file(self) -> Path:
        """As configured, else the home's, else one for the user."""
        if self.config.cache.path:
            root = self.config.file.parent if self.config.file else Path()
            return root / Path(self.config.cache.path).expanduser()
        return self._cache_file or user_cache()

    def _open(self, name: str) -> Embedder:
        from embassay.embedders.wrap.coalesced import Coalesced

        embedder = self._made(name, partial(self._guarded, name))
        if parse_reference(name).base in self._registered:
            return embedder
        embedder = Coalesced(embedder)
        if self.config.glossary.terms:
            from embassay.embedders.wrap.glossary import Expanded

            embedder = Expanded(embedder, self.config.glossary)
        return embedder

    def _guarded(self, name: str, embedder: Embedder) -> Embedder:
        """Below a cap on what is spent, and behind the cache: whole vectors are kept, whatever they are cut to."""
        settings = self.settings(name)
        if embedder.remote and self.budget:
            from embassay.embedders.wrap.capped import Capped

            embedder = Capped(embedder, self.budget)
        usual = embedder.remote or self._cache_local
        if usual if settings.cache_enabled is None else settings.cache_enabled:
            from embassay.embedders.wrap.cached import Cached

            embedder = Cached(embedder, self.cache, settings.cache_ttl)
        return embedder

    def _made(self, name: str, guard: Callable[[Embedder], Embedder]) -> Embedder:
        """The provider's embedder behind `guard`, asked for fewer dimensions where that is possible, else cut here."""
        from embassay.embedders.wrap.cut import Cut, check_dimensions

        reference = parse_reference(name)
        if reference.base in self._registered:
            if reference.options:
                raise UsageError(f"{reference.base} was registered as it is: {name} cannot be made of it.")
            return self._registered[reference.base]()
        settings, card = self.settings(name), self.card(name)
        module, wanted = plugins.load(PROVIDERS, settings.provider), settings.dimensions
        if wanted is not None and settings.provider != "hash":
            check_dimensions(name, wanted, card)
        if wanted is None or getattr(module, "sizes", lambda *_: False)(settings, card):
            return guard(module.open_embedder(settings, card))
        whole = guard(module.open_embedder(msgspec.structs.replace(settings, dimensions=None), card))
        return Cut(whole, wanted, layer_norm=bool(card and card.matryoshka_layer_norm))

    def _from_id(self, reference: Reference) -> Settings:
        try:
            provider, model = provider_of(reference.base, self._cards_for(reference.base))
        except ModelNotFound as error:
            names = self.names()
            remedy = did_you_mean(reference.base, names) if names else error.remedy
            raise ModelNotFound(error.message, remedy=remedy) from None
        raw = {"provider": provider, "model_id": model, **reference.options}
        return self._checked(reference.base, raw)

    def _checked(self, name: str, raw: dict[str, Any]) -> Settings:
        """Raises ConfigError or PluginError that names the model and the key."""
        provider = raw.get("provider", LOCAL)
        module = plugins.load(PROVIDERS, str(provider))
        where = f"{self.config.file or 'settings'}, model {name!r}"
        settings: Settings = checked(raw, module.Settings, where)
        return settings

    def _health(self, name: str) -> Health:
        try:
            return self.get(name).health()
        except EmbassayError as error:
            return Health(False, 0.0, str(error))


def _close(embedders: Iterable[Embedder]) -> None:
    """All of them, whatever one of them says."""
    for embedder in embedders:
        with suppress(EmbassayError, RuntimeError):
            embedder.close()


def user_cache() -> Path:
    """Of this user: ``$XDG_CACHE_HOME/embassay/cache.db``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "embassay" / "cache.db"
