"""The contract of a tool that an agent may call.

A tool is a module with a docstring, which tells the agent what the tool is for and when to use it, and these names:

    TITLE: str                               for people
    WRITES: bool                             whether a call changes anything
    Arguments, Reply: msgspec.Struct         schemas of what goes in and comes out; Meta describes the fields
    run(desk: Desk, arguments) -> Reply      blocks, and raises EmbassayError

Whatever a tool gives is bounded: the reader is a language model, whose context a document of any length would fill.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from embassay import jsontext, remedy
from embassay.errors import SetNotFound, UsageError

if TYPE_CHECKING:
    from msgspec import Struct

    from embassay.home import Home
    from embassay.types import Metadata, Value

Action = Literal["read", "write", "admin"]

MOST_CHARS = 20_000
"""Characters of text that one call gives, unless it asks for more: about 5,000 tokens."""
MOST_ASKED = 100_000
"""Characters that a call may ask for."""
MOST_HITS = 100
"""Passages that one call gives, whatever its pipeline says."""
MOST_METADATA, MOST_OF_A_FIELD = 2_000, 500
"""Characters of what is shown of a document's metadata, as JSON: fields that are longer are left out."""


class Asker(Protocol):
    """Who calls a tool, and what that one may do."""

    def may(self, action: Action, *, set: str | None = None, model: str | None = None) -> bool:
        """Whether it may do so with this set."""

    def check(self, action: Action, *, set: str | None = None, model: str | None = None) -> None:
        """Raises where it may not; for a set that it may not see as for one that is not there."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever started the process: allowed all that the process was started for."""

    sets: Collection[str] | None = None
    """The only ones that are shown; None: all."""
    writes: bool = True

    def may(self, action: Action, *, set: str | None = None, model: str | None = None) -> bool:  # noqa: ARG002
        """Whether the set is among those that are shown, and writing is wanted where it is asked for."""
        return (set is None or self.sets is None or set in self.sets) and (action == "read" or self.writes)

    def check(self, action: Action, *, set: str | None = None, model: str | None = None) -> None:  # noqa: ARG002
        """Raises SetNotFound, and UsageError where nothing is to be changed."""
        if not self.may("read", set=set):
            raise SetNotFound(f"there is no set {set!r} here.", remedy="list_sets names those that there are.")
        if not self.may(action, set=set):
            raise UsageError("nothing may be changed here: the tools were started to read only.")


@dataclass(frozen=True, slots=True)
class Desk:
    """What a tool is given: the home, and who asks."""

    home: Home
    asker: Asker

    def visible(self) -> list[str]:
        """The names of the sets that may be read. Raises HomeNotFound."""
        return [name for name in self.home.sets() if self.asker.may("read", set=name)]

    def set(self, name: str | None, action: Action = "read") -> str:
        """The set that is meant, which may be used so. Raises SetNotFound, also where none is named and none is
        meant."""
        if name is None:
            name = self._meant()
        self.asker.check(action, set=name)
        return name

    def _meant(self) -> str:
        default = self.home.default_set
        if self.asker.may("read", set=default):
            return default
        visible = self.visible()
        if len(visible) == 1:
            return visible[0]
        known = f"one of {', '.join(visible)}" if visible else "NAME"
        raise SetNotFound("no set was named, and none is the default.", remedy=remedy.option("set", known))


class Tool(Protocol):
    """A module of `embassay.agents.tools`, or of somebody else's package."""

    TITLE: ClassVar[str]
    WRITES: ClassVar[bool]
    Arguments: ClassVar[type[Struct]]
    Reply: ClassVar[type[Struct]]
    __doc__: str

    @staticmethod
    def run(desk: Desk, arguments: Any) -> Struct:
        """What the tool is for."""


def clipped(text: str, most: int) -> tuple[str, bool]:
    """The head of a text, cut at a space where there is one near, and whether anything was cut."""
    if len(text) <= most:
        return text, False
    space = text.rfind(" ", most - most // 10, most)
    return text[: space if space > 0 else most], True


def shown(metadata: Metadata) -> Mapping[str, Value]:
    """The fields of some metadata that are short, as many as fit."""
    kept, left = dict[str, "Value"](), MOST_METADATA
    for name, value in metadata.items():
        size = len(name) + len(jsontext.dumps(value))
        if size <= min(left, MOST_OF_A_FIELD):
            kept[name] = value
            left -= size
    return kept
