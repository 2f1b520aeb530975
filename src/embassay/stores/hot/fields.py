"""The metadata of a part's rows in columns, one for each field that a filter can name.

Rows share their metadata as a rule, those of one document at least: it is kept once, as JSON, and the columns say
which of these have which values. A field of long texts has no column, nor has any behind the first `MOST`: their values
are read out of the JSON.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from embassay import jsontext
from embassay.stores.filters.fields import as_text, fields_of
from embassay.stores.hot.coded import Coded, CodedWriter
from embassay.stores.hot.sections import Array, Sections, SectionWriter
from embassay.types import Metadata

MOST = 256
"""FieldColumns with a column."""
LONGEST = 256
"""Characters of the values of a field with a column."""
EMPTY = "{}"


class FieldsWriter:
    """Takes the metadata of rows, as JSON."""

    def __init__(self) -> None:
        self._metadata = CodedWriter()
        self._columns: dict[str, CodedWriter] = {}
        self._holders: dict[str, array[int]] = {}
        self._others: dict[str, None] = {}
        self._different = 0

    def extend(self, metadata: Sequence[str]) -> None:
        """Append these rows."""
        for text in self._metadata.extend(metadata):
            if text != EMPTY:
                for name, values in fields_of(jsontext.loads(text)).items():
                    self._add(name, [as_text(value) for value in values])
            self._different += 1

    def _add(self, name: str, texts: list[str]) -> None:
        if name in self._others:
            return
        full = name not in self._columns and len(self._columns) == MOST
        if full or max(map(len, texts)) > LONGEST:
            self._others[name] = None
            self._columns.pop(name, None)
            self._holders.pop(name, None)
            return
        if name not in self._columns:
            self._columns[name], self._holders[name] = CodedWriter(), array("I")
        self._columns[name].extend(texts)
        self._holders[name].extend([self._different] * len(texts))

    def finish(self, out: SectionWriter) -> None:
        """Keep everything."""
        self._metadata.finish(out, "metadata")
        out.facts["metadata"] = self._different
        out.facts["other_fields"] = list(self._others)
        out.facts["fields"] = [[name, len(holders)] for name, holders in self._holders.items()]
        for at, (name, column) in enumerate(self._columns.items()):
            out.add_numbers(f"field{at}.holders", np.frombuffer(self._holders[name], np.uint32))
            column.finish(out, f"field{at}")


class FieldColumns:
    """The metadata of the rows of a part. Raises HotIndexDamaged."""

    def __init__(self, sections: Sections, rows: int) -> None:
        self.metadata = Coded(sections, "metadata", rows)
        """As JSON."""
        self._different = int(sections.facts["metadata"])
        self._others = frozenset(sections.facts["other_fields"])
        columns = [(f"field{at}", name, count) for at, (name, count) in enumerate(sections.facts["fields"])]
        self._columns = {name: Coded(sections, label, count) for label, name, count in columns}
        self._holders = {name: (f"{label}.holders", count) for label, name, count in columns}
        self._sections = sections

    def column(self, name: str) -> FieldColumn:
        """The values of one field."""
        return FieldColumn(self, name)

    def holders(self, name: str, of_values: Callable[[Coded], Array], test: Callable[[str], bool]) -> Array:
        """Which rows have a value of this field that passes `test`, as `of_values` tells of a column: bool (rows,)."""
        if name in self._others:
            values = (found.get(name, ()) for found in self._read)
            chosen = np.array([any(test(as_text(value)) for value in of_one) for of_one in values], bool)
        else:
            chosen = self._none()
            if name in self._columns:
                chosen[self._holding(name)[of_values(self._columns[name])]] = True
        return self.metadata.spread(chosen)

    def having(self, name: str) -> Array:
        """Which rows have a value of this field, or of one below it: bool (rows,)."""
        chosen = self._none()
        for field in self._columns:
            if field == name or field.startswith(f"{name}."):
                chosen[self._holding(field)] = True
        if any(field == name or field.startswith(f"{name}.") for field in self._others):
            chosen |= [any(f == name or f.startswith(f"{name}.") for f in found) for found in self._read]
        return self.metadata.spread(chosen)

    def _holding(self, name: str) -> Array:
        """To which metadata each value of a field belongs."""
        return self._sections.numbers(*self._holders[name])

    def _none(self) -> Array:
        return np.zeros(self._different, bool)

    @property
    def _read(self) -> Iterator[dict[str, list[str | int | float | bool]]]:
        """The fields of each metadata, read out of its JSON."""
        return (fields_of(jsontext.loads(text)) for text in self.metadata.texts.all())


class FieldColumn:
    """The values of one field of the rows of a part."""

    def __init__(self, fields: FieldColumns, name: str) -> None:
        self._fields, self._name = fields, name

    def passing(self, test: Callable[[str], bool]) -> Array:
        """Which rows have a value that passes `test`, which is asked once for each of them: bool (rows,)."""
        return self._fields.holders(self._name, lambda column: column.passing(test), test)

    def having(self, names: Iterable[str]) -> Array:
        """Which rows have one of these values: bool (rows,)."""
        wanted = frozenset(names)
        return self._fields.holders(self._name, lambda column: column.having(wanted), wanted.__contains__)


def to_metadata(text: str) -> Metadata:
    """The metadata that stands in JSON."""
    metadata: Metadata = {} if text == EMPTY else jsontext.loads(text)
    return metadata
