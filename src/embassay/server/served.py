"""The models that clients may name: those of the configuration, of the sets, and the default one, and no others.

A client never makes the server load a folder, ask a hub or send a text to a service that its owner did not name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.errors import EmbassayError, HomeNotFound, ModelNotFound
from embassay.models.reference import parse_reference
from embassay.text import nearest_names, one_of

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.home import Home
    from embassay.server.keys.principal import Principal
    from embassay.session import Session

LOOKED_UP_SECONDS = 2.0
"""How often the sets are asked for their models at most."""
LATEST = ":latest"
"""A tag that some clients put behind each name."""


class ServedModels:
    """Names that clients use, and the models behind them. Threads may share it."""

    def __init__(self, home: Home, session: Session) -> None:
        self._home, self._session = home, session
        self._lock = threading.Lock()
        self._names: dict[str, str] = {}
        self._looked = -LOOKED_UP_SECONDS
        self._ready: dict[str, Embedder] = {}

    @property
    def default(self) -> str:
        """The model that is meant where a client names none."""
        return self._session.models.default_name

    def names(self, principal: Principal) -> list[str]:
        """The models that `principal` may use, each by one name."""
        self._look()
        return sorted({name for name in self._names.values() if principal.may("read", model=name)})

    def find(self, name: str, principal: Principal) -> str:
        """The model that a client calls `name`; without a name, the default one. Raises ModelNotFound, NotAllowed."""
        name = name or self.default
        reference = parse_reference(name)
        known = self._known(reference.base)
        if known is None:
            raise self._unknown(name, principal)
        principal.check("read", model=known)
        return known + name[len(reference.base) :] if reference.options else known

    def find_reranker(self, name: str, principal: Principal) -> str:
        """The same for rerankers, of which the configuration names those that are served."""
        rerankers = self._session.models.rerankers
        configured = self._session.config.reranking
        chosen = name or configured.default_model
        if chosen not in {*configured.models, configured.default_model} - {""}:
            told = one_of(sorted({*configured.models, configured.default_model} - {""}))
            setting = remedy.setting("reranking", "{models: {NAME: {provider: local, model_id: ...}}}", say="Set {}.")
            raise ModelNotFound(f"no reranker {name!r} is served.", remedy=told or setting)
        principal.check("read", model=chosen)
        rerankers.settings(chosen)
        return chosen

    def ready(self, served: str) -> Embedder | None:
        """A model that was opened before; None where opening it may take a while."""
        return self._ready.get(served)

    def open(self, served: str) -> Embedder:
        """Open a model, as far as its first text would have to wait for. Raises ModelError, ConfigError."""
        embedder = self._session.models.get(served)
        embedder.check_ready()
        embedder.tokens.max_tokens  # noqa: B018 - its tokenizer is loaded
        if not embedder.remote:
            embedder.space  # noqa: B018 - and its weights are hashed
        with self._lock:
            self._ready[served] = embedder
        return embedder

    def loaded(self) -> list[tuple[str, Embedder]]:
        """The models that are open, for whoever unloads those that nobody needs."""
        with self._lock:
            return [*self._ready.items()]

    def forget(self, served: str) -> None:
        """A model was unloaded: whoever asks for it next waits until it is loaded again."""
        with self._lock:
            self._ready.pop(served, None)

    def _known(self, base: str) -> str | None:
        found = self._names.get(base)
        if found is None:
            self._look()
            found = self._names.get(base) or self._names.get(base.removesuffix(LATEST))
        return found

    def _look(self) -> None:
        with self._lock:
            if time.monotonic() - self._looked < LOOKED_UP_SECONDS:
                return
            self._looked = time.monotonic()
            self._names = self._gathered()

    def _gathered(self) -> dict[str, str]:
        """Every name that leads to a model, and what the registry calls that."""
        models = self._session.models
        served = [*models.names(), self.default, *self._of_sets()]
        names: dict[str, str] = {}
        for name in dict.fromkeys(served):
            for other in self._also_called(name):
                names.setdefault(other, name)
        return names | {name: name for name in models.names()}

    def _of_sets(self) -> Iterator[str]:
        try:
            for name in self._home.sets():
                yield parse_reference(self._home.set(name).spec().model).base
        except HomeNotFound:
            return

    def _also_called(self, name: str) -> Iterator[str]:
        yield name
        yield name.rpartition("/")[2]
        try:
            card = self._session.models.card(name)
        except EmbassayError:
            return
        if card is not None:
            yield card.id
            yield from card.aliases

    def _unknown(self, name: str, principal: Principal) -> ModelNotFound:
        served = self.names(principal)
        near = nearest_names(name, served)
        told = one_of(near) if near else f"There are: {', '.join(served)}."
        return ModelNotFound(f"the model {name!r} is not served here.", remedy=told)
