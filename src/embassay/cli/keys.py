"""What the commands about keys share."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from embassay.cli import common
from embassay.cli.tables import line

if TYPE_CHECKING:
    from embassay.server.keys.key import ApiKey
    from embassay.server.keys.store import KeyStore


@contextmanager
def opened_keys(home: Path | None, *, create: bool = False) -> Iterator[KeyStore]:
    """The keys of a home, which is made where it is missing with `create`, for a key to be made.

    Raises HomeNotFound, and ConfigNotAgreed where a home was found whose keys are not the user's own.
    """
    from embassay.config.reading import load_config
    from embassay.server.keys.store import KeyStore
    from embassay.server.keys.trust import check_own, claim
    from embassay.sets.folder import find_home, is_named, made_home

    if create:
        load_config()  # no server starts with one that is wrong, and a command that fails leaves nothing behind
    store = KeyStore((made_home(home) if create else find_home(home)).folder)
    try:
        if create and not is_named(home):
            check_own(store)
        is_first = create and not store.all()
        yield store
        if is_first:
            claim(store)
    finally:
        store.close()


def check_found_keys(home: Path | None) -> None:
    """Raises ConfigNotAgreed for a home that was found, and not named, whose keys are not the user's own."""
    from embassay.server.keys.store import KeyStore
    from embassay.server.keys.trust import check_own
    from embassay.sets.folder import find_home, is_named

    if is_named(home):
        return
    store = KeyStore(find_home(create=True).folder)
    try:
        check_own(store)
    finally:
        store.close()


def facts_of(key: ApiKey) -> dict[str, object]:
    """What is known of a key, for programs."""
    grant = key.grant
    return {
        "id": key.id,
        "name": key.name,
        "right": grant.right,
        "sets": grant.sets,
        "models": grant.models,
        "rpm": grant.rates.requests,
        "tpm": grant.rates.tokens,
        "state": key.state(time.time()),
        "created": key.created,
        "expires": grant.expires,
        "revoked": key.revoked,
    }


def show_new(token: str, about: str) -> None:
    """The key alone on stdout, so that a script can take it, and words about it on stderr."""
    common.messages().print(line(about), soft_wrap=True)
    common.console().print(token, soft_wrap=True)
