"""Another set of the same documents, in which an arm may look as well: its vectors are those of another model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NoReturn

from embassay import remedy
from embassay.errors import UsageError

if TYPE_CHECKING:
    from embassay.space import Similarity
    from embassay.stores.base import Snapshot
    from embassay.types import Role, Vectors


@dataclass(frozen=True)
class OtherSet:
    """What one search may ask of another set."""

    name: str
    similarity: Similarity
    """How its vectors are compared."""
    embed: Callable[[str, Role], Vectors]
    """Makes the vector (dimensions,) of a text by its model. Raises ModelError, ProviderError."""
    opened: Callable[[], Snapshot]

    @cached_property
    def snapshot(self) -> Snapshot:
        """The version of it that the whole search reads."""
        return self.opened()


def no_other_set(name: str) -> NoReturn:
    """Raises UsageError: what is searched lies in no home, where other sets could be."""
    raise UsageError(
        f"the documents of set {name!r} cannot be searched here.",
        remedy=remedy.command("compare", "SET@PIPELINE", judged="DIR", say="Measure a search of sets as they are"),
    )
