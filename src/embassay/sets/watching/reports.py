"""What whoever watches a set is told: values, each of which a program tells apart by its class or by ``event``."""

from __future__ import annotations

from dataclasses import dataclass

from embassay.errors import EmbassayError
from embassay.sets.build.report import IndexReport
from embassay.sets.coverage import listed


@dataclass(frozen=True, slots=True)
class Watching:
    """No change is missed from now on. It comes again where the way of watching changes."""

    set: str
    paths: tuple[str, ...]
    """What is watched, as absolute paths."""
    by: str
    """``events`` of the system, or ``polling``."""
    why: str = ""
    """Why it is polling, where nobody asked for that."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {"event": "watching", "set": self.set, "paths": [*self.paths], "by": self.by, "why": self.why}


@dataclass(frozen=True, slots=True)
class Updated:
    """The set is up to date with what changed."""

    index: IndexReport
    """The run that did it: its counts are of what it looked at, its lists of the whole set."""
    changes: int
    """Paths that had changed; 0 where everything was looked at, as at the beginning."""
    quarantined: tuple[tuple[str, str], ...] = ()
    """(path, reason) of what could not be read, as far as the last update did not tell it."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it: what changed, without the lists of the whole set."""
        whole = ("skipped", "quarantined", "read_in_part", "unchanged")
        run = {name: value for name, value in self.index.to_dict().items() if name not in whole}
        return {"event": "updated", "changes": self.changes} | run | {"quarantined": listed(self.quarantined)}


@dataclass(frozen=True, slots=True)
class Delayed:
    """The set could not be brought up to date. Changes are collected meanwhile, and none is lost."""

    set: str
    error: EmbassayError
    seconds: float
    """Until it is tried again."""
    changes: int
    """Paths that wait; 0 where everything is to be looked at."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        own = {"set": self.set, "seconds": self.seconds, "changes": self.changes, "error": self.error.to_dict()}
        return {"event": "delayed"} | own


@dataclass(frozen=True, slots=True)
class Lost:
    """Watched paths that are not there any more; what was indexed of them stays until they are back, or are indexed by
    name."""

    set: str
    paths: tuple[str, ...]
    """All that are not there now: none where the last one is back."""

    def to_dict(self) -> dict[str, object]:
        """The report as JSON has it."""
        return {"event": "lost", "set": self.set, "paths": [*self.paths]}


WatchReport = Watching | Updated | Delayed | Lost
