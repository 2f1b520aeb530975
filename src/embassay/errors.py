"""Every error embassay raises on purpose, as one tree.

    EmbassayError
    ├── UsageError            the call makes no sense as it stands
    │   ├── FilterError       a filter expression that cannot be read
    │   ├── QueryError        an empty or oversized query
    │   ├── JudgedSetError    judged files that do not hold together
    │   ├── ConfigError       embassay.yaml or the environment says something that cannot be
    │   │   └── ConfigNotAgreed   a file that was found asks for what it has to be agreed to first
    │   └── CardError         a model's card that cannot be read, or contradicts itself
    ├── PluginError           an unknown name, or one whose extra is not installed
    ├── ModelError
    │   ├── ModelNotFound     no weights under that name
    │   ├── ModelUnsupported  weights this engine cannot run
    │   ├── DigestMismatch    weights that are not what they should be
    │   ├── DownloadFailed    the hub did not deliver
    │   ├── DimensionsRefused dimensions that the model was not trained to be cut to
    │   └── TextTooLong       policy "error" met a text above the token limit
    ├── ProviderError         whoever runs the model did not do what was asked
    │   ├── KeyMissing        no key, so nothing was sent
    │   ├── KeyRejected       the key is wrong, or not allowed to do this
    │   ├── QuotaExhausted    the account has no credit or no requests left
    │   ├── RateLimited       too fast, and still so when the deadline came
    │   ├── ProviderDown      no answer, or a failure on their side, after all retries
    │   ├── RequestRefused    the provider will not take requests of this kind
    │   │   └── TextRefused   it will not take one text; it takes others
    │   ├── BadReply          an answer that cannot be vectors of this model
    │   ├── AllFailed         every member of a chain failed; lists each cause
    │   ├── BillingMismatch   what a service says it billed is not what its requests can have taken
    │   └── SpendCapReached   the next request would cost more than is left
    ├── CacheError            the embedding cache cannot be read or written
    ├── LedgerError           the ledger of what was spent cannot be read or written, so that no cap can be kept
    ├── SpaceMismatch         vectors of two spaces would have met
    ├── HomeError
    │   ├── HomeNotFound      no .embassay/ here or above
    │   ├── HomeNotWritable   permissions, read-only disk, disk full
    │   ├── HomeCorrupt       a state file that is not one
    │   ├── HomeTooNew        written by a later embassay
    │   ├── SetNotFound       no such set in this home
    │   ├── SetInUse          another process writes the set just now
    │   ├── SetMoved          the set was switched to another generation meanwhile
    │   └── MigrationState    a migration is not in the state that was expected
    │       └── MigrationPaused   it cannot go on now, keeps what it has, and can be resumed
    ├── StoreError            the vector store failed; nothing already stored is lost
    │   └── IndexDamaged      a copy that answers searches is damaged; it is made anew of what is stored
    ├── RequestError          a request to the server cannot be answered as it stands; see `embassay.server.refusals`
    ├── Overloaded            too much waits to be computed already
    ├── DeadlinePassed        there was no time to compute it before the deadline of the request
    ├── Interrupted           the work was asked to stop; what it had done is kept
    ├── NotFinite             a result holds NaN or infinity, which JSON does not have
    └── ReadError             one document could not be read; it is quarantined
        └── NotText           it holds no text to read: it is skipped

A message says what was found and what was expected; `remedy` says what mends it. `code` is the name by which a program
knows the error: its class in small letters, as ``set_not_found``. A `UsageError` is mended by whoever made the call;
every other failure lies elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar

from embassay import remedy as remedies
from embassay.remedy import Remedy


class EmbassayError(Exception):
    """Root of the tree."""

    code: ClassVar[str] = "error"
    """Stable: it is never given another meaning."""
    details: ClassVar[tuple[str, ...]] = ()
    """Attributes that say more of the failure to a program, as numbers and words."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if "code" not in vars(cls):
            cls.code = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, message: str, *, remedy: Remedy | str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedies.say(remedy)

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()

    def to_dict(self) -> dict[str, object]:
        """For a program: ``code``, ``message``, ``remedy`` in words, its ``actions`` as fields, and the `details`."""
        actions = [action.to_dict() for action in self.remedy.actions]
        seen = {"code": self.code, "message": self.message, "remedy": str(self.remedy), "actions": actions}
        return seen | {name: getattr(self, name) for name in self.details}


class UsageError(EmbassayError):
    code = "usage"


class FilterError(UsageError):
    pass


class QueryError(UsageError):
    pass


class JudgedSetError(UsageError):
    pass


class ConfigError(UsageError):
    pass


class ConfigNotAgreed(ConfigError):
    pass


class CardError(UsageError):
    pass


class PluginError(UsageError):
    pass


class ModelError(EmbassayError):
    pass


class ModelNotFound(ModelError):
    pass


class ModelUnsupported(ModelError):
    pass


