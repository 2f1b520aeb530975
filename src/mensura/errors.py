"""Every error mensura raises on purpose, as one tree.

    MensuraError
    ├── UsageError            the call makes no sense as it stands
    │   ├── FilterError       a --where expression that cannot be read
    │   ├── QueryError        an empty or oversized query
    │   └── JudgedSetError    judged files that do not hold together
    ├── PluginError           an unknown name, or one whose extra is not installed
    ├── ModelError
    │   ├── ModelNotFound     no weights under that name
    │   ├── ModelUnsupported  weights this engine cannot run
    │   ├── DigestMismatch    weights that are not what they should be
    │   ├── DownloadFailed    the hub did not deliver
    │   └── TextTooLong       policy "error" met a text above the token limit
    ├── SpaceMismatch         vectors of two spaces would have met
    ├── HomeError
    │   ├── HomeNotFound      no .mensura/ here or above
    │   ├── HomeNotWritable   permissions, read-only disk, disk full
    │   ├── HomeCorrupt       a state file that is not one
    │   ├── HomeTooNew        written by a later mensura
    │   └── SetNotFound       no such set in this home
    ├── StoreError            the vector store failed; nothing already stored is lost
    └── ReadError             one document could not be read; it is quarantined
        └── NotText           it holds no text to read: it is skipped

A message says what was found and what was expected; `remedy` says what mends it.
"""

from __future__ import annotations


class MensuraError(Exception):
    """Root of the tree. `exit_code` is what the command line exits with."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} {self.remedy}".rstrip()


class UsageError(MensuraError):
    exit_code = 2


class FilterError(UsageError):
    pass


class QueryError(UsageError):
    pass


class JudgedSetError(UsageError):
    pass


class PluginError(UsageError):
    pass


class ModelError(MensuraError):
    pass


class ModelNotFound(ModelError):
    pass


class ModelUnsupported(ModelError):
    pass


class DigestMismatch(ModelError):
    pass


class DownloadFailed(ModelError):
    pass


class TextTooLong(ModelError):
    """Carries the position of the first text above the limit, for the caller to drop or split."""

    def __init__(self, position: int, tokens: int, limit: int) -> None:
        super().__init__(
            f"text {position} has {tokens:,} tokens, the model takes {limit:,}.",
            remedy="Pass on_long='truncate' or on_long='split' to accept it.",
        )
        self.position = position
        self.tokens = tokens
        self.limit = limit


class SpaceMismatch(MensuraError):
    pass


class HomeError(MensuraError):
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


class StoreError(MensuraError):
    pass


class ReadError(MensuraError):
    pass


class NotText(ReadError):
    pass
