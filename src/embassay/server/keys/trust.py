"""Whose keys lie in a home that was found, and not named: it may have come with a checkout, and its keys with it.

Whoever makes the first key of a home has that written down in the user's own state folder. A home that was found by
walking up, whose keys nobody of this user made there, is served to their holders only once the user names it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from embassay import remedy
from embassay.config.agreement import agree, digest_of, standing
from embassay.errors import ConfigNotAgreed, EmbassayError
from embassay.server.keys.key import ApiKey
from embassay.server.keys.store import KeyStore


def claim(store: KeyStore) -> None:
    """The keys of this home are the user's own: the first one was just made."""
    with suppress(EmbassayError):  # without a state folder the home has to be named
        agree(store.file.path, _mark(store.all()))


def check_own(store: KeyStore) -> None:
    """Raises ConfigNotAgreed where a home has keys that were made elsewhere, or by somebody else."""
    keys = store.all()
    if keys and standing(store.file.path, _mark(keys)) != "agreed":
        raise ConfigNotAgreed(
            f"{store.file.path} was found here, and has keys that you have not made here: {_named(keys)}.",
            remedy=remedy.option("home", str(store.file.path.parent), say="If they are yours, name the home: {}"),
        )


def _mark(keys: Iterable[ApiKey]) -> str:
    """What stays of a file of keys, whatever is done to them: its first key."""
    first = min(keys, key=lambda key: key.slot)
    return digest_of(f"{first.id} {first.created!r}".encode())


def _named(keys: list[ApiKey]) -> str:
    names = sorted({key.name for key in keys if key.revoked is None})
    return f"{', '.join(names[:5])}{', ...' if len(names) > 5 else ''}" if names else "none that is not revoked"
