"""Places in files, as judgments name them: ``docs/a.md#L10-40``, or a whole file ``docs/a.md``."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from embassay.text import composed

_LINES = re.compile(r"^(?P<path>.+)#L(?P<first>\d{1,15})(?:-L?(?P<last>\d{1,15}))?(?P<rest>\.\d+)?$")
SHARE = 0.5
"""Of the shorter of two places that the other has to cover for both to be about the same."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file, 1-based and inclusive; no lines: all of it."""

    path: str
    first: int | None = None
    last: int | None = None
    name: str = ""
    """As it was written."""

    @classmethod
    def parse(cls, text: str) -> Place:
        """A text without ``#L`` is a path, or the id of a document that knows no lines. Paths are composed, as those of
        documents are."""
        found = _LINES.match(text)
        if not found:
            return cls(composed(text), name=text)
        first = int(found["first"])
        last = int(found["last"] or first)
        return cls(composed(found["path"]), min(first, last), max(first, last), text)

    def __str__(self) -> str:
        lines = "" if self.first is None else f"#L{self.first}-{self.last}"
        return self.name or self.path + lines

    def overlap(self, other: Place) -> float:
        """Share of the shorter of the two that they have in common; a whole file has all of what is in it."""
        if self.path != other.path:
            return 0.0
        if self.first is None or other.first is None or self.last is None or other.last is None:
            return 1.0
        shared = min(self.last, other.last) - max(self.first, other.first) + 1
        return max(0, shared) / min(self.last - self.first + 1, other.last - other.first + 1)


def covering(place: Place, places: Iterable[Place]) -> list[Place]:
    """Those of `places` that are about the same lines as `place`, the nearest first."""
    shares = [(place.overlap(other), other) for other in places]
    return [other for share, other in sorted(shares, key=lambda item: -item[0]) if share >= SHARE]
