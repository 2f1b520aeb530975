"""The query log as programs and commands see it: read, commented on, exported, and removed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import remedy
from embassay.arguments import checks_arguments
from embassay.errors import UsageError
from embassay.sets.log.entry import Feedback, Kind, LoggedQuery

if TYPE_CHECKING:
    from embassay.config.values import QueryLogConfig
    from embassay.sets.log.export import Exported
    from embassay.sets.log.table import LogTable

About = int | str
"""A hit by its rank, or a document by its id."""
LONGEST_NAME = 1_000
"""Characters of a document's id in feedback."""


@checks_arguments
class QueryLog:
    """What was searched for in a home. Threads may share it, and processes the home."""

    def __init__(
        self, table: Callable[[], LogTable], config: Callable[[], QueryLogConfig], flush: Callable[[], None]
    ) -> None:
        """`table` opens the log, `config` says what is kept, `flush` has written what this process still holds."""
        self._open, self._config, self._flush = table, config, flush

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
        given = [Feedback("clicked", _place(entry, one, found=True), now) for one in clicked]
        if kind:
            given += [Feedback(kind, place, now) for place in [_place(entry, one) for one in about] or [""]]
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

    def export(self, file: str | os.PathLike[str], *, set: str | None = None, unjudged: bool = False) -> Exported:
        """Write the queries to a JSON lines file that judged sets are made from; see `embassay.sets.log.export`."""
        from embassay.sets.log.export import export

        return export(self.entries(set), Path(file), unjudged=unjudged)

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


def _place(entry: LoggedQuery, about: About, *, found: bool = False) -> str:
    """The place that a rank or a document means. `found`: it must be a hit."""
    if isinstance(about, str) and about.isascii() and about.isdigit():
        about = int(about)
    if isinstance(about, int):
        for hit in entry.hits:
            if hit.rank == about:
                return hit.place
        raise UsageError(f"search {entry.id} has no hit {about}: it has {len(entry.hits)}.")
    for hit in entry.hits:
        if about in (hit.document, hit.place):
            return hit.place
    if found or not about.strip() or len(about) > LONGEST_NAME:
        raise UsageError(f"search {entry.id} has not found {about[:100]!r}.")
    return about
