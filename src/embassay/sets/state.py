"""`state.db`: which sets exist, which generation of each is live, and what every source was when it was indexed.

Every read and write of a set goes through its live generation, so that switching to another one changes one row. A
source is marked pending before its rows change and settled after, so that a run which died in between is found and
repeated.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from embassay import jsontext
from embassay.errors import HomeError
from embassay.seals import seal
from embassay.sets.calibrations import Calibrations
from embassay.sets.database import Database
from embassay.sets.fusions import Fusions
from embassay.sets.generation_rows import GENERATION, IDENTITY, insert_generation
from embassay.sets.history import History, note
from embassay.sets.jobs import Jobs
from embassay.sets.lags import Lags
from embassay.sets.listed import Listing
from embassay.sets.log.table import LogTable
from embassay.sets.migration.table import Migrations
from embassay.sets.monitoring.table import MonitoringTables
from embassay.sets.moves import Moves
from embassay.sets.projections import CoarseProjections, Projections
from embassay.sets.proofs import Proofs, put_anchor
from embassay.sets.records.table import RecordTable, forget_records, put_records
from embassay.sets.roster import Roster
from embassay.sets.spec import SetSpec
from embassay.sets.titles import SetTitles
from embassay.sets.totals import WORDS_ONLY, WRITING_WORDS_ONLY, Totals, totals_of
from embassay.sets.trials.table import Trials
from embassay.sets.views.table import COLUMNS, View, Views
from embassay.space import Space
from embassay.sqlite import in_parts
from embassay.types import Record

if TYPE_CHECKING:
    from embassay.canaries import Anchor

RECORD = "record"
"""The reader of a source that is no file, but was handed over by a program."""
IMPORTED = "import"
"""That of a source that came with an export: a file, which need not be on this disk."""
UNSETTLED = -1
"""Time of a file that changed just before it was read: it is read again, because its clock may not have ticked."""


def new_collection() -> str:
    """A name that no collection had before, not even one that a lost state.db knew."""
    return f"g{secrets.token_hex(6)}"


@dataclass(frozen=True, slots=True)
class Generation:
    """One build of a set in one space."""

    id: int
    set_name: str
    name: str
    """Of its collection in the store."""
    space: Space
    spec: SetSpec
    identity: int = IDENTITY
    """How much of its model the space names, see `IDENTITY`."""


@dataclass(frozen=True, slots=True)
class SetState:
    """Which generations a set has: ids, of which `live` is the one that is searched."""

    name: str
    live: int
    previous: int | None = None
    """The one that was live before, kept so that a switch can be taken back."""
    building: int | None = None
    """The one that is being made and is not searched yet."""
    keep_until: float = 0.0
    """Seconds since 1970 until which the previous one is kept."""

    @property
    def followers(self) -> tuple[int, ...]:
        """The generations that are brought along when the live one is written."""
        return tuple(one for one in (self.previous, self.building) if one is not None)


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source, which is a file or a record, as it was when it was last indexed."""

    path: str
    """Of a record, its id."""
    size: int
    mtime_ns: int
    digest: str
    state: str = "ok"
    """``ok``, ``failed``, ``skipped``, or ``pending`` while its rows are being changed."""
    reason: str = ""
    """What of it could not be read, or why it was skipped."""
    documents: int = 0
    chunks: int = 0
    truncated: int = 0
    reader: str = ""
    """Who looked at it; empty for one that was skipped unopened, and in rows of earlier versions."""
    chars: int = 0
    """Characters of its documents."""
    left_out: str = ""
    """What of it gave no text, though nothing failed."""
    left_chars: int = 0
    """How many characters that holds, as far as it is known."""

    def is_of(self, reader: str) -> bool:
        """Whether `reader` looked at it. Of a row of an earlier version that is believed if anything was found."""
        return self.reader == reader or (not self.reader and (self.documents > 0 or self.state == "failed"))

    @property
    def is_record(self) -> bool:
        """Whether it was handed over by a program: there is no file of it."""
        return self.reader == RECORD

    @property
    def waits(self) -> bool:
        """Whether it is found by words only, until the model has embedded it."""
        return self.state == "pending" and self.reason in (WORDS_ONLY, WRITING_WORDS_ONLY)

    @property
    def is_settled(self) -> bool:
        """Whether no run has stopped in the middle of it, so that all that is known of it is stored."""
        return self.state != "pending" or self.reason == WORDS_ONLY

    @property
    def is_imported(self) -> bool:
        """Whether it came with an export: its chunks are there, and nobody has looked for a file of it."""
        return self.reader == IMPORTED

    @property
    def is_on_disk(self) -> bool:
        """Whether it was read from a file, which should be there still."""
        return not (self.is_record or self.is_imported)

    @property
    def quarantined(self) -> bool:
        """Whether it, or a part of it, could not be read."""
        return self.state not in ("skipped", "pending") and self.reason != ""


