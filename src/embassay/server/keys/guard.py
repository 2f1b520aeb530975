"""The one who is asked of each request: may it come in, who makes it, and may they take so much.

    guard = Guard(home.folder, Entrance.of("127.0.0.1"))
    principal = guard.admit(scope["headers"], peer)        # who it is; raises KeyRefused and its kin
    principal.check("read", set="docs")                    # what they may do; raises NotAllowed, SetNotFound
    taken = guard.charge(principal, tokens=estimate)       # before the work; raises LimitReached, RequestTooLarge
    taken.settle(tokens)                                   # once the tokens are counted
    guard.headers(principal)                               # for the answer: what is left of the limits

All of it is plain computation of microseconds: it may be called in an event loop.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from embassay import remedy
from embassay.errors import UsageError
from embassay.server.keys import rates
from embassay.server.keys.audit import AUDIT_FILE, AuditLog
from embassay.server.keys.entrance import Caller, Entrance, is_loopback
from embassay.server.keys.heads import Heads, read_heads
from embassay.server.keys.key import NO_DIGEST, ApiKey, digest_of, id_of, is_same
from embassay.server.keys.principal import ANYONE, Principal
from embassay.server.keys.store import KeyStore
from embassay.server.keys.use import Use, UseFile
from embassay.server.refusals import KeyRefused, LimitReached, RequestTooLarge

Headers = Iterable[tuple[bytes, bytes]]
"""Of a request, as ASGI has them: names in small letters."""


class Guard:
    """Of one server. Threads may share it."""

    def __init__(
        self,
        folder: Path | None = None,
        entrance: Entrance | None = None,
        warn: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`folder`: of the home whose keys let in; without one there are none. `warn` is told what whoever runs the
        server has to know. The clocks are for tests: seconds since 1970, and seconds since the machine was started."""
        self.entrance = entrance or Entrance()
        self.store = KeyStore(folder, clock, warn) if folder else None
        self.use = self.store.use if self.store else UseFile(None)
        self.audit = AuditLog(folder / AUDIT_FILE if folder else None, warn, clock)
        self._clock, self._monotonic = clock, monotonic
        self._principals: dict[str, tuple[ApiKey, Principal]] = {}
        self._seen: dict[int, Use] = {}
        """The rows of limited keys as this server wrote them last."""

    @property
    def needs_keys(self) -> bool:
        """Whether any key was ever made: from then on none but their holders are let in. Raises KeysError."""
        return self.store is not None and bool(self.store.current())

    @property
    def open_to_all(self) -> bool:
        """Whether whoever is on this machine is let in without a key."""
        return not self.needs_keys and is_loopback(self.entrance.host)

    def check_binding(self) -> None:
        """Raises UsageError for a server that others can reach and nobody needs a key for."""
        if self.needs_keys or is_loopback(self.entrance.host):
            return
        raise UsageError(
            f"other machines can reach {self.entrance.host}, and no key was made: anybody could use the server.",
            remedy=remedy.command("keys create", "NAME", say="Make a key first")
            + remedy.option("host", "127.0.0.1", say="or listen on this machine alone: {}."),
        )

    def enter(self, headers: Headers, peer: str | None) -> tuple[Heads, Caller]:
        """What every request has to pass, also one for which no key is needed.

        `peer`: the address that it comes from; None for a Unix socket. Raises RequestInvalid, HostRefused,
        OriginRefused.
        """
        heads = read_heads(headers)
        return heads, self.entrance.check(heads, peer)

    def admit(self, headers: Headers, peer: str | None) -> Principal:
        """Who makes a request; `ANYONE` where no key is needed. Raises as `enter`, and KeyRefused, KeysError."""
        heads, caller = self.enter(headers, peer)
        return self.principal_of(heads.token, caller)

    def principal_of(self, token: str, caller: Caller) -> Principal:
        """Whose key this is. Raises KeyRefused, KeysError."""
        keys = self.store.current() if self.store else {}
        if not keys:
            if caller.is_near:
                return ANYONE
            raise KeyRefused("this server has no keys, so that it answers to its own machine alone.", remedy=_MAKE)
        if not token:
            raise KeyRefused("this server needs a key, and the request has none.", remedy=_SEND + _MAKE)
        key_id = id_of(token)
        key = keys.get(key_id) if key_id else None
        digest = digest_of(token)
        if key is None or not is_same(digest, key.digest):
            self._check_old(digest, key)
        assert key is not None
        if (state := key.state(self._clock())) != "live":
            said = f"the key {key.name} {'was revoked' if state == 'revoked' else 'has expired'}."
            raise KeyRefused(said, remedy=_MAKE, key=key.id)
        made = self._principals.get(key.id)
        if made is None or made[0] is not key:
            made = self._principals[key.id] = key, key.principal()
        return made[1]

    def charge(self, principal: Principal, requests: int = 1, tokens: int = 0) -> Taken:
        """Take from the limits of a key, all of it or nothing, before the work is done.

        `tokens` may be an estimate, for `Taken.settle` to put right. Raises LimitReached, which says from when on there
        is enough, and RequestTooLarge for more tokens than the limit ever holds.
        """
        if not principal.slot:
            return _FREE
        if not principal.rates.is_limited:
            self.use.count(principal.slot, principal.id, requests, tokens, self._clock())
            return Taken(self, principal, tokens)
        limit = principal.rates.tokens
        if limit is not None and tokens > limit:
            raise RequestTooLarge(
                f"the request has about {tokens:,} tokens, and the key {principal.name} may use {limit:,} a minute.",
                remedy="Send fewer or shorter texts in one request.",
            )

        def take(use: Use) -> Use:
            now = self._monotonic()
            return Use(
                self._taken(principal, "requests", principal.rates.requests, use.requests_full, now, requests),
                self._taken(principal, "tokens", limit, use.tokens_full, now, tokens),
                use.requests + requests,
                use.tokens + tokens,
                self._clock(),
            )

        self._seen[principal.slot] = self.use.change(principal.slot, principal.id, take)
        return Taken(self, principal, tokens)

    def settle(self, principal: Principal, charged: int, tokens: int) -> None:
        """Have `tokens` counted in place of those that were `charged`. What is more is owed: later requests wait."""
        limit, more = principal.rates.tokens, tokens - charged
        if not principal.slot or not more:
            return
        if not principal.rates.is_limited:
            self.use.count(principal.slot, principal.id, 0, more, self._clock())
            return
        now = self._monotonic()

        def put_right(use: Use) -> Use:
            full = use.tokens_full if limit is None else rates.after(use.tokens_full, now, more, limit)
            return replace(use, tokens_full=full, tokens=max(0, use.tokens + more))

        self._seen[principal.slot] = self.use.change(principal.slot, principal.id, put_right)

    def headers(self, principal: Principal) -> Sequence[tuple[str, str]]:
        """What is left of the limits of a key, as OpenAI's headers say it; nothing for a key without limits."""
        if not principal.rates.is_limited:
            return ()
        use, now = self._seen.get(principal.slot) or self.use.read(principal.slot, principal.id), self._monotonic()
        made: list[tuple[str, str]] = []
        for what, limit, full in (
            ("requests", principal.rates.requests, use.requests_full),
            ("tokens", principal.rates.tokens, use.tokens_full),
        ):
            if limit is not None:
                left = rates.left_over(full, now, limit)
                made += [
                    (f"x-ratelimit-limit-{what}", str(limit)),
                    (f"x-ratelimit-remaining-{what}", str(left.remaining)),
                    (f"x-ratelimit-reset-{what}", rates.spoken(left.reset)),
                ]
        return made

    def close(self) -> None:
        """Close the files of keys and of their use, and write down what the audit log only counted."""
        self.audit.close()
        if self.store:
            self.store.close()

    def _taken(self, principal: Principal, what: str, limit: int | None, full: float, now: float, amount: int) -> float:
        """When a bucket is full once `amount` is taken. Raises LimitReached."""
        if limit is None or not amount:
            return full
        if wait := rates.wait_for(full, now, amount, limit):
            left = rates.left_over(full, now, limit).remaining
            raise LimitReached(
                f"the key {principal.name} may use {limit:,} {what} a minute: {left:,} are left, not {amount:,}.",
                wait=wait,
                retry_at=self._clock() + wait,
            )
        return rates.after(full, now, amount, limit)

    def _check_old(self, digest: bytes, key: ApiKey | None) -> None:
        """Raises KeyRefused unless `digest` is that of the secret before, which is good for a while."""
        old = is_same(digest, key.old_digest if key else NO_DIGEST)
        if key is None or not old:
            raise KeyRefused("the key is not known to this server.", remedy=_MAKE)
        if self._clock() >= key.old_until:
            said = f"this secret of the key {key.name} was replaced by another."
            raise KeyRefused(said, remedy="Use the new one.", key=key.id)


class Taken:
    """What a request has taken from the limits of its key before its tokens were counted."""

    __slots__ = ("_guard", "_principal", "tokens")

    def __init__(self, guard: Guard | None, principal: Principal, tokens: int) -> None:
        """`tokens` that were charged; `guard` None: there is nothing to put right."""
        self._guard, self._principal, self.tokens = guard, principal, tokens

    def settle(self, tokens: int) -> None:
        """The request has so many tokens: none for one that came to nothing."""
        if self._guard is not None:
            self._guard.settle(self._principal, self.tokens, tokens)
            self.tokens = tokens


_FREE = Taken(None, ANYONE, 0)
_SEND = remedy.say("Send it as Authorization: Bearer KEY.")
_MAKE = remedy.command("keys create", "NAME", say="Whoever runs the server makes one")
