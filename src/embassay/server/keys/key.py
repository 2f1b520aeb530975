"""A key: what is kept of it, and how the one that a client sends is compared with that.

A key reads ``ek_<id>_<secret>``. The id finds the row; the secret is 32 random bytes. What is kept is the SHA-256 of
the whole key: a password needs a slow hash because it can be guessed, and 256 random bits cannot, however fast each
guess is, so that a slow hash would only make every request slow. The id is part of what is hashed, so that the hash of
one row fits no other.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Literal

from embassay.server.keys.principal import Principal, Right
from embassay.server.keys.rates import UNLIMITED, PerMinute

PREFIX = "ek"
ID_BYTES, SECRET_BYTES = 6, 32
NO_DIGEST = bytes(32)
"""What a key of no row is compared with, so that it takes as long; no key has this hash."""
State = Literal["live", "expired", "revoked"]
_FORM = re.compile(rf"{PREFIX}_([0-9a-f]{{{2 * ID_BYTES}}})_[0-9a-f]{{{2 * SECRET_BYTES}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Grant:
    """What a key is for."""

    right: Right = "read"
    sets: tuple[str, ...] | None = None
    """None for all, those of later too."""
    models: tuple[str, ...] | None = None
    rates: PerMinute = UNLIMITED
    expires: float | None = None
    """Seconds since 1970."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One row of the store: everything but the key itself, which nobody has but whoever was shown it."""

    slot: int
    id: str
    name: str
    grant: Grant
    created: float
    digest: bytes
    old_digest: bytes = NO_DIGEST
    """Of the secret before it was rotated."""
    old_until: float = 0.0
    """Until when that one is good as well."""
    revoked: float | None = None

    def state(self, now: float) -> State:
        """Whether it lets anybody in at the moment `now`, in seconds since 1970."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.grant.expires is not None and now >= self.grant.expires else "live"

    def principal(self) -> Principal:
        """Whoever holds it."""
        grant = self.grant
        sets, models = (None if names is None else frozenset(names) for names in (grant.sets, grant.models))
        return Principal(self.id, self.name, grant.right, sets, models, grant.rates, self.slot)


def new_id() -> str:
    """The id of a new key."""
    return secrets.token_hex(ID_BYTES)


def new_token(key_id: str) -> str:
    """A new key with this id, to be shown once."""
    return f"{PREFIX}_{key_id}_{secrets.token_hex(SECRET_BYTES)}"


def id_of(token: str) -> str | None:
    """The id in a key; None for what cannot be one."""
    found = _FORM.fullmatch(token)
    return found[1] if found else None


def digest_of(token: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).digest()


def is_same(digest: bytes, kept: bytes) -> bool:
    """Whether two hashes are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(digest, kept)
