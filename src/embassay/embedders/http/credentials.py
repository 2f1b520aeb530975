"""What a provider is told besides texts: a key and headers, where they come from, and how they stay hidden."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol
from urllib.parse import parse_qsl, urlsplit

from embassay import remedy
from embassay.config.references import expand, is_set, references
from embassay.config.secrets import is_secret
from embassay.embedders.http.destination import Destination
from embassay.errors import EmbassayError, KeyMissing

if TYPE_CHECKING:
    from embassay.embedders.settings import HttpSettings

NO_KEY = "none"
"""As a setting: nothing is sent, whatever the environment holds."""
SHORT = 3
"""A secret of no more characters is not hidden in messages: it would hide ordinary words."""


class Keyed(Destination, Protocol):
    """Who is told a key; `Api` is one."""

    key_variables: ClassVar[Sequence[str]]

    def needs_key(self) -> bool:
        """Whether nothing can be sent without a key."""


@dataclass(frozen=True, slots=True)
class Told:
    """A key, which may be empty, and headers, as they are sent."""

    key: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SecretUse:
    """One secret that a model's provider would be told. Its value is not part of this."""

    secret: str
    """Where it comes from: the name of a variable, a reference, or words for one that stands in the file."""
    carried_by: str
    """``api_key``, or ``header NAME``, or ``base_url``."""
    to: str
    """Scheme, host and port."""
    is_set: bool

    def to_dict(self) -> dict[str, object]:
        """The fields, as JSON has them."""
        return {"secret": self.secret, "carried_by": self.carried_by, "to": self.to, "set": self.is_set}


def read_key(settings: HttpSettings, variables: Sequence[str], name: str) -> str:
    """The key as set or from the environment, empty where there is none. Raises ConfigError, PluginError."""
    settings.check_agreed()
    if settings.api_key == NO_KEY:
        return ""
    if settings.api_key:
        return expand(settings.api_key, f"api_key of {name}")
    return next((os.environ[variable] for variable in variables if os.environ.get(variable)), "")


class Credentials:
    """The credentials of one connection, read when they are first needed. Threads may share them."""

    def __init__(self, api: Keyed, name: str) -> None:
        self._api, self._settings, self._name = api, api.settings, name
        self._lock = threading.RLock()
        self._told: Told | None = None
        self._seen: set[str] = set()

    def told(self) -> Told:
        """The credentials that requests carry now. Raises KeyMissing, ConfigError."""
        with self._lock:
            if self._told is None:
                self._told = self._read()
            return self._told

    def renewed(self, refused: Told) -> Told | None:
        """What is to be sent after a provider refused `refused`: None where nothing has changed since it was read.

        A key that was rotated is found this way. Several threads may be refused at once: one of them reads.
        """
        with self._lock:
            if self._told is not None and self._told != refused:
                return self._told
            try:
                fresh = self._read()
            except EmbassayError:  # the provider's refusal says more
                return None
            self._told = fresh
            return None if fresh == refused else fresh

    def has_secret(self) -> bool:
        """Whether anything is sent that others must not read. Raises as `told` does."""
        return bool(self.told().key) or any(self._in_settings())

    def uses(self, to: str) -> list[SecretUse]:
        """Every secret that would be sent to the origin `to`; nothing is read for it."""
        settings = self._settings
        named: list[tuple[str, str, bool]] = []
        if settings.api_key and settings.api_key != NO_KEY:
            named += _named(settings.api_key, "api_key", "a key in the file")
        elif not settings.api_key:
            variables = [v for v in self._api.key_variables if os.environ.get(v)]
            wanted = self._api.key_variables if self._api.needs_key() else ()
            named += [(v, "api_key", bool(variables)) for v in (variables or wanted)[:1]]
        named += self._in_settings()
        return [SecretUse(secret, carried_by, to, there) for secret, carried_by, there in named]

    def hushed(self, text: str) -> str:
        """`text` without keys and passwords, which services and libraries repeat in their messages."""
        for secret in sorted(self._secrets(), key=len, reverse=True):  # longest first, so that none is left in part
            for form in (secret, secret.replace("/", "\\/")):
                text = text.replace(form, "***")
        return text

    def _read(self) -> Told:
        key = read_key(self._settings, self._api.key_variables, self._name)
        if not key and self._api.needs_key():
            names = self._api.key_variables
            raise KeyMissing(f"{self._name} needs a key.", remedy=remedy.environment(names[0]))
        if not key.isascii() or any(c.isspace() or not c.isprintable() for c in key):
            raise KeyMissing(f"the key of {self._name} holds characters that no key has.", remedy="Set it again.")
        headers = {n: expand(v, f"header {n} of {self._name}") for n, v in self._settings.headers.items()}
        self._seen |= {key, *headers.values()}
        return Told(key, headers)

    def _in_settings(self) -> Iterator[tuple[str, str, bool]]:
        """(secret, carried by, whether it is set) of headers and of the address."""
        for name, value in self._settings.headers.items():
            if references(value) or is_secret(name):
                yield from _named(value, f"header {name}", "a value in the file")
        address = urlsplit(self._api.base_url())
        if "@" in address.netloc or any(is_secret(name) for name, _ in parse_qsl(address.query)):
            yield "a password in the address", "base_url", True

    def _secrets(self) -> set[str]:
        """Every text that must not be shown in a message."""
        with suppress(EmbassayError):
            self.told()
        address = urlsplit(self._api.base_url())
        values = {value for name, value in parse_qsl(address.query) if is_secret(name)}
        seen = {*self._seen, *values, address.password or ""}
        seen |= {text.partition(" ")[2] for text in self._seen}  # "Bearer ..."
        return {secret for secret in seen if len(secret) > SHORT}


def _named(value: str, carried_by: str, otherwise: str) -> list[tuple[str, str, bool]]:
    named = references(value)
    return [(one, carried_by, is_set(value)) for one in named] or [(otherwise, carried_by, True)]
