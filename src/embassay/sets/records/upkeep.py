"""What every call that writes records does behind its writing: it keeps searches fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from embassay.stores.base import Store

MANY = 4096
"""Changed rows of one call from which on the store is brought up to date as thoroughly as behind an index run."""


def keep_fast(store: Store, changed: int) -> None:
    """Have the store do what keeps searches fast, behind a call that changed so many rows."""
    if changed:
        store.optimise(thorough=changed >= MANY)
