"""The query log as programs and commands see it: read, commented on, exported, and removed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from embassay import remedy
from embassay.arguments import checks_arguments
from embassay.errors import UsageError
from embassay.sets.log.entry import Feedback, Kind, LoggedQuery, LoggedText

if TYPE_CHECKING:
    from embassay.config.values import QueryLogConfig
    from embassay.sets.log.export import Exported
    from embassay.sets.log.table import LogTable

About = int | str
"""A hit by its rank, or a document by its id."""
_LINES = re.compile(r"#L\d+-\d+$")
"""What a place has behind the id of its document."""


@checks_arguments
class QueryLog:
    """What was searched for in a home. Threads may share it, and processes the home."""

    def __init__(
        self,
        table: Callable[[], LogTable],
        config: Callable[[], QueryLogConfig],
        flush: Callable[[], None],
        holds: Callable[[str, str], bool],
    ) -> None:
        """`table` opens the log, `config` says what is kept, `flush` has written what this process still holds, and
        `holds` says whether the set of a name has a document of an id."""
        self._open, self._config, self._flush, self._holds = table, config, flush, holds

    @property
    def config(self) -> QueryLogConfig:
        """What is kept, how much of it, and how long. Raises ConfigError."""
        return self._config()

    def entries(self, set: str | None = None, limit: int | None = None) -> Iterator[LoggedQuery]:
        """Searches of one set or of all, the newest first. Raises HomeNotFound, HomeCorrupt."""
        return self._table().entries(set, -1 if limit is None else limit)

    def entry(self, id: str) -> LoggedQuery:
        """One search. Raises UsageError for an id that the log does not have."""
        found = self._table().find(id)
        if found is None:
            raise UsageError(f"no search {id!r} is in the query log{self._why()}.", remedy=self._turn_on())
        return found

    def last(self, set: str | None = None) -> LoggedQuery:
        """The newest search, of one set or of all. Raises UsageError where there is none."""
        for found in self.entries(set, 1):
            return found
        of = f" of set {set!r}" if set else ""
        raise UsageError(f"no search{of} is in the query log{self._why()}.", remedy=self._turn_on())

    def count(self) -> int:
        """How many searches are logged."""
        return self._table().count()

    def texts(self, seqs: Sequence[int]) -> Mapping[int, LoggedText]:
        """What is kept of the texts of some searches, by their `seq`; those that are gone are left out."""
        return self._table().texts(seqs)

    def give(
        self, id: str, *, clicked: Sequence[About] = (), thumbs: str | None = None, about: Sequence[About] = ()
    ) -> LoggedQuery:
        """Note what somebody did with an answer, or thought of it; the search as the log has it then.

        `clicked`: hits that were opened, by their ranks or documents. `thumbs`: ``up`` or ``down``, of the documents
        that `about` names, which need not have been found, or of the answer as a whole. The same again counts once.
        Raises UsageError for an unknown search, a hit that there is not, or nothing to note; HomeError.
        """
        entry = self.entry(id)
        kind = _thumb(thumbs)
        now = time.time()
        given = [Feedback("clicked", _hit_place(entry, one), now) for one in clicked]
        if kind:
            given += [Feedback(kind, place, now) for place in [self._place(entry, one) for one in about] or [""]]
        elif about:
            raise UsageError("a document is named, and nothing is said of it.", remedy=_THUMBS)
        if not given:
            raise UsageError("there is no feedback to note.", remedy=remedy.option("clicked", "RANK") + _THUMBS)
        self._table().give(entry.id, given)
        return self.entry(entry.id)

    def prune(self) -> int:
        """Drop what is beyond the configured bounds; how many searches. Raises HomeError."""
        return self._table().prune(self.config)

    def clear(self) -> int:
        """Drop all of it, and overwrite where it stood; how many searches there were. Raises HomeError."""
        return self._table().clear()

    def export(
        self, file: str | os.PathLike[str] | TextIO, *, set: str | None = None, unjudged: bool = False
    ) -> Exported:
        """Write the queries to a file of JSON lines that judged sets are made from, or into one that is open; see
        `embassay.sets.log.export`. Raises HomeNotWritable."""
        from embassay.sets.log.export import export

        place = Path(file) if isinstance(file, (str, os.PathLike)) else file
        return export(self.entries(set), place, of_set=set, unjudged=unjudged)

    def _place(self, entry: LoggedQuery, about: About) -> str:
        """The place that a rank or a document means, which need not have been found, but has to be in the set."""
        place = _place_if_found(entry, about)
        if place is not None:
            return place
        document = str(about)
        if not any(self._holds(name, _LINES.sub("", document)) for name in entry.sets):
            raise UsageError(f"{' and '.join(map(repr, entry.sets))} has no document {document[:100]!r}.")
        return document

    def _table(self) -> LogTable:
        self._flush()
        return self._open()

    def _why(self) -> str:
        return ", which is off" if self.config.queries == "off" else ""

    def _turn_on(self) -> remedy.Remedy:
        off = self.config.queries == "off"
        return remedy.setting("query_log", "kept", say="Turn it on: {}") if off else remedy.NOTHING


_THUMBS = remedy.option("thumbs", "up", say="or {}")


def _thumb(thumbs: str | None) -> Kind | None:
    if thumbs in (None, "up", "down"):
        return thumbs  # type: ignore[return-value]
    raise UsageError(f"thumbs is {thumbs!r}, it must be up or down.")


def _hit_place(entry: LoggedQuery, about: About) -> str:
    """The place of the hit that a rank or a document means. Raises UsageError where there is none."""
    place = _place_if_found(entry, about)
    if place is None:
        raise UsageError(f"search {entry.id} has not found {str(about)[:100]!r}.")
    return place


def _place_if_found(entry: LoggedQuery, about: About) -> str | None:
    """The same; None for a document that was not found. Raises UsageError for a rank that there is not."""
    if isinstance(about, str) and about.isascii() and about.isdigit():
        about = int(about)
    for hit in entry.hits:
        if about in (hit.rank, hit.document, hit.place):
            return hit.place
    if isinstance(about, int):
        raise UsageError(f"search {entry.id} has no hit {about}: it has {len(entry.hits)}.")
    return None
