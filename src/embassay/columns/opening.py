"""Tables by their formats, and which of their columns are meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from embassay import plugins
from embassay.errors import UsageError
from embassay.ingest.field_names import IDS, TEXTS
from embassay.text import did_you_mean

if TYPE_CHECKING:
    from embassay.columns.base import ColumnFormat, ColumnTable, ColumnWriter

FORMATS = "embassay.columns.formats"
VECTOR_NAMES = ("vector", "embedding", "embeddings", "emb", "vectors", "values")
"""What a column of vectors is called where nobody says it, the likeliest name first."""


def formats_written() -> list[str]:
    """Names of the formats that tables can be written in."""
    return [name for name, module in plugins.load_all(FORMATS).items() if hasattr(module, "create")]


def open_table(place: Path, format: str | None = None) -> ColumnTable:
    """The table at `place`, a file or a folder, in the format that it looks like or is said to be.

    Raises UsageError for a place that is not there or looks like none, PluginError for an unknown format, ReadError.
    """
    if not place.exists():
        raise UsageError(f"{place}: no such file or folder.")
    if format is not None:
        return _load(format).open_table(place)
    for name in plugins.names(FORMATS):
        module = _load(name)
        if module.holds(place):
            return module.open_table(place)
    raise UsageError(f"{place} holds no vectors in any of these formats: {', '.join(plugins.names(FORMATS))}.")


def create_table(format: str, folder: Path, fields: dict[str, type], dimensions: int) -> ColumnWriter:
    """A new table in an empty folder. Raises UsageError for a format that is not written, HomeNotWritable."""
    known = formats_written()
    if format not in known:
        raise UsageError(
            f"{format!r} is no format to write; there are {', '.join(known)}.", remedy=did_you_mean(format, known)
        )
    return _load(format).create(folder, fields, dimensions)


@dataclass(frozen=True, slots=True)
class ColumnNames:
    """Which columns hold ids, texts and vectors. None: the usual names are tried."""

    id: str | None = None
    text: str | None = None
    vector: str | None = None

    def text_in(self, table: ColumnTable) -> str:
        """The column of texts. Raises UsageError where there is none."""
        return _chosen(self.text, table.fields, TEXTS, "text")

    def id_in(self, table: ColumnTable) -> str:
        """The column of ids. Raises UsageError where there is none."""
        return _chosen(self.id, table.fields, IDS, "id")

    def vector_in(self, table: ColumnTable) -> str:
        """The column of vectors: also the only one, whatever it is called. Raises UsageError where there is none."""
        names = list(table.vectors)
        if self.vector is None and len(names) == 1:
            return names[0]
        return _chosen(self.vector, names, VECTOR_NAMES, "vector")


def _chosen(asked: str | None, names: Sequence[str], usual: Sequence[str], what: str) -> str:
    if asked is not None:
        if asked in names:
            return asked
        raise UsageError(
            f"no column {asked!r} holds {what}s; there are {_listed(names)}.", remedy=did_you_mean(asked, names)
        )
    lower = {name.lower(): name for name in reversed(names)}
    found = next((lower[one] for one in usual if one in lower), None)
    if found is None:
        raise UsageError(
            f"which column holds the {what}s cannot be told from the names: {_listed(names)}.",
            remedy=f"Name it as the {what} field.",
        )
    return found


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) if names else "none that could"


def _load(name: str) -> ColumnFormat:
    return cast("ColumnFormat", plugins.load(FORMATS, name))
