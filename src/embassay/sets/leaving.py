"""What a set leaves out: the patterns that it remembers, changed by a run, beside those of the configuration."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from embassay.errors import UsageError
from embassay.ingest.exclude import Exclusions, configured, exclusions, normal

if TYPE_CHECKING:
    from embassay.sets.opened import OpenSets


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a run changes what a set leaves out."""

    sets: OpenSets
    name: str
    more: tuple[str, ...]
    fewer: tuple[str, ...]

    def foreseen(self) -> Exclusions:
        """What will be left out, before there is a set that remembers it."""
        known = [pattern for pattern in _known(self.sets, self.name) if pattern not in self.fewer]
        return self._with([*known, *self.more])

    def remembered(self) -> Exclusions:
        """What is left out, once the set has noted it. Raises SetNotFound."""
        roster = self.sets.state.roster
        if self.more or self.fewer:
            return self._with(roster.exclude(self.name, self.more, self.fewer))
        return self._with(roster.excluded(self.name))

    def _with(self, patterns: Iterable[str]) -> Exclusions:
        return configured(self.sets.models.config) + exclusions(patterns, self.sets.folder.root)


def leaving(sets: OpenSets, name: str, exclude: Iterable[str], include: Iterable[str]) -> Leaving:
    """The change of a run that is to exclude some patterns, and to take others back.

    Raises UsageError for a pattern that names nothing, and for one to be taken back that the set does not have.
    """
    root = sets.folder.root
    more, fewer = (tuple(normal(pattern, root) for pattern in patterns) for patterns in (exclude, include))
    known = {*_known(sets, name), *more}
    for pattern in fewer:
        if pattern not in known:
            listed = f"It leaves out: {', '.join(sorted(known))}." if known else "It leaves nothing out."
            raise UsageError(
                f"set {name!r} does not exclude {pattern!r}, so that it cannot be taken back.", remedy=listed
            )
    return Leaving(sets, name, tuple(one for one in more if one not in fewer), fewer)


def _known(sets: OpenSets, name: str) -> tuple[str, ...]:
    return sets.state.roster.excluded(name) if sets.exists and name in sets.state.sets() else ()