_SET = "name, live, previous, building, keep_until"
_SOURCE = ", ".join(field.name for field in fields(SourceRow))
_COLUMNS = attrgetter(*(field.name for field in fields(SourceRow)))


class State:
    """The sets of one home. Threads may share it, and any number of processes may open the same file."""

    def __init__(self, file: Path, *, create: bool = False) -> None:
        """Raises HomeTooNew, HomeCorrupt, HomeNotWritable."""
        self.file = file
        self._database = Database(file, create=create)
        self.jobs = Jobs(self._database)
        self.proofs = Proofs(self._database)
        self.projections = Projections(self._database)
        self.coarse = CoarseProjections(self._database)
        self.calibrations = Calibrations(self._database)
        self.fusions = Fusions(self._database)
        self.titles = SetTitles(self._database)
        self.roster = Roster(self._database)
        self.lags = Lags(self._database)
        self.listing = Listing(self._database, self._generation)
        self.views = Views(self._database)
        self.records = RecordTable(self._database)
        self.migrations = Migrations(self._database)
        self.history = History(self._database)
        self.trials = Trials(self._database)
        self.monitoring = MonitoringTables(self._database)
        self.moves = Moves(self._database, self.roster, self.migrations)

    def query_log(self) -> LogTable:
        """What people searched for."""
        return LogTable(self._database)

    def close(self) -> None:
        """Give the file back. Closing twice does nothing."""
        self._database.close()

    # -- sets and their generations -------------------------------------------------------------------------

    def sets(self) -> list[str]:
        """Names of all sets that have generations of their own, in order."""
        with self._database.reading() as db:
            return [
                self._database.checked(SetState(*row)).name
                for row in db.execute(f"SELECT {_SET} FROM sets ORDER BY name")
            ]

    def set(self, name: str) -> SetState:
        """The generations of one set. Raises SetNotFound."""
        with self._database.reading() as db:
            row = db.execute(f"SELECT {_SET} FROM sets WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise self.roster.not_found(name)
        return self._database.checked(SetState(*row))

    def live(self, set_name: str) -> Generation:
        """The generation of a set that is searched. Raises SetNotFound, HomeCorrupt."""
        query = f"SELECT {GENERATION} FROM sets s JOIN generations g ON g.id = s.live WHERE s.name = ?"
        with self._database.reading() as db:
            row = db.execute(query, (set_name,)).fetchone()
        if row is None:
            raise self.roster.not_found(set_name)
        found = self._generation(row)
        if found.set_name != set_name:
            raise self._database.corrupt(ValueError(f"set {set_name!r} points at what belongs to {found.set_name!r}"))
        return found

    def shown(self, name: str) -> tuple[Generation, View | None]:
        """The generation that is read under a name, and the view through which; both as they are at one moment.

        Raises SetNotFound, HomeCorrupt.
        """
        query = (
            f"SELECT {COLUMNS}, {GENERATION} FROM views v JOIN sets s ON s.name = v.set_name "
            "JOIN generations g ON g.id = s.live WHERE v.name = ?"
        )
        with self._database.reading() as db:
            row = db.execute(query, (name,)).fetchone()
        if row is None:
            return self.live(name), None
        return self._generation(row[4:]), self.views.view(row[:4])

    def generation(self, identity: int) -> Generation:
        """One generation by its id. Raises HomeError for an id that is not there."""
        with self._database.reading() as db:
            row = db.execute(f"SELECT {GENERATION} FROM generations g WHERE g.id = ?", (identity,)).fetchone()
        if row is None:
            raise HomeError(f"{self.file} has no generation {identity}.")
        return self._generation(row)

    def collections(self) -> dict[str, str]:
        """The collection of every generation, and the store that keeps it."""
        with self._database.reading() as db:
            rows = db.execute(f"SELECT {GENERATION} FROM generations g").fetchall()
        return {one.name: one.spec.store for one in map(self._generation, rows)}

    def create(
        self, set_name: str, collection: str, space: Space, spec: SetSpec, anchor: Anchor | None = None
    ) -> Generation:
        """A new set with its first generation, which is live at once. If another process was faster, that one's.

        `anchor`: where its model puts the canaries.
        """
        with self._database.writing() as db:
            self.views.refuse(set_name, "")
            if not db.execute("SELECT 1 FROM sets WHERE name = ?", (set_name,)).fetchone():
                identity = insert_generation(db, set_name, collection, space, spec)
                if anchor:
                    put_anchor(db, identity, anchor)
                db.execute("INSERT INTO sets (name, live) VALUES (?, ?)", (set_name, identity))
                note(db, set_name, "created", identity, {"space": str(space), **spec.to_dict()})
        return self.live(set_name)

    def renew(self, generation: Generation, space: Space) -> Generation:
        """Write the present identity of a generation that was made before, unless another process was faster."""
        with self._database.writing() as db:
            written = jsontext.dumps(space.to_dict(), ascii_only=True)
            row = db.execute("SELECT set_name FROM generations WHERE id = ?", (generation.id,)).fetchone()
            columns = (
                row[0] if row else generation.set_name,  # the set may have another name by now
                generation.name,
                written,
                jsontext.dumps(generation.spec.to_dict(), ascii_only=True),
                IDENTITY,
            )
            db.execute(
                "UPDATE generations SET space = ?, spec = ?, identity = ?, seal = ? WHERE id = ? AND identity < ?",
                (*columns[2:], seal(generation.id, *columns), generation.id, IDENTITY),
            )
        return self.generation(generation.id)

    # -- sources of a generation ----------------------------------------------------------------------------

    def sources(self, generation: Generation) -> list[SourceRow]:
        """Every source that a generation was made of."""
        with self._database.reading() as db:
            rows = db.execute(f"SELECT {_SOURCE} FROM sources WHERE generation = ?", (generation.id,))
            return [self._database.checked(SourceRow(*row)) for row in rows]

    def sources_of(self, generation: Generation, paths: Sequence[str]) -> dict[str, SourceRow]:
        """Those of these sources that a generation has, by path."""
        found: dict[str, SourceRow] = {}
        for part, places in in_parts(paths):
            query = f"SELECT {_SOURCE} FROM sources WHERE generation = ? AND path IN ({places})"
            with self._database.reading() as db:
                rows = [SourceRow(*row) for row in db.execute(query, (generation.id, *part))]
            found |= {row.path: self._database.checked(row) for row in rows}
        return found

    def totals(self, generation: Generation) -> Totals:
        """Sums over the sources of a generation."""
        with self._database.reading() as db:
            return self._database.checked(totals_of(db, generation.id))

    def put(self, generation: Generation, rows: Iterable[SourceRow], records: Iterable[Record] = ()) -> None:
        """Write sources, and what those of them say that are records, all or none."""
        values = [(generation.id, *_COLUMNS(row)) for row in rows]
        places = ", ".join("?" * (1 + len(fields(SourceRow))))
        with self._database.writing() as db:
            db.executemany(f"INSERT OR REPLACE INTO sources (generation, {_SOURCE}) VALUES ({places})", values)
            put_records(db, generation.id, records)

    def forget(self, generation: Generation, paths: Iterable[str]) -> None:
        """Remove sources by their paths, all or none; unknown ones are passed over."""
        paths = list(paths)
        with self._database.writing() as db:
            db.executemany(
                "DELETE FROM sources WHERE generation = ? AND path = ?", [(generation.id, path) for path in paths]
            )
            forget_records(db, generation.id, paths)

    def _generation(self, row: Sequence[object]) -> Generation:
        *columns, sealed = row
        identity, set_name, name, space, spec, format = columns
        checked = self._database.checked
        try:
            if sealed != seal(*columns):
                raise ValueError(f"the row of set {set_name!r} was changed by hand")
            space, spec = checked(_space(str(space))), checked(_spec(str(spec)))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._database.corrupt(error) from error
        return checked(Generation(identity, set_name, name, space, spec, format))  # type: ignore[arg-type]


@lru_cache(maxsize=256)
def _space(text: str) -> Space:
    """The same text is read once: a home has many sets of one model."""
    return Space.from_dict(jsontext.loads(text))


@lru_cache(maxsize=256)
def _spec(text: str) -> SetSpec:
    return SetSpec.from_dict(jsontext.loads(text))
