"""The models that clients may name: those of the configuration, of the sets, and the default one, and no others.

A client never makes the server load a folder, ask a hub or send a text to a service that its owner did not name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from embassay import remedy
from embassay.errors import EmbassayError, HomeNotFound, ModelError, ModelNotFound, SetNotFound
from embassay.models.reference import parse_reference
from embassay.text import nearest_names, one_of

if TYPE_CHECKING:
    from embassay.embedders.base import Embedder
    from embassay.home import Home
    from embassay.server.keys.principal import Principal
    from embassay.session import Session

LOOKED_UP_SECONDS = 2.0
"""How often the sets are asked for their models at most."""
LONGEST_NAME = 300
"""Characters of a name that a model may have."""
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
        self._tasks: dict[str, Mapping[str, str]] = {}
        self._of_task: dict[tuple[str, str], str] = {}
        self._kept: dict[str, float] = {}
        self._hosted: dict[str, str] = {}

    @property
    def default(self) -> str:
        """The model that is meant where a client names none."""
        return self._session.models.default_name

    def names(self, principal: Principal) -> list[str]:
        """The models that `principal` may use, each by one name."""
        self.look()
        return sorted({name for name in self._names.values() if self.allows(principal, name)})

    def allows(self, principal: Principal, known: str) -> bool:
        """Whether a key is for this model, by whatever name the key has it."""
        named = principal.models
        return named is None or known in named or any(self._names.get(name) == known for name in named)

    def find(self, name: str, principal: Principal) -> str:
        """The model that a client calls `name`; without a name, the default one. Raises ModelNotFound, NotAllowed."""
        name = name or self.default
        _check_length(name)
        reference = parse_reference(name)
        known = self._known(reference.base)
        if known is None:
            raise self._unknown(name, principal)
        if not self.allows(principal, known):
            principal.check("read", model=known)
        return known + name[len(reference.base) :] if reference.options else known

    def find_reranker(self, name: str, principal: Principal) -> str:
        """The same for rerankers, of which the configuration names those that are served; the only one is the default.

        Raises ModelNotFound, NotAllowed.
        """
        _check_length(name)
        configured = self._session.config.reranking
        known = sorted({*configured.models, configured.default_model} - {""})
        chosen = name or configured.default_model or (known[0] if len(known) == 1 else "")
        if chosen not in known:
            said = f"no reranker {name!r} is served." if name else "no reranker is served."
            if known and not name:
                said = "there is no default reranker."
            setting = remedy.setting("reranking", "{models: {NAME: {provider: local, model_id: ...}}}", say="Set {}.")
            raise ModelNotFound(said, remedy=one_of(known) if known else setting)
        principal.check("read", model=chosen)
        self._session.models.rerankers.settings(chosen)
        return chosen

    def called(self, principal: Principal) -> dict[str, str]:
        """Every name that leads to a model which `principal` may use, and what that model is called here."""
        self.look()
        return {name: served for name, served in self._names.items() if self.allows(principal, served)}

    def chain(self, name: str, principal: Principal) -> list[str]:
        """The models that may stand in for `name`, itself first; without a name, the configured ones.

        Those that `principal` may not use are left out. Raises ModelNotFound, NotAllowed.
        """
        configured = self._session.config.embeddings.fallback_chain
        names = [self.find(name, principal)] if name else []
        names += [other for other in configured if other not in names]
        return [one for one in names if self.allows(principal, parse_reference(one).base)]

    def tasks(self, served: str) -> Mapping[str, str]:
        """The tasks other than search for which the card of a model has a prompt, and those prompts."""
        known = self._tasks.get(served)
        if known is None:
            card = self._session.models.card(served)
            known = self._tasks[served] = card.task_prompts if card else {}
        return known

    def for_task(self, served: str, task: str) -> str | None:
        """The same model with the prompt of a task before each text, by a name of its own; None where it has none."""
        prompt = self.tasks(served).get(task)
        if prompt is None:
            return None
        with self._lock:
            name = self._of_task.get((served, task))
            if name is None:
                name = self._of_task[served, task] = f"{served}#{task}"
                settings = self._session.models.settings(served)
                prompted = msgspec.structs.replace(settings, query_prompt=prompt, document_prompt=prompt)
                self._session.models.register(name, prompted)
        return name

    def host_of(self, set: str) -> str:
        """The model of a set, where texts leave this machine for it; else empty, and for a set not seen yet."""
        return self._hosted.get(set, "")

    def look(self) -> None:
        """Look at the sets again, unless that was done just now."""
        with self._lock:
            if time.monotonic() - self._looked < LOOKED_UP_SECONDS:
                return
            self._looked = time.monotonic()
            self._names = self._gathered()

    def ready(self, served: str) -> Embedder | None:
        """A model that was opened before; None where opening it may take a while."""
        return self._ready.get(served)

    def open(self, served: str) -> Embedder:
        """Open a model, as far as its first text would have to wait for. Raises ModelError, ConfigError."""
        try:
            return self._opened(served)
        except ModelNotFound as error:  # it is served by this name: what is not there are its weights
            raise ModelError(f"the model {served} cannot be loaded: {error.message}") from error

    def _opened(self, served: str) -> Embedder:
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

    def keep(self, served: str, seconds: float) -> None:
        """Keep a model loaded for so long after it was used last, instead of as long as the server keeps others."""
        self._kept[served] = seconds

    def keep_alive(self, served: str, default: float) -> float:
        """For how long a model stays loaded that nobody asks."""
        return self._kept.get(served, default)

    def forget(self, served: str) -> None:
        """A model was unloaded: whoever asks for it next waits until it is loaded again."""
        with self._lock:
            self._ready.pop(served, None)

    def _known(self, base: str) -> str | None:
        found = self._names.get(base)
        if found is None:
            self.look()
            found = self._names.get(base) or self._names.get(base.removesuffix(LATEST))
        return found

    def _gathered(self) -> dict[str, str]:
        """Every name that leads to a model, and what the registry calls that."""
        models = self._session.models
        own = {*models.names()} - {*self._of_task.values()}
        chain = self._session.config.embeddings.fallback_chain
        served = [*sorted(own), self.default, *(parse_reference(name).base for name in chain), *self._of_sets()]
        names: dict[str, str] = {}
        for name in dict.fromkeys(served):
            for other in self._also_called(name):
                names.setdefault(other, name)
        return names | {name: name for name in own}

    def _of_sets(self) -> Iterator[str]:
        hosted: dict[str, str] = {}
        with suppress(HomeNotFound):
            for name in self._home.sets():
                with suppress(SetNotFound):  # it went just now
                    model = parse_reference(self._home.set(name).spec().model).base
                    yield model
                    if self._is_hosted(model):
                        hosted[name] = model
        self._hosted = hosted

    def _is_hosted(self, model: str) -> bool:
        try:
            return self._session.models.provider(model).remote
        except EmbassayError:
            return False

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


def _check_length(name: str) -> None:
    """Raises ModelNotFound for what is no name: looking for one that is like it would take long."""
    if len(name) > LONGEST_NAME:
        raise ModelNotFound(f"no model has a name of {len(name):,} characters.")