class DigestMismatch(ModelError):
    pass


class DownloadFailed(ModelError):
    pass


class DimensionsRefused(ModelError):
    pass


class TextTooLong(ModelError):
    """Carries the position of the first text above the limit, for the caller to drop or split."""

    details = ("position", "tokens", "limit")

    def __init__(self, position: int, tokens: int, limit: int) -> None:
        super().__init__(
            f"text {position} has {tokens:,} tokens, the model takes {limit:,}.",
            remedy=remedies.option("on_long", "truncate", say="Pass {}")
            + remedies.option("on_long", "split", say="or {} to accept it."),
        )
        self.position = position
        self.tokens = tokens
        self.limit = limit


class ProviderError(EmbassayError):
    """Carries from when on it can be asked again, in seconds since 1970, as far as whoever runs the model said so."""

    def __init__(self, message: str, *, remedy: Remedy | str = "", retry_at: float | None = None) -> None:
        super().__init__(message, remedy=remedy)
        self.retry_at = retry_at


class KeyMissing(ProviderError):
    pass


class KeyRejected(ProviderError):
    pass


class QuotaExhausted(ProviderError):
    details = ("retry_at",)


class RateLimited(ProviderError):
    details = ("retry_at",)


class ProviderDown(ProviderError):
    details = ("retry_at",)


class RequestRefused(ProviderError):
    pass


class TextRefused(RequestRefused):
    """Carries the position of the first text that was refused."""

    details = ("position", "reason")

    def __init__(self, position: int, reason: str) -> None:
        super().__init__(f"text {position} was refused: {reason}")
        self.position = position
        self.reason = reason


class BadReply(ProviderError):
    pass


class AllFailed(ProviderError):
    """`causes` has the error of each member, by name, in the order they were tried."""

    def __init__(self, causes: Mapping[str, EmbassayError]) -> None:
        listed = "; ".join(f"{name}: {error.message.rstrip('.')}" for name, error in causes.items())
        more = remedies.command("models probe", "NAME", say="{} says more.")
        if any(isinstance(error, SpaceMismatch) for error in causes.values()):
            more = remedies.option("allow_other_space", say="{} takes the vectors of another space.") + more
        known = [at for error in causes.values() if (at := getattr(error, "retry_at", None)) is not None]
        super().__init__(f"every model of the chain failed: {listed}.", remedy=more, retry_at=min(known, default=None))
        self.causes = dict(causes)

    def to_dict(self) -> dict[str, object]:
        """As every error, with the error of each member of the chain under ``causes``."""
        return super().to_dict() | {"causes": {name: error.to_dict() for name, error in self.causes.items()}}


class BillingMismatch(ProviderError):
    """Carries what the service says it billed, as it says it, and the tokens that are counted here."""

    details = ("billed", "counted")

    def __init__(self, message: str, billed: object, counted: int) -> None:
        super().__init__(
            message,
            remedy=remedies.setting("usage", "trusted", say="Ask the service. {} of the model takes its word,")
            + remedies.setting("usage", "ignored", say="{} counts by estimate alone."),
        )
        self.billed = billed if isinstance(billed, int) else str(billed)[:40]
        self.counted = counted


class SpendCapReached(ProviderError):
    details = ("retry_at",)


class CacheError(EmbassayError):
    pass


class LedgerError(EmbassayError):
    pass


class SpaceMismatch(EmbassayError):
    pass


class HomeError(EmbassayError):
    pass


class HomeNotFound(HomeError):
    pass


class HomeNotWritable(HomeError):
    pass


class HomeCorrupt(HomeError):
    pass


class HomeTooNew(HomeError):
    pass


class SetNotFound(HomeError):
    pass


class SetInUse(HomeError):
    pass


class SetMoved(HomeError):
    pass


class MigrationState(HomeError):
    pass


class MigrationPaused(MigrationState):
    """Carries the code of the error for which it cannot go on, and from when on it can, as far as that is known."""

    details = ("cause", "retry_at")

    def __init__(self, message: str, cause: str, *, retry_at: float | None = None, remedy: Remedy | str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.cause = cause
        self.retry_at = retry_at


class StoreError(EmbassayError):
    pass


class IndexDamaged(StoreError):
    """A copy that answers searches is damaged. It is made anew of what the store holds, so that the same call succeeds
    when it is repeated."""


class Overloaded(EmbassayError):
    """Carries in how many seconds there may be room again: an estimate, held within a minute."""

    details = ("retry_after",)

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message, remedy="Send it again later, or less at once.")
        self.retry_after = max(0.05, min(60.0, retry_after))


class DeadlinePassed(EmbassayError):
    pass


class Interrupted(EmbassayError):
    """The work was asked to stop, see `events.WorkStoppable`; what it had done is kept."""


class NotFinite(EmbassayError):
    pass


class ReadError(EmbassayError):
    pass


class NotText(ReadError):
    pass
