"""The contract of a tool that an agent may call.

A tool is a module with a docstring, which tells the agent what the tool is for and when to use it, and these names:

    TITLE: str                               for people
    WRITES: bool                             whether a call changes anything
    Arguments, Reply: msgspec.Struct         schemas of what goes in and comes out; Meta describes the fields
    run(desk: Desk, arguments) -> Reply      blocks, and raises EmbassayError

Whatever a tool gives is bounded: the reader is a language model, whose context a document of any length would fill.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol

from embassay import jsontext, remedy
from embassay.errors import HomeNotFound, ModelNotFound, SetNotFound, UsageError
from embassay.text import nearest_names, one_of

if TYPE_CHECKING:
    from msgspec import Struct

    from embassay.embedding_set import EmbeddingSet
    from embassay.home import Home
    from embassay.remedy import Remedy
    from embassay.session import Session
    from embassay.types import Metadata, Value

Action = Literal["read", "write", "admin"]

MOST_CHARS = 20_000
"""Characters of text that one call gives, unless it asks for more: about 5,000 tokens."""
MOST_ASKED = 100_000
"""Characters that a call may ask for."""
MOST_HITS = 100
"""Passages that one call gives, whatever its pipeline says."""
MOST_NAMES, SHOWN = 20, 100
"""Names that an error lists, and characters of one that nobody knows."""
MOST_METADATA, MOST_OF_A_FIELD = 2_000, 500
"""Characters of what is shown of a document's metadata, as JSON: fields that are longer are left out."""


class Asker(Protocol):
    """Who calls a tool, and what that one may do."""

    def may(self, action: Action, *, set: str | None = None, model: str | None = None) -> bool:
        """Whether it may do so with this set."""

    def check(self, action: Action, *, set: str | None = None, model: str | None = None) -> None:
        """Raises where it may not; for a set that it may not see as for one that is not there."""


class ToolHost(Protocol):
    """Where tools run: what else has to be asked and told there."""

    def check_reranker(self, name: str) -> None:
        """Raises where a search may not ask this reranker; an empty name is the configured one."""

    def charged(self, texts: Sequence[str]) -> AbstractContextManager[object]:
        """Has texts that models read in the block count, where they do. Raises LimitReached."""

    def about(self, set: str) -> None:
        """Hears which set a call is about."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whoever started the process: allowed all that the process was started for."""

    sets: Collection[str] | None = None
    """The only ones that are shown; None: all."""
    writes: bool = True

    def may(self, action: Action, *, set: str | None = None, model: str | None = None) -> bool:  # noqa: ARG002
        """Whether the set is among those that are shown, and writing is wanted where it is asked for."""
        return (set is None or self.sets is None or set in self.sets) and (action == "read" or self.writes)

    def check(self, action: Action, *, set: str | None = None, model: str | None = None) -> None:
        """Raises UsageError where it may not."""
        if not self.may(action, set=set, model=model):
            raise UsageError("nothing may be changed here: the tools were started to read only.")


class OwnProcess:
    """A process of somebody's own, in which nothing is counted."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def check_reranker(self, name: str) -> None:
        """Only configured ones: what an agent says may be what a document told it to. Raises ModelNotFound."""
        configured = self._session.config.reranking
        known = sorted({*configured.models, configured.default_model} - {""})
        if (name or configured.default_model) not in known:
            setting = remedy.setting("reranking", "{models: {NAME: {provider: local, model_id: ...}}}", say="Set {}.")
            told = one_of(known) if known else setting
            raise ModelNotFound(f"no reranker {name[:SHOWN]!r} is configured.", remedy=told)

    def charged(self, texts: Sequence[str]) -> AbstractContextManager[object]:  # noqa: ARG002
        """Nothing is counted."""
        return nullcontext()

    def about(self, set: str) -> None:
        """Nobody wants to know."""


class _NotSeen(SetNotFound):
    """A set that is not there, or not for whoever asks, told in words that give nothing away."""

    code: ClassVar[str] = SetNotFound.code


@dataclass(frozen=True, slots=True)
class Desk:
    """What a tool is given: the home, who asks, and where."""

    home: Home
    asker: Asker
    host: ToolHost

    def visible(self) -> list[str]:
        """The names of the sets that may be read."""
        try:
            names = self.home.sets()
        except HomeNotFound:
            return []
        return [name for name in names if self.asker.may("read", set=name)]

    @contextmanager
    def reading(self, name: str | None, texts: Sequence[str] = ()) -> Iterator[EmbeddingSet]:
        """The set of this name, or the one that is meant without one, while the block reads it; its model is to read
        `texts`. Raises SetNotFound, which names no set that may not be seen."""
        name = self.check_set(self._meant() if name is None else name)
        self.host.about(name)
        try:
            with self.host.charged(texts):
                yield self.home.set(name)
        except _NotSeen:
            raise
        except (SetNotFound, HomeNotFound):  # whose words name the folder of the home, and every set in it
            raise self._unknown(name) from None

    def check_set(self, name: str) -> str:
        """The name itself. Raises SetNotFound for a set that may not be seen, as for one that is not there."""
        if not self.asker.may("read", set=name) or not self.home.holds(name):
            raise self._unknown(name)
        return name

    def _meant(self) -> str:
        visible = self.visible()
        if len(visible) == 1:
            return visible[0]
        if visible and (default := self.home.default_set) in visible:
            return default
        raise SetNotFound("no set was named, and none is meant then.", remedy=self._listed())

    def _unknown(self, name: str) -> SetNotFound:
        near = nearest_names(name[:SHOWN], self.visible())
        return _NotSeen(f"there is no set {name[:SHOWN]!r}.", remedy=one_of(near) if near else self._listed())

    def _listed(self) -> Remedy | str:
        names = self.visible()
        if not names:
            return remedy.command("index", "FOLDER", say="Make one")
        return f"There are: {', '.join(names[:MOST_NAMES])}{', ...' if len(names) > MOST_NAMES else ''}."


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
